package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/mfa"
)

// deviceItem leaves the tries out: they begin anew wherever a device is written whole.
func deviceItem(accountID string, d mfa.Device) item {
	k := deviceKey(accountID, d.ID)
	it := item{
		"PK": str(k.pk), "SK": str(k.sk), attrID: str(d.ID), "hash": bin(d.Hash), "name": str(d.Name), "addr": str(d.Address),
		"first": when(d.First), "last": when(d.Last), attrExpires: when(d.Expires), "ttl": num(d.Expires.Unix()), "epoch": num(d.Epoch),
	}
	if d.Was != nil {
		it["was"], it["rotated"] = bin(d.Was), when(d.Rotated)
	}
	return it
}

func deviceOf(it item) mfa.Device {
	return mfa.Device{
		ID: text(it, attrID), Hash: blob(it, "hash"), Was: blob(it, "was"), Rotated: instant(it, "rotated"), Name: text(it, "name"),
		Address: text(it, "addr"), First: instant(it, "first"), Last: instant(it, "last"), Expires: instant(it, attrExpires), Epoch: number(it, "epoch"),
		Tries: number(it, attrTries),
	}
}

// Rotate implements signin.Factors.
func (s Factors) Rotate(ctx context.Context, accountID string, was, now mfa.Device) (bool, error) {
	condition, values := aws.String("#hash = :was"), item{":was": bin(was.Hash)}
	names := map[string]string{"#hash": "hash"}
	var err error
	if now.ID == "" {
		_, err = s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &s.Name, Key: deviceKey(accountID, was.ID).attributes(), ConditionExpression: condition,
			ExpressionAttributeValues: values, ExpressionAttributeNames: names,
		})
	} else {
		_, err = s.Client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &s.Name, Item: deviceItem(accountID, now), ConditionExpression: condition,
			ExpressionAttributeValues: values, ExpressionAttributeNames: names,
		})
	}
	held, _, err := conditionHeld(err)
	return held, err
}

// Devices returns the devices that an account remembers, good or not.
func (s Factors) Devices(ctx context.Context, accountID string) ([]mfa.Device, error) {
	items, err := s.queryAll(ctx, page{pk: accountPK(accountID), prefix: deviceSK})
	if err != nil {
		return nil, err
	}
	out := make([]mfa.Device, len(items))
	for i, it := range items {
		out[i] = deviceOf(it)
	}
	return out, nil
}
