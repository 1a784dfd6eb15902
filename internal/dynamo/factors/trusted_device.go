package factors

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/mfa"
)

// RotateDevice implements signin.DeviceStore.
func (s Store) RotateDevice(ctx context.Context, accountID string, was, now mfa.TrustedDevice) (bool, error) {
	condition, values := aws.String("#hash = :was"), table.Item{":was": table.B(was.Hash)}
	names := map[string]string{"#hash": "hash"}
	var err error
	if now.ID == "" {
		_, err = s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &s.Name, Key: schema.TrustedDeviceKey(accountID, was.ID).Attributes(), ConditionExpression: condition,
			ExpressionAttributeValues: values, ExpressionAttributeNames: names,
		})
	} else {
		_, err = s.Client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &s.Name, Item: schema.TrustedDevice(accountID, now), ConditionExpression: condition,
			ExpressionAttributeValues: values, ExpressionAttributeNames: names,
		})
	}
	held, _, err := table.ConditionHeld(err)
	return held, err
}

// TrustedDevices returns the trusted devices of an account, expired ones included.
func (s Store) TrustedDevices(ctx context.Context, accountID string) ([]mfa.TrustedDevice, error) {
	items, err := s.QueryAll(ctx, table.Query{PK: schema.AccountPK(accountID), Prefix: schema.TrustedDeviceSK})
	if err != nil {
		return nil, err
	}
	out := make([]mfa.TrustedDevice, len(items))
	for i, it := range items {
		out[i] = schema.TrustedDeviceOf(it)
	}
	return out, nil
}
