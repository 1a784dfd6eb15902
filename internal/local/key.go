package local

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/seal"
)

// What the runner keeps in the table beside the product's items: a text that the key sealed.
const (
	keyCheckPartition = "LOCAL"
	keyCheckSort      = "KEY"
	keyCheckText      = "sealed by the key of this table"
)

// checkKey fails if the key file cannot open what the table holds. Without it nobody would know until a second factor
// or a mailed link fails. The first start with a table seals a text there; each later one opens it. isNew says that the
// key file was made just now: then a table that holds anything was sealed by another.
func (s *System) checkKey(ctx context.Context, o Options, isNew bool) error {
	if len(s.stack.Template.SealingKeys) == 0 {
		return nil
	}
	table, client := s.TableName(), s.Endpoints.DynamoDBClient()
	sealer := seal.New(s.Endpoints.AWS(), s.Resources.Values.Refs[s.stack.Template.SealingKeys[0]], true, time.Now)
	item := map[string]types.AttributeValue{
		"PK": &types.AttributeValueMemberS{Value: keyCheckPartition}, "SK": &types.AttributeValueMemberS{Value: keyCheckSort},
	}
	found, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: item, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return fmt.Errorf("checking the key: %w", err)
	}
	if sealed, ok := found.Item["sealed"].(*types.AttributeValueMemberB); ok {
		if _, err := sealer.Open(ctx, sealed.Value, []byte(keyCheckSort)); err != nil {
			return fmt.Errorf("%w (%w)", wrongKey(o, table), err)
		}
		return nil
	}
	if isNew {
		some, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: &table, Limit: aws.Int32(1)})
		if err != nil {
			return fmt.Errorf("checking the key: %w", err)
		}
		if len(some.Items) > 0 {
			return wrongKey(o, table)
		}
	}
	text, err := sealer.Seal(ctx, []byte(keyCheckText), []byte(keyCheckSort))
	if err != nil {
		return fmt.Errorf("checking the key: %w", err)
	}
	item["sealed"] = &types.AttributeValueMemberB{Value: text}
	if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
		return fmt.Errorf("checking the key: %w", err)
	}
	return nil
}

func wrongKey(o Options, table string) error {
	return fmt.Errorf(
		"the key in %s cannot open what the table %s holds, so second factors and mailed links would not work: "+
			"put the key file of that table there, or use another table",
		o.KeyFile(),
		table,
	)
}
