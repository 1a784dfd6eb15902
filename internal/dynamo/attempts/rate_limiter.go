package attempts

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/field"
	"useraccounts/internal/signin"
)

// RateLimiter counts requests by network address, in windows of one minute.
type RateLimiter struct {
	*table.Table
}

var _ signin.RequestCounter = RateLimiter{}

// Count implements signin.RequestCounter: one write.
func (s RateLimiter) Count(ctx context.Context, env, network string, now time.Time) (int, time.Time, error) {
	window := now.Truncate(time.Minute)
	ends := window.Add(time.Minute)
	out, err := s.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.RequestCountKey(env, network, field.FormatInstant(window)).Attributes(),
		UpdateExpression:          aws.String("SET #ttl = :ttl ADD came :one"),
		ExpressionAttributeNames:  map[string]string{"#ttl": "ttl"},
		ExpressionAttributeValues: table.Item{":one": table.N(1), ":ttl": table.N(ends.Add(time.Hour).Unix())},
		ReturnValues:              types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return 0, ends, table.WrapError("write", err)
	}
	return int(table.Int(out.Attributes, "came")), ends, nil
}
