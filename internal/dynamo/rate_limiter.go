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

// RateLimiter counts requests by network address, in windows of a minute by the clock.
type RateLimiter struct {
	*Table
}

var _ signin.RateLimiter = RateLimiter{}

// Count implements signin.RateLimiter: one write.
func (s RateLimiter) Count(ctx context.Context, env, network string, now time.Time) (int, time.Time, error) {
	window := now.Truncate(time.Minute)
	ends := window.Add(time.Minute)
	out, err := s.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: requestCountKey(env, network, field.FormatInstant(window)).attributes(),
		UpdateExpression:          aws.String("SET #ttl = :ttl ADD came :one"),
		ExpressionAttributeNames:  map[string]string{"#ttl": "ttl"},
		ExpressionAttributeValues: item{":one": num(1), ":ttl": num(ends.Add(time.Hour).Unix())},
		ReturnValues:              types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return 0, ends, storeError("write", err)
	}
	return int(number(out.Attributes, "came")), ends, nil
}
