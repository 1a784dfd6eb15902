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

// chunkSize is how many rows the office stages at once.
const chunkSize = 2

// fakeBackend is the table and the bucket in memory, as the worker's interfaces say. Before each call it runs at, with
// the call's name, whose error is the call's.
type fakeBackend struct {
	onCall func(call string) error
	calls  []string

	job      transfer.Job
	accounts map[string]account.Account // by directory key
	staged   map[string]account.Write   // by directory key, unseen
	// resources and hired are those of resources, by folded code.
	resources       map[string]resource.Resource
	stagedResources map[string]resource.Write
	number          int64
	// unfenced is the mutant without a fence.
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
	// jobsBefore and behind are others in the line of submitted jobs, sent the messages for them.
	jobsBefore, jobsAfter []transfer.Job
	jobQueueErr           error
	messages              []string
}

func newFakeBackend(accounts ...account.Account) *fakeBackend {
	o := &fakeBackend{accounts: map[string]account.Account{}, staged: map[string]account.Write{},
		files: map[string][]byte{}, roles: []string{"ADMIN"}, busy: map[string]bool{}, seats: map[string]int64{},
		resources: map[string]resource.Resource{}, stagedResources: map[string]resource.Write{}}
	for _, a := range accounts {
		o.accounts[a.DirectoryKey()] = a
	}
	return o
}

func (o *fakeBackend) call(name string) error {
	o.calls = append(o.calls, name)
	if o.onCall != nil {
		return o.onCall(name)
	}
	return nil
}

func (o *fakeBackend) count(name string) (n int) {
	for _, c := range o.calls {
		if c == name {
			n++
		}
	}
	return n
}

func (o *fakeBackend) worker() *transfer.Worker {
	n := 0
	return &transfer.Worker{
		Jobs: o, Staging: o, Directory: o, Resources: o, Files: o, Rules: account.Rules{E164: phone.E164},
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
		Scheduler: transfer.Scheduler{Jobs: o, Messages: o, Now: func() time.Time { return now }},
		NewID:     func() string { n++; return fmt.Sprintf("id%d-%d", o.job.Epoch, n) },
	}
}

// UnfinishedJobs is who is before the job, if anybody, and the job until it has ended.
func (o *fakeBackend) UnfinishedJobs(context.Context, string) ([]transfer.Job, error) {
	line := slices.Clone(o.jobsBefore)
	if !o.job.State.Ended() {
		line = append(line, o.job)
	}
	return append(line, o.jobsAfter...), o.jobQueueErr
}

func (o *fakeBackend) Send(_ context.Context, group, dedup string, _ []byte) error {
	o.messages = append(o.messages, group+" "+dedup)
	return nil
}

func (o *fakeBackend) Claim(_ context.Context, env, id string) (transfer.Job, error) {
	if err := o.call("take"); err != nil {
		return transfer.Job{}, err
	}
	if id != o.job.ID || env != o.job.Env {
		return transfer.Job{}, fault.New(fault.NotFound, "notFound", "There is no such job.")
	}
	o.job.Epoch++
	return o.job, nil
}

func (o *fakeBackend) CancelRequested(context.Context, string, string) (bool, error) {
	return o.job.CancelRequested, nil
}

// checkEpoch is the condition of every write of a job.
func (o *fakeBackend) checkEpoch(j transfer.Job) error {
	if !o.unfenced && (j.Epoch != o.job.Epoch || o.job.State.Ended()) {
		return transfer.ErrSuperseded
	}
	return nil
}

func (o *fakeBackend) store(j transfer.Job) {
	cancel := o.job.CancelRequested
	o.job = j
	o.job.CancelRequested = cancel
}

func (o *fakeBackend) Save(_ context.Context, j transfer.Job) error {
	if err := errors.Join(o.call("save "+string(j.State)), o.checkEpoch(j)); err != nil {
		return err
	}
	o.store(j)
	return nil
}

func (o *fakeBackend) Begin(_ context.Context, j transfer.Job) (transfer.Job, error) {
	if err := errors.Join(o.call("begin"), o.checkEpoch(j)); err != nil {
		return transfer.Job{}, err
	}
	if o.job.CancelRequested {
		return transfer.Job{}, transfer.ErrCancelled
	}
	o.lastImportID++
	o.pending, o.aborted = true, false
	j.State, j.ImportID, j.NextRow = transfer.Writing, o.lastImportID, 0
	o.store(j)
	return j, nil
}

func (o *fakeBackend) Stage(_ context.Context, j transfer.Job, rows []transfer.StagedRow) (int, error) {
	if err := errors.Join(o.call("stage"), o.checkEpoch(j)); err != nil {
		return 0, err
	}
	if o.job.CancelRequested {
		return 0, transfer.ErrCancelled
	}
	n := min(chunkSize, len(rows))
	o.stagedRows = append(o.stagedRows, rows[:n]...)
	for _, row := range rows[:n] {
		if row.Resource != nil {
			if o.resources[row.Resource.After.Key()].Version != previousVersion(row.Resource) {
				return 0, transfer.ErrStale
			}
			o.stagedResources[row.Resource.After.Key()] = *row.Resource
		}
		key := row.Account.After.DirectoryKey()
		if row.Account.After.ID == "" {
			continue
		}
		if before := row.Account.Before; before != nil && o.accounts[key].Version != before.Version {
			return 0, transfer.ErrStale
		}
		if _, taken := o.accounts[key]; taken && row.Account.Before == nil {
			return 0, transfer.ErrStale
		}
	}
	for _, row := range rows[:n] {
		if row.Account.After.ID != "" {
			o.staged[row.Account.After.DirectoryKey()] = row.Account
		}
	}
	o.job.NextRow = rows[n-1].NextRow
	return n, nil
}

func (o *fakeBackend) Commit(_ context.Context, j transfer.Job, actor access.Caller, seats []account.SeatChange) error {
	if err := errors.Join(o.call("commit"), o.checkEpoch(j)); err != nil {
		return err
	}
	switch {
	case o.job.CancelRequested:
		return transfer.ErrCancelled
	case o.aborted || actor.Epoch != 7 || !o.pending:
		return transfer.ErrStale
	}
	for _, c := range seats {
		if !c.Fits(o.seats[c.Licence]) {
			return transfer.ErrStale
		}
	}
	for _, c := range seats {
		o.seats[c.Licence] += c.Delta
	}
	for key, w := range o.staged {
		o.accounts[key] = w.After
	}
	for key, w := range o.stagedResources {
		o.resources[key] = w.After
	}
	o.stagedResources = map[string]resource.Write{}
	o.staged, o.pending = map[string]account.Write{}, false
	o.store(j)
	return nil
}

func previousVersion(w *resource.Write) int64 {
	if w.Before == nil {
		return 0
	}
	return w.Before.Version
}

func (o *fakeBackend) ResourcesByCode(_ context.Context, _ environment.Environment, mark int64,
	codes []string) (map[string]transfer.ResourceState, error) {
	if err := o.call("resources"); err != nil {
		return nil, err
	}
	out := map[string]transfer.ResourceState{}
	for _, code := range codes {
		f := transfer.ResourceState{Busy: o.busy["resource "+code]}
		f.Resource, f.Exists = o.resources[code]
		if w, ok := o.stagedResources[code]; ok && mark != 0 {
			f.Staged, f.StagedResource = true, w.After
		}
		if f.Exists || f.Staged || f.Busy {
			out[code] = f
		}
	}
	return out, nil
}

func (o *fakeBackend) ReserveNumbers(_ context.Context, j transfer.Job, n int) (transfer.Job, error) {
	if err := errors.Join(o.call("reserve"), o.checkEpoch(j)); err != nil {
		return transfer.Job{}, err
	}
	if o.job.CancelRequested {
		return transfer.Job{}, transfer.ErrCancelled
	}
	j.FirstNumber, j.NumberCount = o.number+1, n
	o.number += int64(n)
	o.store(j)
	return j, nil
}

func (o *fakeBackend) Rollback(_ context.Context, j transfer.Job, rows []transfer.RowRef) error {
	if err := o.call("takeBack"); err != nil {
		return err
	}
	for _, row := range rows {
		delete(o.staged, row.Username)
	}
	o.stagedResources = map[string]resource.Write{}
	return nil
}

func (o *fakeBackend) FinishRollback(_ context.Context, j transfer.Job) error {
	if err := errors.Join(o.call("close"), o.checkEpoch(j)); err != nil {
		return err
	}
	o.pending = false
	j.ImportID = 0
	o.store(j)
	return nil
}

func (o *fakeBackend) Actor(_ context.Context, env, accountID string) (access.Scope, error) {
	if err := o.call("actor"); err != nil {
		return access.Scope{}, err
	}
	if o.actorForbidden || accountID != "9" {
		return access.Scope{}, fault.New(fault.Forbidden, "actor", "The account may not sign in any more.")
	}
	settings := environment.Defaults()
	settings.DACEnabled = true
	return access.Scope{Env: environment.Environment{ID: env, Settings: settings}, Catalogue: o.catalogue(),
		Caller: access.Caller{
			AccountID: "9", Username: "boss", Epoch: 7, Permissions: access.Permissions(referenceData(), o.roles, nil),
		}}, nil
}

func (o *fakeBackend) AccountsByUsername(_ context.Context, _ environment.Environment, mark int64,
	usernames []string) ([]transfer.AccountState, error) {
	if err := o.call("rows"); err != nil {
		return nil, err
	}
	out := make([]transfer.AccountState, len(usernames))
	for i, name := range usernames {
		out[i].Account, out[i].Exists = o.accounts[name]
		out[i].Busy = o.busy[name]
		if _, staged := o.staged[name]; staged && mark != 0 {
			out[i].Staged, out[i].Created, out[i].StagedAccount = true, !out[i].Exists, o.staged[name].After
		}
	}
	return out, nil
}

func (o *fakeBackend) Seats(context.Context, string) (map[string]int64, error) {
	return maps.Clone(o.seats), o.call("seats")
}

func (o *fakeBackend) Owners(_ context.Context, _ environment.Environment, identifiers []string) (map[string]string,
	error) {
	if err := o.call("owners"); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, a := range o.accounts {
		for _, key := range a.LoginKeys() {
			if slices.Contains(identifiers, key) {
				out[key] = a.ID
			}
		}
	}
	return out, nil
}

func (o *fakeBackend) Page(_ context.Context, _ environment.Environment, after string, limit int) ([]account.Account,
	string, error) {
	if err := o.call("page"); err != nil {
		return nil, "", err
	}
	if o.pageSize > 0 {
		limit = min(limit, o.pageSize)
	}
	keys := make([]string, 0, len(o.accounts))
	for key := range o.accounts {
		if key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	more := len(keys) > limit
	var out []account.Account
	for _, key := range keys[:min(limit, len(keys))] {
		out = append(out, o.accounts[key])
	}
	if !more {
		return out, "", nil
	}
	return out, keys[limit-1], nil
}

func (o *fakeBackend) Get(_ context.Context, f transfer.File) ([]byte, error) {
	if err := o.call("get"); err != nil {
		return nil, err
	}
	body, ok := o.files[f.Key]
	if !ok {
		return nil, fault.New(fault.NotFound, "notFound", "There is no such file.")
	}
	return body, nil
}

func (o *fakeBackend) Put(_ context.Context, key, _ string, body []byte) error {
	if err := o.call("put"); err != nil {
		return err
	}
	o.files[key] = bytes.Clone(body)
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

// groupWithDefaults is the resource group with defaults.
func groupWithDefaults() catalogue.Entry {
	return catalogue.Entry{Kind: catalogue.ResourceGroup, Code: "CREW", Description: "Crew", Active: true,
		Defaults: catalogue.ResourceDefaults{
			Department: "SALES", CostCentre: "C1", Currency: "EUR", PaymentMethod: "FP", PaymentTerms: "1",
		}}
}

// existingAccount is an account that is there already.
func existingAccount(username string) account.Account {
	return account.Account{
		ID: "id of " + username, Version: 4, Epoch: 2, UserType: "FULL", Username: username, Name: "Somebody",
		Email:    username + "@example.com",
		DateFrom: "2026-01-01", Active: true, Roles: []string{"VIEWER"}, Mobile: "0123",
	}
}

// book makes a workbook of a header and rows. Cells are string, bool, time.Time, sheet.Cell or nil.
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

// submit puts a file before the office as a submitted import.
func (o *fakeBackend) submit(options transfer.Options, file []byte) {
	if options.DateFormat == 0 {
		options.DateFormat = sheet.ISO
	}
	o.job = transfer.Job{ID: "job", Env: "test", Kind: transfer.Import, State: transfer.Submitted, Options: options,
		By: "boss", ByID: "9", Created: now}
	o.job.File = transfer.File{Key: o.job.UploadKey()}
	o.files[o.job.UploadKey()] = file
}

func (o *fakeBackend) run() error { return o.worker().Run(context.Background(), "test", "job") }

// runTo runs the job to its end and fails the test if that is another than wanted.
func (o *fakeBackend) runTo(t testing.TB, want transfer.State) {
	t.Helper()
	if err := o.run(); err != nil {
		t.Fatal(err)
	}
	if o.job.State != want {
		t.Fatalf("the job is %s, want %s; %+v %+v", o.job.State, want, o.job.Problem, o.job.Counts)
	}
	if o.pending || len(o.staged) > 0 || len(o.stagedResources) > 0 || o.job.FinalState != "" || o.job.Ended.IsZero() {
		t.Fatalf("the job ended and left something: %+v, staged %v", o.job, o.staged)
	}
}

func lockedGroup() catalogue.Entry {
	return catalogue.Entry{Kind: catalogue.ResourceGroup, Code: "LOCKED", Description: "Locked"}
}
