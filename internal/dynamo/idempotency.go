package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
)

// Idempotency keeps the records of requests that came with an Idempotency-Key. It implements httpapi.IdempotencyStore.
type Idempotency struct {
	*table.Table
}

func (s Idempotency) item(id string, record []byte, until time.Time) table.Item {
	k := schema.IdempotencyKey(id)
	return table.Item{"PK": table.S(k.PK), "SK": table.S(k.SK), "record": table.B(record),
		"until": table.N(until.UnixMilli()),
		"ttl":   table.N(until.Unix())}
}

// Claim stores a record under a key until the given time. If there is one that has not expired, it returns that one
// and stores nothing.
func (s Idempotency) Claim(ctx context.Context, id string, record []byte, now, until time.Time) ([]byte, error) {
	_, err := s.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.Name, Item: s.item(id, record, until),
		ConditionExpression:                 aws.String("attribute_not_exists(PK) OR #until <= :now"),
		ExpressionAttributeNames:            map[string]string{"#until": "until"},
		ExpressionAttributeValues:           table.Item{":now": table.N(now.UnixMilli())},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	won, current, err := table.ConditionHeld(err)
	if err != nil || won {
		return nil, err
	}
	return table.Bytes(current, "record"), nil
}

// Replace replaces the record that was claimed; if that is gone, it changes nothing.
func (s Idempotency) Replace(ctx context.Context, id string, claimed, record []byte, until time.Time) error {
	_, err := s.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.Name, Item: s.item(id, record, until), ConditionExpression: aws.String("#record = :claimed"),
		ExpressionAttributeNames:  map[string]string{"#record": "record"},
		ExpressionAttributeValues: table.Item{":claimed": table.B(claimed)},
	})
	_, _, err = table.ConditionHeld(err)
	return err
}

// Release deletes the record that was claimed, and no other.
func (s Idempotency) Release(ctx context.Context, id string, claimed []byte) error {
	_, err := s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: schema.IdempotencyKey(id).Attributes(),
		ConditionExpression:       aws.String("#record = :claimed"),
		ExpressionAttributeNames:  map[string]string{"#record": "record"},
		ExpressionAttributeValues: table.Item{":claimed": table.B(claimed)},
	})
	_, _, err = table.ConditionHeld(err)
	return err
}
