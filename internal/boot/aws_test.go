package boot

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func TestEndpointOverrides(t *testing.T) {
	for name, c := range map[string]struct {
		aws                                   AWS
		dynamo, queue, store, pathStyleInFact string
	}{
		"none":    {AWS{}, "", "", "", ""},
		"all":     {AWS{Endpoint: "http://127.0.0.1:1"}, "http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:1", "yes"},
		"each":    {AWS{Endpoint: "http://127.0.0.1:1", EndpointDynamoDB: "http://127.0.0.1:2"}, "http://127.0.0.1:2", "http://127.0.0.1:1", "http://127.0.0.1:1", "yes"},
		"only s3": {AWS{EndpointS3: "http://127.0.0.1:3"}, "", "", "http://127.0.0.1:3", "yes"},
	} {
		c.aws.Region = "eu-west-2"
		d, q, s := DynamoDB(c.aws).Options(), SQS(c.aws).Options(), S3(c.aws).Options()
		if aws.ToString(d.BaseEndpoint) != c.dynamo || aws.ToString(q.BaseEndpoint) != c.queue || aws.ToString(s.BaseEndpoint) != c.store {
			t.Errorf("%s: %s, %s, %s", name, aws.ToString(d.BaseEndpoint), aws.ToString(q.BaseEndpoint), aws.ToString(s.BaseEndpoint))
		}
		if d.DisableValidateResponseChecksum != (c.dynamo != "") || s.UsePathStyle != (c.pathStyleInFact != "") {
			t.Errorf("%s: checksums off %v, path style %v", name, d.DisableValidateResponseChecksum, s.UsePathStyle)
		}
	}
}

// A client signs with what Lambda put into the environment, tries again when the service stumbles, and gives up in the end.
func TestClientsSignAndTryAgain(t *testing.T) {
	var tries atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tries.Add(1)
		if r.Header.Get("X-Amz-Security-Token") != "session" || r.Header.Get("Authorization") == "" {
			t.Errorf("unsigned: %v", r.Header)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	cfg := AWS{Region: "eu-west-2", AccessKeyID: "id", SecretAccessKey: Secret{"key"}, SessionToken: Secret{"session"}, Endpoint: server.URL}
	for name, c := range map[string]struct {
		call func(context.Context) error
		want int32
	}{
		"dynamodb": {func(ctx context.Context) error {
			_, err := DynamoDB(cfg).ListTables(ctx, &dynamodb.ListTablesInput{})
			return err
		}, 4},
		"sqs": {func(ctx context.Context) error {
			_, err := SQS(cfg).ListQueues(ctx, &sqs.ListQueuesInput{})
			return err
		}, 3},
		"s3": {func(ctx context.Context) error {
			_, err := S3(cfg).ListBuckets(ctx, &s3.ListBucketsInput{})
			return err
		}, 3},
	} {
		tries.Store(0)
		if err := c.call(t.Context()); err == nil || tries.Load() != c.want {
			t.Errorf("%s: %d tries, want %d: %v", name, tries.Load(), c.want, err)
		}
	}
}
