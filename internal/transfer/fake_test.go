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

// chunk is how many rows the office stages at once.
const chunk = 2

// office is the table and the bucket in memory, as the worker's interfaces say. Before each call it runs at, with the
// call's name, whose error is the call's.
type office struct {
	at    func(call string) error
	calls []string

	job      transfer.Job
	accounts map[string]account.Account // by directory key
	staged   map[string]account.Write   // by directory key, unseen
	// resources and hired are those of resources, by folded code.
	resources map[string]resource.Resource
	hired     map[string]resource.Write
	number    int64
	// unfenced is the mutant without a fence.
	unfenced bool
	rows     []transfer.Staged
	doomed   bool
	last     int64
	pending  bool
	files    map[string][]byte
	roles    []string // the actor's
	barred   bool
	busy     map[string]bool
	seats    map[string]int64 // by folded licence
	limits   map[string]int   // by licence
	pageSize int
	// ahead and behind are others in the line of submitted jobs, sent the messages for them.
	ahead, behind []transfer.Job
	lineDown      error
	sent          []string
}

func newOffice(accounts ...account.Account) *office {
	o := &office{accounts: map[string]account.Account{}, staged: map[string]account.Write{}, files: map[string][]byte{}, roles: []string{"ADMIN"}, busy: map[string]bool{}, seats: map[string]int64{},
		resources: map[string]resource.Resource{}, hired: map[string]resource.Write{}}
	for _, a := range accounts {
		o.accounts[a.DirectoryKey()] = a
	}
	return o
}

func (o *office) call(name string) error {
	o.calls = append(o.calls, name)
	if o.at != nil {
		return o.at(name)
	}
	return nil
}

func (o *office) count(name string) (n int) {
	for _, c := range o.calls {
		if c == name {
			n++
		}
	}
	return n
}

func (o *office) worker() *transfer.Worker {
	n := 0
	return &transfer.Worker{
		Jobs: o, Staging: o, Directory: o, Resources: o, Files: o, Rules: account.Rules{E164: phone.E164}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
		Turns: transfer.Turns{Line: o, Queue: o, Now: func() time.Time { return now }},
		NewID: func() string { n++; return fmt.Sprintf("id%d-%d", o.job.Epoch, n) },
	}
}

// Line is who is before the job, if anybody, and the job until it has ended.
func (o *office) Line(context.Context, string) ([]transfer.Job, error) {
	line := slices.Clone(o.ahead)
	if !o.job.State.Ended() {
		line = append(line, o.job)
	}
	return append(line, o.behind...), o.lineDown
}

func (o *office) Send(_ context.Context, group, dedup string, _ []byte) error {
	o.sent = append(o.sent, group+" "+dedup)
	return nil
}

func (o *office) Take(_ context.Context, env, id string) (transfer.Job, error) {
	if err := o.call("take"); err != nil {
		return transfer.Job{}, err
	}
	if id != o.job.ID || env != o.job.Env {
		return transfer.Job{}, fault.New(fault.NotFound, "notFound", "There is no such job.")
	}
	o.job.Epoch++
	return o.job, nil
}

func (o *office) CancelAsked(context.Context, string, string) (bool, error) {
	return o.job.CancelAsked, nil
}

// held is the condition of every write of a job.
func (o *office) held(j transfer.Job) error {
	if !o.unfenced && (j.Epoch != o.job.Epoch || o.job.State.Ended()) {
		return transfer.ErrLost
	}
	return nil
}

func (o *office) store(j transfer.Job) {
	cancel := o.job.CancelAsked
	o.job = j
	o.job.CancelAsked = cancel
}

func (o *office) Save(_ context.Context, j transfer.Job) error {
	if err := errors.Join(o.call("save "+string(j.State)), o.held(j)); err != nil {
		return err
	}
	o.store(j)
	return nil
}

func (o *office) Begin(_ context.Context, j transfer.Job) (transfer.Job, error) {
	if err := errors.Join(o.call("begin"), o.held(j)); err != nil {
		return transfer.Job{}, err
	}
	if o.job.CancelAsked {
		return transfer.Job{}, transfer.ErrCancelled
	}
	o.last++
	o.pending, o.doomed = true, false
	j.State, j.Import, j.Next = transfer.Writing, o.last, 0
	o.store(j)
	return j, nil
}

func (o *office) Stage(_ context.Context, j transfer.Job, rows []transfer.Staged) (int, error) {
	if err := errors.Join(o.call("stage"), o.held(j)); err != nil {
		return 0, err
	}
	if o.job.CancelAsked {
		return 0, transfer.ErrCancelled
	}
	n := min(chunk, len(rows))
	o.rows = append(o.rows, rows[:n]...)
	for _, row := range rows[:n] {
		if row.Staff != nil {
			if o.resources[row.Staff.After.Key()].Version != beforeVersion(row.Staff) {
				return 0, transfer.ErrOvertaken
			}
			o.hired[row.Staff.After.Key()] = *row.Staff
		}
		key := row.Write.After.DirectoryKey()
		if row.Write.After.ID == "" {
			continue
		}
		if before := row.Write.Before; before != nil && o.accounts[key].Version != before.Version {
			return 0, transfer.ErrOvertaken
		}
		if _, taken := o.accounts[key]; taken && row.Write.Before == nil {
			return 0, transfer.ErrOvertaken
		}
	}
	for _, row := range rows[:n] {
		if row.Write.After.ID != "" {
			o.staged[row.Write.After.DirectoryKey()] = row.Write
		}
	}
	o.job.Next = rows[n-1].Next
	return n, nil
}

func (o *office) Commit(_ context.Context, j transfer.Job, actor access.Caller, seats []account.SeatChange) error {
	if err := errors.Join(o.call("commit"), o.held(j)); err != nil {
		return err
	}
	switch {
	case o.job.CancelAsked:
		return transfer.ErrCancelled
	case o.doomed || actor.Epoch != 7 || !o.pending:
		return transfer.ErrOvertaken
	}
	for _, c := range seats {
		if !c.Fits(o.seats[c.Licence]) {
			return transfer.ErrOvertaken
		}
	}
	for _, c := range seats {
		o.seats[c.Licence] += c.By
	}
	for key, w := range o.staged {
		o.accounts[key] = w.After
	}
	for key, w := range o.hired {
		o.resources[key] = w.After
	}
	o.hired = map[string]resource.Write{}
	o.staged, o.pending = map[string]account.Write{}, false
	o.store(j)
	return nil
}

func beforeVersion(w *resource.Write) int64 {
	if w.Before == nil {
		return 0
	}
	return w.Before.Version
}

func (o *office) Resources(_ context.Context, _ environment.Environment, mark int64, codes []string) (map[string]transfer.FoundResource, error) {
	if err := o.call("resources"); err != nil {
		return nil, err
	}
	out := map[string]transfer.FoundResource{}
	for _, code := range codes {
		f := transfer.FoundResource{Busy: o.busy["resource "+code]}
		f.Resource, f.Exists = o.resources[code]
		if w, ok := o.hired[code]; ok && mark != 0 {
			f.Staged, f.Written = true, w.After
		}
		if f.Exists || f.Staged || f.Busy {
			out[code] = f
		}
	}
	return out, nil
}

func (o *office) Reserve(_ context.Context, j transfer.Job, n int) (transfer.Job, error) {
	if err := errors.Join(o.call("reserve"), o.held(j)); err != nil {
		return transfer.Job{}, err
	}
	if o.job.CancelAsked {
		return transfer.Job{}, transfer.ErrCancelled
	}
	j.FirstNumber, j.Numbers = o.number+1, n
	o.number += int64(n)
	o.store(j)
	return j, nil
}

func (o *office) TakeBack(_ context.Context, j transfer.Job, rows []transfer.Trace) error {
	if err := o.call("takeBack"); err != nil {
		return err
	}
	for _, row := range rows {
		delete(o.staged, row.Username)
	}
	o.hired = map[string]resource.Write{}
	return nil
}

func (o *office) Close(_ context.Context, j transfer.Job) error {
	if err := errors.Join(o.call("close"), o.held(j)); err != nil {
		return err
	}
	o.pending = false
	j.Import = 0
	o.store(j)
	return nil
}

func (o *office) Actor(_ context.Context, env, accountID string) (access.Scope, error) {
	if err := o.call("actor"); err != nil {
		return access.Scope{}, err
	}
	if o.barred || accountID != "9" {
		return access.Scope{}, fault.New(fault.Forbidden, "actor", "The account may not sign in any more.")
	}
	settings := environment.Defaults()
	settings.DACEnabled = true
	return access.Scope{Env: environment.Environment{ID: env, Settings: settings}, Catalogue: o.known(), Caller: access.Caller{
		AccountID: "9", Username: "boss", Epoch: 7, Permissions: access.Permissions(known(), o.roles, nil),
	}}, nil
}

func (o *office) Rows(_ context.Context, _ environment.Environment, mark int64, usernames []string) ([]transfer.Found, error) {
	if err := o.call("rows"); err != nil {
		return nil, err
	}
	out := make([]transfer.Found, len(usernames))
	for i, name := range usernames {
		out[i].Account, out[i].Exists = o.accounts[name]
		out[i].Busy = o.busy[name]
		if _, staged := o.staged[name]; staged && mark != 0 {
			out[i].Staged, out[i].New, out[i].Written = true, !out[i].Exists, o.staged[name].After
		}
	}
	return out, nil
}

func (o *office) Seats(context.Context, string) (map[string]int64, error) {
	return maps.Clone(o.seats), o.call("seats")
}

func (o *office) Owners(_ context.Context, _ environment.Environment, identifiers []string) (map[string]string, error) {
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

func (o *office) Page(_ context.Context, _ environment.Environment, after string, limit int) ([]account.Account, string, error) {
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

func (o *office) Get(_ context.Context, f transfer.File) ([]byte, error) {
	if err := o.call("get"); err != nil {
		return nil, err
	}
	body, ok := o.files[f.Key]
	if !ok {
		return nil, fault.New(fault.NotFound, "notFound", "There is no such file.")
	}
	return body, nil
}

func (o *office) Put(_ context.Context, key, _ string, body []byte) error {
	if err := o.call("put"); err != nil {
		return err
	}
	o.files[key] = bytes.Clone(body)
	return nil
}

func known() *catalogue.Catalogue {
	entry := func(kind catalogue.Kind, code string, roles, permissions []string) catalogue.Entry {
		return catalogue.Entry{Kind: kind, Code: code, Description: code + " users", Active: true, Roles: roles, Permissions: permissions}
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
		entry(catalogue.Role, "IMPORTER", nil, []string{"account.import", "account.read"}), entry(catalogue.Role, "SELF", nil, nil),
		locked(), group(), entry(catalogue.ResourceGroup, "OTHER", nil, nil),
		entry(catalogue.Department, "SALES", nil, nil), entry(catalogue.Department, "WORKS", nil, nil), entry(catalogue.CostCentre, "C1", nil, nil),
		entry(catalogue.PaymentMethod, "FP", nil, nil), entry(catalogue.PaymentTerms, "1", nil, nil), entry(catalogue.PaymentTerms, "030", nil, nil),
		entry(catalogue.Group, "STAFF", []string{"SELF"}, nil), entry(catalogue.DACGroup, "DAC1", nil, nil), entry(catalogue.DACGroup, "DAC2", nil, nil),
	})
}

// group is the resource group with defaults.
func group() catalogue.Entry {
	return catalogue.Entry{Kind: catalogue.ResourceGroup, Code: "CREW", Description: "Crew", Active: true, Defaults: catalogue.ResourceDefaults{
		Department: "SALES", CostCentre: "C1", Currency: "EUR", PaymentMethod: "FP", PaymentTerms: "1",
	}}
}

// somebody is an account that is there already.
func somebody(username string) account.Account {
	return account.Account{
		ID: "id of " + username, Version: 4, Epoch: 2, UserType: "FULL", Username: username, Name: "Somebody", Email: username + "@example.com",
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
	err := sheet.Write(&out, sheet.Export{Sheet: "Users", Format: sheet.ISO, Columns: columns, Rows: func(yield func([]sheet.Cell, error) bool) {
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
func (o *office) submit(options transfer.Options, file []byte) {
	if options.DateFormat == 0 {
		options.DateFormat = sheet.ISO
	}
	o.job = transfer.Job{ID: "job", Env: "test", Kind: transfer.Import, State: transfer.Submitted, Options: options, By: "boss", ByID: "9", Created: now}
	o.job.File = transfer.File{Key: o.job.UploadKey()}
	o.files[o.job.UploadKey()] = file
}

func (o *office) run() error { return o.worker().Run(context.Background(), "test", "job") }

// runs runs the job to its end and fails the test if that is another than wanted.
func (o *office) runs(t testing.TB, want transfer.State) {
	t.Helper()
	if err := o.run(); err != nil {
		t.Fatal(err)
	}
	if o.job.State != want {
		t.Fatalf("the job is %s, want %s; %+v %+v", o.job.State, want, o.job.Problem, o.job.Counts)
	}
	if o.pending || len(o.staged) > 0 || len(o.hired) > 0 || o.job.EndAs != "" || o.job.Ended.IsZero() {
		t.Fatalf("the job ended and left something: %+v, staged %v", o.job, o.staged)
	}
}

func locked() catalogue.Entry {
	return catalogue.Entry{Kind: catalogue.ResourceGroup, Code: "LOCKED", Description: "Locked"}
}
