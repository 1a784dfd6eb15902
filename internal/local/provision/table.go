package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/samtemplate"
)

// CreateTable makes a table of the template under a name. A table of that name with other keys is an error: its data
// would not be found.
func CreateTable(ctx context.Context, client *dynamodb.Client, t samtemplate.Table, name string) error {
	input := &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   []types.KeySchemaElement{{AttributeName: &t.Partition.Name, KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: &t.Partition.Name, AttributeType: types.ScalarAttributeType(t.Partition.Type)},
		},
	}
	if t.Sort != nil {
		input.KeySchema = append(input.KeySchema,
			types.KeySchemaElement{AttributeName: &t.Sort.Name, KeyType: types.KeyTypeRange})
		input.AttributeDefinitions = append(input.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: &t.Sort.Name, AttributeType: types.ScalarAttributeType(t.Sort.Type)})
	}
	// A stream that no function reads is left out: DynamoDB Local looks through the stream records of all tables for every
	// item that it writes to one with a stream, which makes writing ten times slower.
	if t.StreamConsumed {
		input.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true),
			StreamViewType: types.StreamViewType(t.StreamView)}
	}
	_, err := client.CreateTable(ctx, input)
	if inUse := new(types.ResourceInUseException); errors.As(err, &inUse) {
		err = sameKeys(ctx, client, input)
	}
	if err != nil {
		return fmt.Errorf("creating the table %s: %w", name, err)
	}
	return enableTTL(ctx, client, t.TTL, name)
}

// streamARN is the ARN of a table's stream.
func streamARN(ctx context.Context, client *dynamodb.Client, name string) (string, error) {
	have, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return "", fmt.Errorf("asking for the stream of %s: %w", name, err)
	}
	if have.Table.LatestStreamArn == nil {
		return "", fmt.Errorf("the table %s exists without a stream; remove the data folder or use another", name)
	}
	return *have.Table.LatestStreamArn, nil
}

func sameKeys(ctx context.Context, client *dynamodb.Client, want *dynamodb.CreateTableInput) error {
	have, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: want.TableName})
	if err != nil {
		return fmt.Errorf("describing it: %w", err)
	}
	same := len(have.Table.KeySchema) == len(want.KeySchema)
	for i := range want.KeySchema {
		same = same && *have.Table.KeySchema[i].AttributeName == *want.KeySchema[i].AttributeName
	}
	if !same {
		return errors.New("it exists with other keys; remove the data folder or use another")
	}
	return nil
}

func enableTTL(ctx context.Context, client *dynamodb.Client, attribute, name string) error {
	if attribute == "" {
		return nil
	}
	now, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil {
		return fmt.Errorf("asking for the time to live of %s: %w", name, err)
	}
	if d := now.TimeToLiveDescription; d != nil && d.TimeToLiveStatus == types.TimeToLiveStatusEnabled {
		return nil
	}
	_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute, Enabled: aws.Bool(true)},
	})
	if err != nil {
		return fmt.Errorf("setting the time to live of %s: %w", name, err)
	}
	return nil
}

// DeleteTable removes a table; one that is gone is no error.
func DeleteTable(ctx context.Context, client *dynamodb.Client, name string) error {
	_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	if gone := new(types.ResourceNotFoundException); err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("deleting the table %s: %w", name, err)
	}
	return nil
}
