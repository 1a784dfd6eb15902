package boot_test

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

	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/objectstore"
	"useraccounts/internal/queue"
)

func TestEndpointOverrides(t *testing.T) {
	for name, c := range map[string]struct {
		aws                                   boot.AWS
		dynamo, queue, store, pathStyleInFact string
	}{
		"none": {boot.AWS{}, "", "", "", ""},
		"all": {
			boot.AWS{Endpoint: "http://127.0.0.1:1"},
			"http://127.0.0.1:1", "http://127.0.0.1:1",
			"http://127.0.0.1:1", "yes",
		},
		"each": {
			boot.AWS{Endpoint: "http://127.0.0.1:1", EndpointDynamoDB: "http://127.0.0.1:2"},
			"http://127.0.0.1:2",
			"http://127.0.0.1:1", "http://127.0.0.1:1", "yes",
		},
		"only s3": {boot.AWS{EndpointS3: "http://127.0.0.1:3"}, "", "", "http://127.0.0.1:3", "yes"},
	} {
		c.aws.Region = "eu-west-2"
		d := dynamo.Open(c.aws.Config(boot.DynamoDB), "t").Client.Options()
		q, s := queue.Open(c.aws.Config(boot.SQS), "u").Client.Options(),
			objectstore.Open(c.aws.Config(boot.S3), "b").Client.Options()
		if aws.ToString(d.BaseEndpoint) != c.dynamo || aws.ToString(q.BaseEndpoint) != c.queue ||
			aws.ToString(s.BaseEndpoint) != c.store {
			t.Errorf("%s: %s, %s, %s", name, aws.ToString(d.BaseEndpoint), aws.ToString(q.BaseEndpoint),
				aws.ToString(s.BaseEndpoint))
		}
		if d.DisableValidateResponseChecksum != (c.dynamo != "") || s.UsePathStyle != (c.pathStyleInFact != "") {
			t.Errorf("%s: checksums off %v, path style %v", name, d.DisableValidateResponseChecksum, s.UsePathStyle)
		}
	}
}

// A client signs with Lambda's credentials, retries when the service fails, and gives up in the end.
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
	var cfg boot.AWS
	set := map[string]string{
		"AWS_REGION": "eu-west-2", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": "session",
		"AWS_ENDPOINT_URL": server.URL,
	}
	if err := boot.LoadFrom(&cfg, func(name string) (string, bool) { v, ok := set[name]; return v, ok }); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		call func(context.Context) error
		want int32
	}{
		"dynamodb": {func(ctx context.Context) error {
			_, err := dynamodb.NewFromConfig(cfg.Config(boot.DynamoDB)).ListTables(ctx, &dynamodb.ListTablesInput{})
			return err
		}, 4},
		"sqs": {func(ctx context.Context) error {
			_, err := sqs.NewFromConfig(cfg.Config(boot.SQS)).ListQueues(ctx, &sqs.ListQueuesInput{})
			return err
		}, 3},
		"s3": {func(ctx context.Context) error {
			_, err := s3.NewFromConfig(cfg.Config(boot.S3)).ListBuckets(ctx, &s3.ListBucketsInput{})
			return err
		}, 3},
	} {
		tries.Store(0)
		if err := c.call(t.Context()); err == nil || tries.Load() != c.want {
			t.Errorf("%s: %d tries, want %d: %v", name, tries.Load(), c.want, err)
		}
	}
}
