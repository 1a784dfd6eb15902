package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/transfer"
)

// Of the process that TestImportWhoseWorkerIsKilled starts and kills.
const (
	killedTable = "KILLED_WORKER_TABLE"
	killedJob   = "KILLED_WORKER_JOB"
	killedFile  = "KILLED_WORKER_FILE"
)

// TestKilledWorker is no test: it is the worker's process in TestImportWhoseWorkerIsKilled.
func TestKilledWorker(t *testing.T) {
	id := os.Getenv(killedJob)
	if id == "" {
		t.Skip("it runs as the process that is killed")
	}
	table := &dynamo.Table{Client: localtest.Services(t).DynamoDBClient(), Name: os.Getenv(killedTable)}
	f := &fixture{table: table, environments: dynamo.NewEnvironments(table), store: dynamo.Accounts{Table: table},
		files: &files{stored: map[string][]byte{}}, records: dynamo.Jobs{Table: table}}
	f.accounts = accountService(f.store)
	body, err := os.ReadFile(os.Getenv(killedFile))
	if err != nil {
		t.Fatal(err)
	}
	f.files.put(transfer.Job{Env: env, ID: id}.UploadKey(), body)
	fmt.Println("working")
	if err := f.worker().Run(t.Context(), env, id); err != nil {
		t.Fatal(err)
	}
}

// V73, V74: a worker's process killed by SIGKILL at any moment leaves an import that nobody sees and that the next delivery
// brings in whole. KILL_ROUNDS says how often it is tried.
func TestImportWhoseWorkerIsKilled(t *testing.T) {
	rounds := 5
	if n, err := strconv.Atoi(os.Getenv("KILL_ROUNDS")); err == nil {
		rounds = n
	}
	e := localtest.Services(t)
	f := newFixture(t)
	f.office(t)
	killed, span := 0, 400*time.Millisecond
	for round := range rounds {
		tag := fmt.Sprintf("s%d", round)
		f.makeResource(t, "FREE"+tag)
		emails := [2]string{f.email(t, "p"), f.email(t, "q")}
		people, resources := f.usernames(t), len(f.resourcesSeen(t, f.fresh(t).Env, func() {}))
		rows := f.everything(t, tag)
		for i := range 200 { // so that there are several transactions to be killed between
			rows = append(rows, hired(fmt.Sprintf("%sx%03d", tag, i), nil, "STAFF", "KEEP"))
		}
		j := f.submit(t, transfer.Options{}, rows...)
		file := filepath.Join(t.TempDir(), "import.xlsx")
		if err := os.WriteFile(file, f.files.stored[j.UploadKey()], 0o600); err != nil {
			t.Fatal(err)
		}
		process := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWorker$") //nolint:gosec // this test itself
		process.Env = append(os.Environ(), killedTable+"="+f.table.Name, killedJob+"="+j.ID, killedFile+"="+file,
			"AWS_ENDPOINT_URL_DYNAMODB="+e.DynamoDB, "AWS_ENDPOINT_URL_SQS="+e.SQS, "AWS_ENDPOINT_URL_S3="+e.S3)
		out, err := process.StdoutPipe()
		if err == nil {
			err = process.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		time.Sleep(time.Duration(rand.Int64N(int64(span)))) //nolint:gosec // any moment
		_ = process.Process.Kill()
		died := process.Wait() != nil
		is := f.job(t, j.ID)
		if died {
			killed++
		} else {
			span = time.Since(begun)
		}
		t.Logf("round %d: killed %v, %s at %d of %d", round, died, is.State, is.Next, len(rows)-1)
		if is.State != transfer.Done {
			if seen := f.usernames(t); len(seen) != len(people) || len(f.resourcesSeen(t, f.fresh(t).Env, func() {})) != resources {
				t.Fatalf("round %d: a reader sees %d people, %d before", round, len(seen), len(people))
			}
		}
		f.finish(t, j, transfer.Done)
		f.arrived(t, tag, emails)
		if n := len(f.usernames(t)); n != len(people)+205 {
			t.Fatalf("round %d: %d people, %d before", round, n, len(people))
		}
	}
	if killed == 0 && rounds > 2 {
		t.Error("no worker was killed before it had ended")
	}
}

// flaky fails one attempt of one call below the SDK's retries: refused by throttling, or done with its answer lost.
type flaky struct {
	mu   sync.Mutex
	at   int
	lost bool
	n    int
	hit  string
}

func (c *flaky) client(t *testing.T) *dynamodb.Client {
	o := localtest.Services(t).DynamoDBClient().Options()
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Millisecond, nil })
	})
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("flaky", c.handle), middleware.Before)
	})
	return dynamodb.New(o)
}

func (c *flaky) handle(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (out middleware.DeserializeOutput, md middleware.Metadata, err error) {
	c.mu.Lock()
	c.n++
	hit := c.n == c.at
	if hit {
		c.hit = middleware.GetOperationName(ctx)
	}
	c.mu.Unlock()
	if !hit {
		return next.HandleDeserialize(ctx, in)
	}
	if c.lost {
		_, _, _ = next.HandleDeserialize(ctx, in)
	}
	return out, md, &smithy.GenericAPIError{Code: "ThrottlingException", Message: "slow down"}
}

// V84: throttling, and answers that are lost, at each call of an import: it comes in whole, without another delivery, or else
// with the next.
func TestImportThrottledAndUnansweredAtEachCall(t *testing.T) {
	f := newFixture(t)
	f.office(t)
	dry := &flaky{}
	for at := 0; at == 0 || at <= dry.n; at++ {
		for _, lost := range []bool{false, true} {
			c := dry
			if at > 0 {
				c = &flaky{at: at, lost: lost}
			} else if lost {
				continue
			}
			tag := fmt.Sprintf("%s%d", map[bool]string{false: "t", true: "l"}[lost], at)
			f.makeResource(t, "FREE"+tag)
			emails := [2]string{f.email(t, "p"), f.email(t, "q")}
			j := f.submit(t, transfer.Options{}, f.everything(t, tag)...)
			on := *f
			on.table = &dynamo.Table{Client: c.client(t), Name: f.table.Name}
			on.environments, on.store, on.records = dynamo.NewEnvironments(on.table), dynamo.Accounts{Table: on.table}, dynamo.Jobs{Table: on.table}
			if err := on.worker().Run(t.Context(), env, j.ID); err != nil {
				var lostJob bool
				if lostJob = errors.Is(err, transfer.ErrLost); !lostJob && !strings.Contains(err.Error(), "slow down") {
					t.Fatalf("%s at %s: %v", tag, c.hit, err)
				}
			}
			got := f.finish(t, j, transfer.Done)
			if want := (transfer.Counts{Rows: 8, Created: 5, Updated: 3}); got.Counts != want {
				t.Fatalf("%s at %s: %+v", tag, c.hit, got.Counts)
			}
			f.arrived(t, tag, emails)
		}
	}
	if dry.n < 10 {
		t.Errorf("%d calls only", dry.n)
	}
}
