package local_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"useraccounts/internal/local"
	"useraccounts/internal/local/localtest"
)

// withOwnServices has a system start its own, whatever `make test` has started already.
func withOwnServices(t *testing.T, o local.Options) local.Options {
	t.Helper()
	localtest.NeedsServices(t)
	for _, name := range []string{"DYNAMODB", "SQS", "S3"} {
		t.Setenv("AWS_ENDPOINT_URL_"+name, "")
	}
	return o
}

func TestDataSurvivesARestart(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	data, err := filepath.Rel(here, filepath.Join(t.TempDir(), "some data")) // as in make run DATA=dir
	if err != nil {
		t.Fatal(err)
	}
	o := withOwnServices(t, local.Options{
		Root: "../..", TemplateFile: "testdata/template.yaml", SourceRoot: "testdata",
		Binaries: "../../.build/functions-of-tests", Data: data, Logs: filepath.Join(t.TempDir(), "logs"),
	})
	ctx := context.Background()
	first, err := local.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(first.Stop)
	key := map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "kept"}}
	if _, err := first.Endpoints.DynamoDBClient().PutItem(ctx,
		&dynamodb.PutItemInput{TableName: aws.String(first.TableName()), Item: key}); err != nil {
		t.Fatal(err)
	}
	bucket := first.Resources.Buckets["Files"]
	if _, err := first.Endpoints.S3Client().PutObject(ctx,
		&s3.PutObjectInput{Bucket: &bucket, Key: aws.String("a/b"), Body: strings.NewReader("kept")}); err != nil {
		t.Fatal(err)
	}
	// The dead letters, because the worker would take the message from the other queue.
	_, err = first.Endpoints.SQSClient().SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(first.Resources.Queues["Dead"]), MessageBody: aws.String("kept"),
		MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("d"),
	})
	if err != nil {
		t.Fatal(err)
	}
	first.Stop()

	second, err := local.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.Stop)
	item, err := second.Endpoints.DynamoDBClient().GetItem(ctx,
		&dynamodb.GetItemInput{TableName: aws.String(second.TableName()), Key: key})
	if err != nil || len(item.Item) == 0 {
		t.Errorf("item %v, %v", item, err)
	}
	if _, err := second.Endpoints.S3Client().HeadObject(ctx,
		&s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("a/b")}); err != nil {
		t.Errorf("object: %v", err)
	}
	got, err := second.Endpoints.SQSClient().ReceiveMessage(ctx,
		&sqs.ReceiveMessageInput{QueueUrl: aws.String(second.Resources.Queues["Dead"]), WaitTimeSeconds: 2})
	if err != nil || len(got.Messages) != 1 {
		t.Errorf("messages %v, %v", got, err)
	}
}
