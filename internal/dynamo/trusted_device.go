package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/mfa"
)

// trustedDeviceItem leaves the tries out: they begin anew wherever a device is written whole.
func trustedDeviceItem(accountID string, d mfa.TrustedDevice) item {
	k := trustedDeviceKey(accountID, d.ID)
	it := item{
		"PK": str(k.pk), "SK": str(k.sk), attrID: str(d.ID), "hash": bin(d.Hash), "name": str(d.Name), "addr": str(d.Address),
		"first": timestamp(d.FirstUsed), "last": timestamp(d.LastUsed), attrExpires: timestamp(d.Expires),
		"ttl": num(d.Expires.Unix()), "epoch": num(d.Epoch),
	}
	if d.PreviousHash != nil {
		it["was"], it["rotated"] = bin(d.PreviousHash), timestamp(d.Rotated)
	}
	return it
}

func trustedDeviceOf(it item) mfa.TrustedDevice {
	return mfa.TrustedDevice{
		ID: text(it, attrID), Hash: blob(it, "hash"), PreviousHash: blob(it, "was"), Rotated: instant(it, "rotated"),
		Name:    text(it, "name"),
		Address: text(it, "addr"), FirstUsed: instant(it, "first"), LastUsed: instant(it, "last"),
		Expires: instant(it, attrExpires), Epoch: number(it, "epoch"),
		Tries: number(it, attrTries),
	}
}

// RotateDevice implements signin.FactorStore.
func (s Factors) RotateDevice(ctx context.Context, accountID string, was, now mfa.TrustedDevice) (bool, error) {
	condition, values := aws.String("#hash = :was"), item{":was": bin(was.Hash)}
	names := map[string]string{"#hash": "hash"}
	var err error
	if now.ID == "" {
		_, err = s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &s.Name, Key: trustedDeviceKey(accountID, was.ID).attributes(), ConditionExpression: condition,
			ExpressionAttributeValues: values, ExpressionAttributeNames: names,
		})
	} else {
		_, err = s.Client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &s.Name, Item: trustedDeviceItem(accountID, now), ConditionExpression: condition,
			ExpressionAttributeValues: values, ExpressionAttributeNames: names,
		})
	}
	held, _, err := conditionHeld(err)
	return held, err
}

// TrustedDevices returns the devices that an account remembers, good or not.
func (s Factors) TrustedDevices(ctx context.Context, accountID string) ([]mfa.TrustedDevice, error) {
	items, err := s.queryAll(ctx, pageQuery{pk: accountPK(accountID), prefix: trustedDeviceSK})
	if err != nil {
		return nil, err
	}
	out := make([]mfa.TrustedDevice, len(items))
	for i, it := range items {
		out[i] = trustedDeviceOf(it)
	}
	return out, nil
}
