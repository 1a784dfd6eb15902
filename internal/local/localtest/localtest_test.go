package localtest_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"useraccounts/internal/local/localtest"
)

func TestTableIsAsTheTemplateSays(t *testing.T) {
	client, name := localtest.DynamoDB(t).DynamoDBClient(), localtest.Table(t)
	table, err := client.DescribeTable(context.Background(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if s := table.Table.StreamSpecification; s != nil {
		t.Errorf("a stream that nothing reads: %+v", s)
	}
	if keys := table.Table.KeySchema; len(keys) != 2 || *keys[0].AttributeName != "PK" || *keys[1].AttributeName != "SK" {
		t.Errorf("keys %+v", keys)
	}
	ttl, err := client.DescribeTimeToLive(context.Background(), &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if d := ttl.TimeToLiveDescription; d.TimeToLiveStatus != types.TimeToLiveStatusEnabled || *d.AttributeName != "ttl" {
		t.Errorf("time to live %+v", d)
	}
}

func TestBucketKeepsVersions(t *testing.T) {
	client, name := localtest.Services(t).S3Client(), localtest.Bucket(t)
	key := "imports/a.xlsx"
	var versions []string
	for _, body := range []string{"first", "second"} {
		put, err := client.PutObject(context.Background(),
			&s3.PutObjectInput{Bucket: &name, Key: &key, Body: bytes.NewReader([]byte(body))})
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, *put.VersionId)
	}
	got, err := client.GetObject(context.Background(),
		&s3.GetObjectInput{Bucket: &name, Key: &key, VersionId: &versions[0]})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	if body, err := io.ReadAll(got.Body); err != nil || string(body) != "first" {
		t.Errorf("first version: %q, %v", body, err)
	}
}

func TestQueueHasItsDeadLetters(t *testing.T) {
	client, queue := localtest.Services(t).SQSClient(), localtest.Queue(t, "TransferQueue")
	have, err := client.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{
		QueueUrl: &queue.URL, AttributeNames: []sqstypes.QueueAttributeName{"All"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if have.Attributes["VisibilityTimeout"] != "1800" || have.Attributes["FifoQueue"] != "true" ||
		have.Attributes["RedrivePolicy"] == "" {
		t.Errorf("attributes %v", have.Attributes)
	}
}
