// Package localtest gives tests a DynamoDB, the other local services, and the whole system on top of them.
//
//	e := localtest.DynamoDB(t)             // a fake in this process
//	table := localtest.Table(t)            // a fresh table as template.yaml has it, removed afterwards
//	store := dynamo.New(e.DynamoDBClient(), table)
//	all := localtest.Services(t)           // that DynamoDB, SQS and S3, started once for the test process
//
// DynamoDB is dynamofake, which is quick. With TEST_DYNAMODB=local, as .ci/run has it, the same tests run on DynamoDB
// Local; a test whose point is DynamoDB itself asks for DynamoDBLocal.
//
// With AWS_ENDPOINT_URL_DYNAMODB, _SQS and _S3 set (as `make test` does) the services behind them are used; otherwise
// what is missing is installed and started, and ends with the test process. With TEST_SERVICES=none (as `make unit` has
// it) a test that asks for one of them is skipped.
package localtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"useraccounts/internal/local/dynamofake"
	"useraccounts/internal/local/progress"
	"useraccounts/internal/local/provision"
	"useraccounts/internal/local/services"
	"useraccounts/internal/samtemplate"
)

// Endpoints says where the services are, and makes clients of them.
type Endpoints = services.Endpoints

// The services of this test process. Each starts when the first test asks for it, because no test can know what others
// will need, and ends with the process.
var (
	fake       = sync.OnceValue(func() *httptest.Server { return httptest.NewServer(&dynamofake.Server{}) })
	sqsAndS3   = sync.OnceValues(func() (services.Endpoints, error) { return start("sqs", "s3") })
	dynamoOnly = sync.OnceValues(func() (services.Endpoints, error) { return start("dynamodb") })
)

func start(names ...string) (services.Endpoints, error) {
	root, err := services.Root()
	if err != nil {
		return services.Endpoints{}, err
	}
	running, err := services.Start(context.Background(), services.Config{
		Root: root, Only: names,
		Progress: progress.Printer(func(line string) { fmt.Fprintln(os.Stderr, line) }),
	})
	if err != nil {
		return services.Endpoints{}, err
	}
	return running.Endpoints, nil
}

// NeedsServices skips the test where there are to be no services.
func NeedsServices(t testing.TB) {
	t.Helper()
	if os.Getenv("TEST_SERVICES") == "none" {
		t.Skip("needs the local services: make test")
	}
}

// running returns what was started for the process, or skips the test where there are to be no services.
func running(t testing.TB, started func() (services.Endpoints, error)) Endpoints {
	t.Helper()
	NeedsServices(t)
	e, err := started()
	if err != nil {
		t.Fatalf("the local services do not start: %v", err)
	}
	return e
}

// Services returns DynamoDB, SQS and S3.
func Services(t testing.TB) Endpoints {
	t.Helper()
	e := running(t, sqsAndS3)
	e.DynamoDB = DynamoDB(t).DynamoDB
	return e
}

// DynamoDB returns endpoints of which only DynamoDB's is of use: the fake, or DynamoDB Local where TEST_DYNAMODB says
// so.
func DynamoDB(t testing.TB) Endpoints {
	t.Helper()
	if OnDynamoDBLocal() {
		return DynamoDBLocal(t)
	}
	e := services.EndpointsFromEnvironment()
	e.DynamoDB = fake().URL
	return e
}

// OnDynamoDBLocal reports whether tests run on DynamoDB Local rather than on the fake.
func OnDynamoDBLocal() bool { return os.Getenv("TEST_DYNAMODB") == "local" }

// DynamoDBLocal returns endpoints of which only DynamoDB's is of use, which is DynamoDB Local.
func DynamoDBLocal(t testing.TB) Endpoints {
	t.Helper()
	return running(t, dynamoOnly)
}

// Template is the project's template.yaml.
func Template(t testing.TB) *samtemplate.Template {
	t.Helper()
	root, err := services.Root()
	if err != nil {
		t.Fatal(err)
	}
	template, err := samtemplate.Load(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// Table makes a fresh table as the template describes it and returns its name.
func Table(t testing.TB) string {
	t.Helper()
	return makeTable(t, "Table")
}

// Outbox makes a fresh table of mails, without its stream: nothing reads it here.
func Outbox(t testing.TB) string {
	t.Helper()
	return makeTable(t, "Outbox")
}

func makeTable(t testing.TB, logicalID string) string {
	t.Helper()
	table, known := Template(t).Table(logicalID)
	if !known {
		t.Fatalf("the template has no table %s", logicalID)
	}
	table.StreamConsumed = false
	name, client := uniqueName("table"), DynamoDB(t).DynamoDBClient()
	withTimeout(t, "making a table", func(ctx context.Context) error {
		return provision.CreateTable(ctx, client, table, name)
	})
	cleanUp(t, func(ctx context.Context) error { return provision.DeleteTable(ctx, client, name) })
	return name
}

// Bucket makes a fresh bucket as the template describes it and returns its name.
func Bucket(t testing.TB) string {
	t.Helper()
	buckets := Template(t).Buckets
	if len(buckets) != 1 {
		t.Fatalf("the template has %d buckets, and this helper is for one", len(buckets))
	}
	name, e := uniqueName("bucket"), Services(t)
	withTimeout(t, "making a bucket", func(ctx context.Context) error {
		return provision.CreateBucket(ctx, e, buckets[0], name)
	})
	cleanUp(t, func(ctx context.Context) error { return provision.DeleteBucket(ctx, e.S3Client(), name) })
	return name
}

// Queues are a fresh queue and its dead-letter queue.
type Queues struct {
	URL, DeadLettersURL string
}

// Queue makes fresh queues as the template describes the one with this logical id and its dead-letter queue.
func Queue(t testing.TB, logicalID string) Queues {
	t.Helper()
	template, client := Template(t), Services(t).SQSClient()
	q, known := template.Queue(logicalID)
	if !known {
		t.Fatalf("the template has no queue %s", logicalID)
	}
	var made Queues
	deadLettersARN := ""
	if q.DeadLetterQueue != "" {
		d, _ := template.Queue(q.DeadLetterQueue)
		dead := makeQueue(t, d, "")
		made.DeadLettersURL, deadLettersARN = dead.URL, dead.ARN
		cleanUp(t, func(ctx context.Context) error { return provision.DeleteQueue(ctx, client, dead.URL) })
	}
	made.URL = makeQueue(t, q, deadLettersARN).URL
	cleanUp(t, func(ctx context.Context) error { return provision.DeleteQueue(ctx, client, made.URL) })
	return made
}

func makeQueue(t testing.TB, q samtemplate.Queue, deadLettersARN string) (made provision.Queue) {
	t.Helper()
	name := uniqueName("queue")
	if q.FIFO {
		name += ".fifo"
	}
	withTimeout(t, "making a queue", func(ctx context.Context) (err error) {
		made, err = provision.CreateQueue(ctx, Services(t).SQSClient(), q, name, deadLettersARN)
		return err
	})
	return made
}

// Environment sets the variables of the SDK for the rest of the test, so that code which reads them itself (boot) finds
// the local services.
func Environment(t testing.TB) {
	t.Helper()
	for _, variable := range Services(t).Environment() {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}

func uniqueName(kind string) string { return "test-" + kind + "-" + strings.ToLower(rand.Text()[:12]) }

func withTimeout(t testing.TB, what string, do func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := do(ctx); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func cleanUp(t testing.TB, do func(context.Context) error) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := do(ctx); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
	})
}
