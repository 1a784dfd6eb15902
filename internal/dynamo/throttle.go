package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/field"
	"useraccounts/internal/signin"
)

// Arrivals counts requests by network address, in windows of a minute by the clock.
type Arrivals struct {
	*Table
}

var _ signin.Throttle = Arrivals{}

// Admit implements signin.Throttle: one write.
func (s Arrivals) Admit(ctx context.Context, env, network string, now time.Time) (int, time.Time, error) {
	window := now.Truncate(time.Minute)
	ends := window.Add(time.Minute)
	out, err := s.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: arrivalsKey(env, network, field.Stamp(window)).attributes(),
		UpdateExpression: aws.String("SET #ttl = :ttl ADD came :one"), ExpressionAttributeNames: map[string]string{"#ttl": "ttl"},
		ExpressionAttributeValues: item{":one": num(1), ":ttl": num(ends.Add(time.Hour).Unix())}, ReturnValues: types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return 0, ends, store("write", err)
	}
	return int(number(out.Attributes, "came")), ends, nil
}
