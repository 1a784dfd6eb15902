package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/phone"
	"useraccounts/internal/resource"
	"useraccounts/internal/sheet"
	"useraccounts/internal/transfer"
)

var now = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// chunkSize is the number of rows that the backend stages at once.
const chunkSize = 2

// fakeBackend is the table and the bucket in memory, as the worker's interfaces describe them. Before each call it runs
// onCall with the name of the call, and fails with its error.
type fakeBackend struct {
	onCall func(call string) error
	calls  []string

	job      transfer.Job
	accounts map[string]account.Account // by directory key
	staged   map[string]account.Write   // by directory key, not committed
	// resources and stagedResources are the same for resources, by folded code.
	resources       map[string]resource.Resource
	stagedResources map[string]resource.Write
	number          int64
	// unfenced is the mutant that does not check epochs.
	unfenced       bool
	stagedRows     []transfer.StagedRow
	aborted        bool
	lastImportID   int64
	pending        bool
	files          map[string][]byte
	roles          []string // the actor's
	actorForbidden bool
	busy           map[string]bool
	seats          map[string]int64 // by folded licence
	seatLimits     map[string]int   // by licence
	pageSize       int
	// jobsBefore and jobsAfter are other jobs in the queue. messages are those that were sent for them.
	jobsBefore, jobsAfter []transfer.Job
	jobQueueErr           error
	messages              []string
}

func newFakeBackend(accounts ...account.Account) *fakeBackend {
	b := &fakeBackend{accounts: map[string]account.Account{}, staged: map[string]account.Write{},
		files: map[string][]byte{}, roles: []string{"ADMIN"}, busy: map[string]bool{}, seats: map[string]int64{},
		resources: map[string]resource.Resource{}, stagedResources: map[string]resource.Write{}}
	for _, a := range accounts {
		b.accounts[a.DirectoryKey()] = a
	}
	return b
}

func (b *fakeBackend) call(name string) error {
	b.calls = append(b.calls, name)
	if b.onCall != nil {
		return b.onCall(name)
	}
	return nil
}

func (b *fakeBackend) count(name string) (n int) {
	for _, c := range b.calls {
		if c == name {
			n++
		}
	}
	return n
}

func (b *fakeBackend) worker() *transfer.Worker {
	n := 0
	return &transfer.Worker{
		Jobs: b, Staging: b, Directory: b, Resources: b, Files: b, Rules: account.Rules{E164: phone.E164},
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
		Scheduler: transfer.Scheduler{Jobs: b, Messages: b, Now: func() time.Time { return now }},
		NewID:     func() string { n++; return fmt.Sprintf("id%d-%d", b.job.Epoch, n) },
	}
}

// UnfinishedJobs returns the job, until it has ended, between the jobs before and after it.
func (b *fakeBackend) UnfinishedJobs(context.Context, string) ([]transfer.Job, error) {
	jobs := slices.Clone(b.jobsBefore)
	if !b.job.State.Ended() {
		jobs = append(jobs, b.job)
	}
	return append(jobs, b.jobsAfter...), b.jobQueueErr
}

func (b *fakeBackend) Send(_ context.Context, group, dedupID string, _ []byte) error {
	b.messages = append(b.messages, group+" "+dedupID)
	return nil
}

func (b *fakeBackend) Claim(_ context.Context, env, id string) (transfer.Job, error) {
	if err := b.call("claim"); err != nil {
		return transfer.Job{}, err
	}
	if id != b.job.ID || env != b.job.Env {
		return transfer.Job{}, fault.New(fault.NotFound, "notFound", "There is no such job.")
	}
	b.job.Epoch++
	return b.job, nil
}

func (b *fakeBackend) CancelRequested(context.Context, string, string) (bool, error) {
	return b.job.CancelRequested, nil
}

// checkEpoch checks the condition of every write of a job.
func (b *fakeBackend) checkEpoch(j transfer.Job) error {
	if !b.unfenced && (j.Epoch != b.job.Epoch || b.job.State.Ended()) {
		return transfer.ErrSuperseded
	}
	return nil
}

func (b *fakeBackend) store(j transfer.Job) {
	cancel := b.job.CancelRequested
	b.job = j
	b.job.CancelRequested = cancel
}

func (b *fakeBackend) Save(_ context.Context, j transfer.Job) error {
	if err := errors.Join(b.call("save "+string(j.State)), b.checkEpoch(j)); err != nil {
		return err
	}
	b.store(j)
	return nil
}

func (b *fakeBackend) Begin(_ context.Context, j transfer.Job) (transfer.Job, error) {
	if err := errors.Join(b.call("begin"), b.checkEpoch(j)); err != nil {
		return transfer.Job{}, err
	}
	if b.job.CancelRequested {
		return transfer.Job{}, transfer.ErrCancelled
	}
	b.lastImportID++
	b.pending, b.aborted = true, false
	j.State, j.ImportID, j.NextRow = transfer.Writing, b.lastImportID, 0
	b.store(j)
	return j, nil
}

func (b *fakeBackend) Stage(_ context.Context, j transfer.Job, rows []transfer.StagedRow) (int, error) {
	if err := errors.Join(b.call("stage"), b.checkEpoch(j)); err != nil {
		return 0, err
	}
	if b.job.CancelRequested {
		return 0, transfer.ErrCancelled
	}
	n := min(chunkSize, len(rows))
	b.stagedRows = append(b.stagedRows, rows[:n]...)
	for _, row := range rows[:n] {
		if row.Resource != nil {
			if b.resources[row.Resource.After.Key()].Version != previousVersion(row.Resource) {
				return 0, transfer.ErrStale
			}
			b.stagedResources[row.Resource.After.Key()] = *row.Resource
		}
		key := row.Account.After.DirectoryKey()
		if row.Account.After.ID == "" {
			continue
		}
		if before := row.Account.Before; before != nil && b.accounts[key].Version != before.Version {
			return 0, transfer.ErrStale
		}
		if _, taken := b.accounts[key]; taken && row.Account.Before == nil {
			return 0, transfer.ErrStale
		}
	}
	for _, row := range rows[:n] {
		if row.Account.After.ID != "" {
			b.staged[row.Account.After.DirectoryKey()] = row.Account
		}
	}
	b.job.NextRow = rows[n-1].NextRow
	return n, nil
}

func (b *fakeBackend) Commit(_ context.Context, j transfer.Job, actor access.Caller, seats []account.SeatChange) error {
	if err := errors.Join(b.call("commit"), b.checkEpoch(j)); err != nil {
		return err
	}
	switch {
	case b.job.CancelRequested:
		return transfer.ErrCancelled
	case b.aborted || actor.Epoch != 7 || !b.pending:
		return transfer.ErrStale
	}
	for _, c := range seats {
		if !c.Fits(b.seats[c.Licence]) {
			return transfer.ErrStale
		}
	}
	for _, c := range seats {
		b.seats[c.Licence] += c.Delta
	}
	for key, w := range b.staged {
		b.accounts[key] = w.After
	}
	for key, w := range b.stagedResources {
		b.resources[key] = w.After
	}
	b.stagedResources = map[string]resource.Write{}
	b.staged, b.pending = map[string]account.Write{}, false
	b.store(j)
	return nil
}

func previousVersion(w *resource.Write) int64 {
	if w.Before == nil {
		return 0
	}
	return w.Before.Version
}

func (b *fakeBackend) ResourcesByCode(_ context.Context, _ environment.Environment, mark int64,
	codes []string) (map[string]transfer.ResourceState, error) {
	if err := b.call("resources"); err != nil {
		return nil, err
	}
	out := map[string]transfer.ResourceState{}
	for _, code := range codes {
		f := transfer.ResourceState{Busy: b.busy["resource "+code]}
		f.Resource, f.Exists = b.resources[code]
		if w, ok := b.stagedResources[code]; ok && mark != 0 {
			f.Staged, f.StagedResource = true, w.After
		}
		if f.Exists || f.Staged || f.Busy {
			out[code] = f
		}
	}
	return out, nil
}

func (b *fakeBackend) ReserveNumbers(_ context.Context, j transfer.Job, n int) (transfer.Job, error) {
	if err := errors.Join(b.call("reserve"), b.checkEpoch(j)); err != nil {
		return transfer.Job{}, err
	}
	if b.job.CancelRequested {
		return transfer.Job{}, transfer.ErrCancelled
	}
	j.FirstNumber, j.NumberCount = b.number+1, n
	b.number += int64(n)
	b.store(j)
	return j, nil
}

func (b *fakeBackend) Rollback(_ context.Context, j transfer.Job, rows []transfer.RowRef) error {
	if err := b.call("rollback"); err != nil {
		return err
	}
	for _, row := range rows {
		delete(b.staged, row.Username)
	}
	b.stagedResources = map[string]resource.Write{}
	return nil
}

func (b *fakeBackend) FinishRollback(_ context.Context, j transfer.Job) error {
	if err := errors.Join(b.call("finishRollback"), b.checkEpoch(j)); err != nil {
		return err
	}
	b.pending = false
	j.ImportID = 0
	b.store(j)
	return nil
}

func (b *fakeBackend) Actor(_ context.Context, env, accountID string) (access.Scope, error) {
	if err := b.call("actor"); err != nil {
		return access.Scope{}, err
	}
	if b.actorForbidden || accountID != "9" {
		return access.Scope{}, fault.New(fault.Forbidden, "actor", "The account may not sign in any more.")
	}
	settings := environment.Defaults()
	settings.DACEnabled = true
	return access.Scope{Env: environment.Environment{ID: env, Settings: settings}, Catalogue: b.catalogue(),
		Caller: access.Caller{
			AccountID: "9", Username: "boss", Epoch: 7, Permissions: access.Permissions(referenceData(), b.roles, nil),
		}}, nil
}

func (b *fakeBackend) AccountsByUsername(_ context.Context, _ environment.Environment, mark int64,
	usernames []string) ([]transfer.AccountState, error) {
	if err := b.call("accounts"); err != nil {
		return nil, err
	}
	out := make([]transfer.AccountState, len(usernames))
	for i, name := range usernames {
		out[i].Account, out[i].Exists = b.accounts[name]
		out[i].Busy = b.busy[name]
		if _, staged := b.staged[name]; staged && mark != 0 {
			out[i].Staged, out[i].Created, out[i].StagedAccount = true, !out[i].Exists, b.staged[name].After
		}
	}
	return out, nil
}

func (b *fakeBackend) Seats(context.Context, string) (map[string]int64, error) {
	return maps.Clone(b.seats), b.call("seats")
}

func (b *fakeBackend) Owners(_ context.Context, _ environment.Environment, identifiers []string) (map[string]string,
	error) {
	if err := b.call("owners"); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, a := range b.accounts {
		for _, key := range a.LoginKeys() {
			if slices.Contains(identifiers, key) {
				out[key] = a.ID
			}
		}
	}
	return out, nil
}

func (b *fakeBackend) HadKeys(context.Context, []string) (map[string]bool, error) {
	return nil, b.call("hadKeys")
}

func (b *fakeBackend) Page(_ context.Context, _ environment.Environment, after string, limit int) ([]account.Account,
	string, error) {
	if err := b.call("page"); err != nil {
		return nil, "", err
	}
	if b.pageSize > 0 {
		limit = min(limit, b.pageSize)
	}
	keys := make([]string, 0, len(b.accounts))
	for key := range b.accounts {
		if key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	more := len(keys) > limit
	var out []account.Account
	for _, key := range keys[:min(limit, len(keys))] {
		out = append(out, b.accounts[key])
	}
	if !more {
		return out, "", nil
	}
	return out, keys[limit-1], nil
}

func (b *fakeBackend) Get(_ context.Context, f transfer.File) ([]byte, error) {
	if err := b.call("get"); err != nil {
		return nil, err
	}
	body, ok := b.files[f.Key]
	if !ok {
		return nil, fault.New(fault.NotFound, "notFound", "There is no such file.")
	}
	return body, nil
}

func (b *fakeBackend) Put(_ context.Context, key, _ string, body []byte) error {
	if err := b.call("put"); err != nil {
		return err
	}
	b.files[key] = bytes.Clone(body)
	return nil
}

func referenceData() *catalogue.Catalogue {
	entry := func(kind catalogue.Kind, code string, roles, permissions []string) catalogue.Entry {
		return catalogue.Entry{Kind: kind, Code: code, Description: code + " users", Active: true, Roles: roles,
			Permissions: permissions}
	}
	var all []string
	for p := range access.All() {
		all = append(all, string(p))
	}
	api := entry(catalogue.Licence, "API", nil, nil)
	api.APIOnly = true
	return catalogue.New([]catalogue.Entry{
		entry(catalogue.Licence, "FULL", nil, nil), entry(catalogue.Licence, "TEAM", []string{"VIEWER"}, nil), api,
		entry(catalogue.Role, "ADMIN", nil, all), entry(catalogue.Role, "VIEWER", nil, []string{"account.read"}),
		entry(catalogue.Role, "IMPORTER", nil, []string{"account.import", "account.read"}),
		entry(catalogue.Role, "SELF", nil, nil),
		lockedGroup(), groupWithDefaults(), entry(catalogue.ResourceGroup, "OTHER", nil, nil),
		entry(catalogue.Department, "SALES", nil, nil), entry(catalogue.Department, "WORKS", nil, nil),
		entry(catalogue.CostCentre, "C1", nil, nil),
		entry(catalogue.PaymentMethod, "FP", nil, nil), entry(catalogue.PaymentTerms, "1", nil, nil),
		entry(catalogue.PaymentTerms, "030", nil, nil),
		entry(catalogue.Group, "STAFF", []string{"SELF"}, nil), entry(catalogue.DACGroup, "DAC1", nil, nil),
		entry(catalogue.DACGroup, "DAC2", nil, nil),
	})
}

// groupWithDefaults is a resource group with defaults.
func groupWithDefaults() catalogue.Entry {
	return catalogue.Entry{Kind: catalogue.ResourceGroup, Code: "CREW", Description: "Crew", Active: true,
		Defaults: catalogue.ResourceDefaults{
			Department: "SALES", CostCentre: "C1", Currency: "EUR", PaymentMethod: "FP", PaymentTerms: "1",
		}}
}

// existingAccount returns an account as the directory has it.
func existingAccount(username string) account.Account {
	return account.Account{
		ID: "id of " + username, Version: 4, Epoch: 2, UserType: "FULL", Username: username, Name: "Somebody",
		Email:    username + "@example.com",
		DateFrom: "2026-01-01", Active: true, Roles: []string{"VIEWER"}, Mobile: "0123",
	}
}

// book returns a workbook of a header and rows. Cells are string, bool, time.Time, sheet.Cell or nil.
func book(t testing.TB, header []string, rows ...[]any) []byte {
	t.Helper()
	columns := make([]sheet.Column, len(header))
	for i, h := range header {
		columns[i] = sheet.Column{Heading: h, Kind: sheet.Text}
	}
	var out bytes.Buffer
	err := sheet.Write(&out,
		sheet.Export{Sheet: "Users", Format: sheet.ISO, Columns: columns, Rows: func(yield func([]sheet.Cell, error) bool) {
			for _, row := range rows {
				if !yield(cells(t, row), nil) {
					return
				}
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func cells(t testing.TB, row []any) []sheet.Cell {
	t.Helper()
	out := make([]sheet.Cell, len(row))
	for i, v := range row {
		switch v := v.(type) {
		case nil:
		case string:
			out[i] = sheet.TextCell(v)
		case bool:
			out[i] = sheet.BoolCell(v)
		case time.Time:
			out[i] = sheet.DateCell(v)
		default:
			t.Fatalf("cell of %T", v)
		}
	}
	return out
}

// submit makes the import of a file the backend's submitted job.
func (b *fakeBackend) submit(options transfer.Options, file []byte) {
	if options.DateFormat == 0 {
		options.DateFormat = sheet.ISO
	}
	b.job = transfer.Job{ID: "job", Env: "test", Kind: transfer.Import, State: transfer.Submitted, Options: options,
		By: "boss", ByID: "9", Created: now, Submitted: now, ProvedAt: now}
	b.job.File = transfer.File{Key: b.job.UploadKey()}
	b.files[b.job.UploadKey()] = file
}

func (b *fakeBackend) run() error { return b.worker().Run(context.Background(), "test", "job") }

// runTo runs the job to its end and fails the test if that is not the wanted state.
func (b *fakeBackend) runTo(t testing.TB, want transfer.State) {
	t.Helper()
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	if b.job.State != want {
		t.Fatalf("the job is %s, want %s; %+v %+v", b.job.State, want, b.job.Problem, b.job.Counts)
	}
	if b.pending || len(b.staged) > 0 || len(b.stagedResources) > 0 || b.job.FinalState != "" || b.job.Ended.IsZero() {
		t.Fatalf("the job ended and left something: %+v, staged %v", b.job, b.staged)
	}
}

func lockedGroup() catalogue.Entry {
	return catalogue.Entry{Kind: catalogue.ResourceGroup, Code: "LOCKED", Description: "Locked"}
}
