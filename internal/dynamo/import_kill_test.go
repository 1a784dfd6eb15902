package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	"useraccounts/internal/fault"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/transfer"
)

// Of the process that TestImportWhoseWorkerIsKilled starts and kills.
const (
	killedTable  = "KILLED_WORKER_TABLE"
	killedJob    = "KILLED_WORKER_JOB"
	killedFolder = "KILLED_WORKER_FOLDER"
)

// folderFiles is the object store on disk, for two processes.
type folderFiles string

func (s folderFiles) path(key string) string { return filepath.Join(string(s), url.PathEscape(key)) }

func (s folderFiles) Get(_ context.Context, f transfer.File) ([]byte, error) {
	body, err := os.ReadFile(s.path(f.Key))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "notFound", "There is no such file.")
	}
	return body, err
}

// Put writes a file whole or not at all, as an object store does.
func (s folderFiles) Put(_ context.Context, key, _ string, body []byte) error {
	part := filepath.Join(string(s), "part")
	if err := os.WriteFile(part, body, 0o600); err != nil {
		return err
	}
	return os.Rename(part, s.path(key))
}

// TestKilledWorker is no test: it is the worker's process in TestImportWhoseWorkerIsKilled.
func TestKilledWorker(t *testing.T) {
	id := os.Getenv(killedJob)
	if id == "" {
		t.Skip("it runs as the process that is killed")
	}
	table := &dynamo.Table{Client: localtest.Services(t).DynamoDBClient(), Name: os.Getenv(killedTable)}
	f := &fixture{table: table, environments: dynamo.NewEnvironments(table), store: dynamo.Accounts{Table: table},
		jobStore: dynamo.Jobs{Table: table}}
	f.accounts = accountService(f.store)
	worker := f.worker()
	worker.Files = folderFiles(os.Getenv(killedFolder))
	fmt.Println("working")
	if err := worker.Run(t.Context(), env, id); err != nil {
		t.Fatal(err)
	}
}

// killFixture starts worker processes and kills them.
type killFixture struct {
	*fixture

	files  folderFiles
	killed int
	// span is how long a worker needs that nobody kills.
	span time.Duration
}

// kill runs a job in a process that is killed at any moment.
func (k *killFixture) kill(t *testing.T, j transfer.Job) {
	t.Helper()
	e := localtest.Services(t)
	process := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWorker$")
	process.Env = append(os.Environ(), killedTable+"="+k.table.Name, killedJob+"="+j.ID, killedFolder+"="+string(k.files),
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
	time.Sleep(time.Duration(rand.Int64N(int64(k.span))))
	_ = process.Process.Kill()
	died := process.Wait() != nil
	if died {
		k.killed++
	} else {
		k.span = time.Since(begun)
	}
	is := k.job(t, j.ID)
	t.Logf("%s killed %v, %s at %d", j.Kind, died, is.State, is.NextRow)
}

// finishJob lets the next worker end a job.
func (k *killFixture) finishJob(t *testing.T, j transfer.Job) {
	t.Helper()
	worker := k.worker()
	worker.Files = k.files
	if err := worker.Run(t.Context(), env, j.ID); err != nil {
		t.Fatal(err)
	}
	if is := k.job(t, j.ID); is.State != transfer.Done {
		t.Fatalf("the %s is %s: %+v", j.Kind, is.State, is.Problem)
	}
}

// V73, V74: a worker's process killed by SIGKILL at any moment leaves an import that nobody sees and that the next
// delivery brings in whole, and so with its undo. KILL_ROUNDS says how often each is tried.
func TestImportWhoseWorkerIsKilled(t *testing.T) {
	rounds := 5
	if testing.Short() {
		rounds = 1 // another process, which the race detector does not see
	}
	if n, err := strconv.Atoi(os.Getenv("KILL_ROUNDS")); err == nil {
		rounds = n
	}
	f := newFixture(t)
	f.createPeople(t)
	k := &killFixture{fixture: f, files: folderFiles(t.TempDir()), span: 400 * time.Millisecond}
	f.createResource(t, "FREEs")
	before, left := f.visibleState(t), f.leftovers(t)
	for round := range rounds {
		emails := [2]string{f.email(t, "p"), f.email(t, "q")}
		rows := f.fullImport(t, "s")
		for i := range 200 { // so that there are several transactions to be killed between
			rows = append(rows, resourceRow(fmt.Sprintf("sx%03d", i), nil, "STAFF", "KEEP"))
		}
		j := f.submit(t, transfer.Options{}, rows...)
		if err := k.files.Put(t.Context(), j.UploadKey(), "", f.files.stored[j.UploadKey()]); err != nil {
			t.Fatal(err)
		}
		k.kill(t, j)
		if is := f.job(t, j.ID); is.State != transfer.Done && f.visibleState(t) != before {
			t.Fatalf("round %d: a reader sees part of it", round)
		}
		k.finishJob(t, j)
		f.assertImported(t, "s", emails)
		imported := f.visibleState(t)
		if n := len(f.usernames(t)); n != 209 {
			t.Fatalf("round %d: %d people", round, n)
		}
		u := f.undo(t, j)
		k.kill(t, u)
		if is := f.job(t, u.ID); is.State != transfer.Done && f.visibleState(t) != imported {
			t.Fatalf("round %d: a reader sees part of the undo", round)
		}
		k.finishJob(t, u)
		if got := f.visibleState(t); got != before {
			t.Fatalf("round %d: after:\n%s\nbefore:\n%s", round, got, before)
		}
		if got := f.leftovers(t); !slices.Equal(got, left) {
			t.Fatalf("round %d: left %v\nwant %v", round, got, left)
		}
	}
	if k.killed == 0 && rounds > 2 {
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

func (c *flaky) handle(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (out middleware.DeserializeOutput, md middleware.Metadata, err error) {
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

// V84: throttling, and answers that are lost, at each call of an import: it comes in whole, without another delivery,
// or else with the next.
func TestImportThrottledAndUnansweredAtEachCall(t *testing.T) {
	f := newFixture(t)
	f.createPeople(t)
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
			f.createResource(t, "FREE"+tag)
			emails := [2]string{f.email(t, "p"), f.email(t, "q")}
			j := f.submit(t, transfer.Options{}, f.fullImport(t, tag)...)
			on := *f
			on.table = &dynamo.Table{Client: c.client(t), Name: f.table.Name}
			on.environments, on.store, on.jobStore = dynamo.NewEnvironments(on.table), dynamo.Accounts{Table: on.table},
				dynamo.Jobs{Table: on.table}
			if err := on.worker().Run(t.Context(), env, j.ID); err != nil {
				var lostJob bool
				if lostJob = errors.Is(err, transfer.ErrSuperseded); !lostJob && !strings.Contains(err.Error(), "slow down") {
					t.Fatalf("%s at %s: %v", tag, c.hit, err)
				}
			}
			got := f.finish(t, j, transfer.Done)
			if want := (transfer.Counts{Rows: 8, Created: 5, Updated: 3}); got.Counts != want {
				t.Fatalf("%s at %s: %+v", tag, c.hit, got.Counts)
			}
			f.assertImported(t, tag, emails)
		}
	}
	if dry.n < 10 {
		t.Errorf("%d calls only", dry.n)
	}
}
