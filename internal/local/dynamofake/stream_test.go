package dynamofake_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"useraccounts/internal/local/dynamofake"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/local/provision"
	"useraccounts/internal/local/services"
)

// A stream brings the same records from the fake as from DynamoDB Local: which items, what was done to them, in order.
func TestStreamsBringTheSameRecords(t *testing.T) {
	server := httptest.NewServer(&dynamofake.Server{})
	t.Cleanup(server.Close)
	local := localtest.DynamoDBLocal(t)
	fake := services.Endpoints{DynamoDB: server.URL, Region: local.Region, AccessKey: "x", SecretKey: "x"}
	want := streamed(t, local)
	if got := streamed(t, fake); !slices.Equal(got, want) || len(want) != 5 {
		t.Errorf("fake:           %v\nDynamoDB Local: %v", got, want)
	}
}

// streamed changes some items of a table with a stream, and returns what the stream has.
func streamed(t *testing.T, e services.Endpoints) []string {
	t.Helper()
	ctx, client, streams := t.Context(), e.DynamoDBClient(), e.StreamsClient()
	table, _ := localtest.Template(t).Table("Outbox")
	table.StreamConsumed = true
	name := "stream-contract"
	if err := provision.CreateTable(ctx, client, table, name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := provision.DeleteTable(t.Context(), client, name); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	changed := withAttribute(key("a", "1"), n(2))
	for _, w := range []types.TransactWriteItem{
		{Put: &types.Put{TableName: &name, Item: key("a", "1")}},
		{Put: &types.Put{TableName: &name, Item: key("a", "2")}},
		{Put: &types.Put{TableName: &name, Item: changed}},
		{Delete: &types.Delete{TableName: &name, Key: key("a", "2")}},
		{Delete: &types.Delete{TableName: &name, Key: key("a", "none")}},
		{Put: &types.Put{TableName: &name, Item: changed}}, // changes nothing
		{Delete: &types.Delete{TableName: &name, Key: key("a", "1")}},
	} {
		if _, err := client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
			TransactItems: []types.TransactWriteItem{w},
		}); err != nil {
			t.Fatal(err)
		}
	}
	described, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	arn := described.Table.LatestStreamArn
	stream, err := streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	if err != nil || len(stream.StreamDescription.Shards) != 1 {
		t.Fatalf("%+v, %v", stream, err)
	}
	in := &dynamodbstreams.GetShardIteratorInput{
		StreamArn: arn, ShardId: stream.StreamDescription.Shards[0].ShardId,
		ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
	}
	out := read(t, streams, in, 2)
	if len(out) < 2 {
		t.Fatalf("%v", out)
	}
	// A reader that lost its iterator goes on behind the last record that it has.
	in.ShardIteratorType, in.SequenceNumber = streamtypes.ShardIteratorTypeAfterSequenceNumber, &out[1].number
	out = append(out[:2], read(t, streams, in, 100)...)
	texts := make([]string, len(out))
	for i, r := range out {
		texts[i] = r.text
	}
	return texts
}

type record struct{ text, number string }

func read(
	t *testing.T,
	streams *dynamodbstreams.Client,
	in *dynamodbstreams.GetShardIteratorInput,
	limit int32,
) []record {
	t.Helper()
	start, err := streams.GetShardIterator(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var out []record
	iterator := start.ShardIterator
	for range 3 { // DynamoDB Local may answer with nothing first
		got, err := streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{
			ShardIterator: iterator, Limit: aws.Int32(limit),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got.Records {
			sk, _ := r.Dynamodb.Keys["SK"].(*streamtypes.AttributeValueMemberS)
			if time.Since(*r.Dynamodb.ApproximateCreationDateTime).Abs() > time.Hour {
				t.Errorf("a record of %s", r.Dynamodb.ApproximateCreationDateTime)
			}
			text := fmt.Sprint(r.EventName, " ", sk.Value, " ", r.Dynamodb.StreamViewType, " ", len(r.Dynamodb.Keys))
			out = append(out, record{text, *r.Dynamodb.SequenceNumber})
		}
		if iterator = got.NextShardIterator; len(out) > 0 {
			break
		}
	}
	return out
}
