package dynamo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/password"
	"useraccounts/internal/phone"
	"useraccounts/internal/setup"
	"useraccounts/internal/sheet"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

const env = "test"

// fixture is a seeded environment on DynamoDB Local, with everything that works on it.
type fixture struct {
	table        *dynamo.Table
	environments *dynamo.Environments
	store        dynamo.Accounts
	accounts     *account.Service
	signin       *signIn
	files        *fakeFiles
	jobStore     dynamo.Jobs
	queue        *fakeQueue
	admin        access.Scope
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return fixtureOn(t, &dynamo.Table{Client: localtest.Services(t).DynamoDBClient(), Name: localtest.Table(t)})
}

// fixtureOn is a seeded environment on a table.
func fixtureOn(t *testing.T, table *dynamo.Table) *fixture {
	t.Helper()
	f := &fixture{table: table, environments: dynamo.NewEnvironments(table), store: dynamo.Accounts{Table: table},
		files: &fakeFiles{stored: map[string][]byte{}}, jobStore: dynamo.Jobs{Table: table}, queue: &fakeQueue{}}
	f.accounts = accountService(f.store)
	f.signin = newSignIn(table)
	s := setup.Setup{Environments: f.environments, Upgrades: dynamo.Upgrades{Table: f.table}, Accounts: f.accounts}
	if _, err := s.CreateEnvironment(t.Context(), env, true); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateAdministrator(t.Context(), env, setup.TryOutAdministrator("a long enough secret")); err != nil {
		t.Fatal(err)
	}
	f.admin = f.signInAs(t, "admin", "a long enough secret")
	return f
}

func accountService(store dynamo.Accounts) *account.Service {
	return &account.Service{Rules: account.Rules{E164: phone.E164}, Store: store,
		Passwords: fakeHasher{}, Generator: password.Argon2id{}, Deleter: store, Seats: store, Now: time.Now,
		NewID: token.NewIDString}
}

// find returns the directory key that an identifier leads to in a sign-in, "" for none.
func (f *fixture) find(ctx context.Context, identifier string) (string, error) {
	_, key, err := attempts.Store{Table: f.table}.Find(ctx, env, identifier)
	return key, err
}

// signInAs returns the scope of a new session, through a forced change of password if one is due.
func (f *fixture) signInAs(t *testing.T, who, secret string) access.Scope {
	t.Helper()
	got, err := f.signin.Login(t.Context(), who, secret, signin.ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Next == "changePassword" {
		if got, err = f.signin.ChangePassword(t.Context(), got.Ticket.Reveal(), secret+" of my own",
			signin.ClientInfo{}); err != nil {
			t.Fatal(err)
		}
	}
	scope, err := f.signin.Authenticate(t.Context(), got.Access.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return scope
}

// currentScope returns the administrator's scope with the environment as it is now, as a new request has it.
func (f *fixture) currentScope(t *testing.T) access.Scope {
	t.Helper()
	now, err := f.environments.Environment(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	scope := f.admin
	// whatever clock a test has, the proof is fresh
	scope.Env, scope.Caller.RequestedAt = now, scope.Caller.AuthenticatedAt
	return scope
}

func (f *fixture) create(t *testing.T, username string, more field.Patch) account.Account {
	t.Helper()
	p := field.Patch{"username": username, "name": "Somebody", "email": username + "@example.com", "userType": "FULL"}
	for k, v := range more {
		p[k] = v
	}
	a, err := f.accounts.Create(t.Context(), f.currentScope(t), p)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (f *fixture) worker() *transfer.Worker {
	imports := dynamo.Imports{Jobs: f.jobStore, Accounts: f.store, Environments: f.environments}
	return &transfer.Worker{
		Jobs: f.jobStore, Staging: imports, Resources: imports, UndoStore: imports,
		Directory: dynamo.Directory{Accounts: f.store, Environments: f.environments, Now: time.Now},
		Files:     f.files, Rules: f.accounts.Rules, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		NewID:     token.NewIDString,
		Scheduler: transfer.Scheduler{Jobs: f.jobStore, Messages: f.queue, Now: time.Now},
	}
}

// submit makes an import of the rows, ready for the worker.
func (f *fixture) submit(t *testing.T, o transfer.Options, rows ...[]any) transfer.Job {
	t.Helper()
	if o.DateFormat.String() == "" {
		o.DateFormat = sheet.ISO
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	j := transfer.Job{
		ID: token.NewIDString(), Env: env, Kind: transfer.Import, State: transfer.Submitted, Options: o,
		By: f.admin.Caller.Username, ByID: f.admin.Caller.AccountID, Created: now, Submitted: now,
		ProvedAt: now,
	}
	f.files.put(j.UploadKey(), workbook(t, rows...))
	j.File = transfer.File{Key: j.UploadKey(), ETag: f.files.etag(j.UploadKey())}
	if err := f.jobStore.Create(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	return j
}

func (f *fixture) job(t *testing.T, id string) transfer.Job {
	t.Helper()
	j, err := f.jobStore.Job(t.Context(), env, id)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// usernames returns everybody whom a new reader sees, in order.
func (f *fixture) usernames(t *testing.T) []string {
	t.Helper()
	found, _, err := f.store.Page(t.Context(), f.currentScope(t).Env, "", 10000)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(found))
	for i, a := range found {
		out[i] = a.Username
	}
	return out
}

// workbook returns a sheet whose first row is the headings.
func workbook(t *testing.T, rows ...[]any) []byte {
	t.Helper()
	book := excelize.NewFile()
	for i, row := range rows {
		if err := book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := book.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// fakeFiles is the object store in memory: what is under test here is the table.
type fakeFiles struct {
	mu     sync.Mutex
	stored map[string][]byte
}

func (s *fakeFiles) put(key string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stored[key] = body
}

func (s *fakeFiles) etag(key string) string {
	sum := sha256.Sum256(s.stored[key])
	return hex.EncodeToString(sum[:])
}

func (s *fakeFiles) Get(_ context.Context, f transfer.File) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, ok := s.stored[f.Key]
	if !ok || (f.ETag != "" && f.ETag != s.etag(f.Key)) {
		return nil, fault.New(fault.NotFound, "notFound", "There is no such file.")
	}
	return body, nil
}

func (s *fakeFiles) Put(_ context.Context, key, _ string, body []byte) error {
	s.put(key, body)
	return nil
}

// fakeHasher stands in for argon2id where the hash is not what is tested; the policy is the real one.
type fakeHasher struct{ password.Argon2id }

func (fakeHasher) Hash(p string) (string, error) {
	sum := sha256.Sum256([]byte(p))
	return "fast$" + hex.EncodeToString(sum[:]), nil
}

func (f fakeHasher) Verify(hash, p string) bool {
	want, _ := f.Hash(p)
	return hash == want
}

// fakeQueue is the queue: what was sent, by group and dedup id.
type fakeQueue struct {
	mu   sync.Mutex
	sent []string
}

func (q *fakeQueue) Send(_ context.Context, group, dedup string, _ []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent = append(q.sent, group+" "+dedup)
	return nil
}
