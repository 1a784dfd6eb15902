package account_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// formatResults puts outcomes into words: id, result, and the problem's code.
func formatResults(outcomes []account.BulkOutcome) string {
	var out []string
	for _, o := range outcomes {
		text := o.ID + " " + string(o.Result)
		if o.Fault != nil {
			text += " " + o.Fault.Code
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func TestEachActionIsTheSingleOne(t *testing.T) {
	locked := testAccount("3")
	locked.Active, locked.AccessLocked, locked.LockedReason = false, true, "Left"
	tried := testAccount("4", "VIEWER")
	tried.FailedTries, tried.TriesBlockedAt, tried.ForcePasswordChange = 5, now, true
	newAccounts := func() []account.Account {
		return []account.Account{testAccount("1", "ADMIN"), testAccount("2", "VIEWER", "EDITOR"), locked, tried}
	}
	for _, c := range []struct {
		b    account.BulkRequest
		want string
	}{
		{account.BulkRequest{Action: account.BulkAllow}, "1 unchanged, 2 unchanged, 3 ok, 4 ok"},
		{account.BulkRequest{Action: account.BulkBlock, Reason: "Left"}, "1 problem self, 2 ok, 3 ok, 4 ok"},
		{account.BulkRequest{Action: account.BulkLock}, "1 problem self, 2 ok, 3 unchanged, 4 ok"},
		{account.BulkRequest{Action: account.BulkUnlock}, "1 unchanged, 2 unchanged, 3 ok, 4 unchanged"},
		{account.BulkRequest{Action: account.BulkResetTries}, "1 unchanged, 2 unchanged, 3 unchanged, 4 ok"},
		{account.BulkRequest{Action: account.BulkForcePasswordChange}, "1 ok, 2 ok, 3 ok, 4 unchanged"},
		{account.BulkRequest{Action: account.BulkAddRoles, Roles: []string{"viewer"}},
			"1 ok, 2 unchanged, 3 ok, 4 unchanged"},
		{account.BulkRequest{Action: account.BulkRemoveRoles, Roles: []string{"viewer", "NONE"}},
			"1 unchanged, 2 ok, 3 unchanged, 4 ok"},
		{account.BulkRequest{Action: account.BulkRemoveRoles, Roles: []string{"ADMIN"}},
			"1 problem self, 2 unchanged, 3 unchanged, 4 unchanged"},
		{account.BulkRequest{Action: account.BulkAddGroups, Groups: []string{"STAFF"}}, "1 ok, 2 ok, 3 ok, 4 ok"},
		{account.BulkRequest{Action: account.BulkRemoveGroups, Groups: []string{"STAFF"}},
			"1 unchanged, 2 unchanged, 3 unchanged, 4 unchanged"},
	} {
		sc := scope("1", "ADMIN")
		if err := c.b.Check(sc); err != nil {
			t.Errorf("%s: %v", c.b.Action, err)
		}
		s, m := newConcurrentService(newAccounts()...)
		s.Seats = fakeSeats{}
		ids := []string{"1", "2", "3", "4", "5"}
		want := c.want + ", 5 problem notFound"
		preview := c.b
		preview.Preview = true
		if got := formatResults(s.RunBulk(context.Background(), sc, preview, ids)); got != want || len(m.writes) != 0 {
			t.Errorf("preview of %s: %s, %d writes; want %s", c.b.Action, got, len(m.writes), want)
		}
		if got := formatResults(s.RunBulk(context.Background(), sc, c.b, ids)); got != want ||
			len(m.writes) != strings.Count(want, " ok") {
			t.Errorf("%s: %s, %d writes; want %s", c.b.Action, got, len(m.writes), want)
		}
		// A second click: nobody is changed again, but for a block, which takes the new reason.
		if got := formatResults(s.RunBulk(context.Background(), sc, c.b, ids)); strings.Contains(got, " ok") &&
			c.b.Action != account.BulkBlock {
			t.Errorf("%s again: %s", c.b.Action, got)
		}
	}
}

// newConcurrentService is a service whose store can be used by several at once.
func newConcurrentService(accounts ...account.Account) (*account.Service, *fakeStore) {
	s, m := newService(accounts...)
	s.NewID = func() string { return "id" }
	s.Store = &lockedStore{Store: m}
	return s, m
}

func TestABulkActionNeedsItsPermissionAndArguments(t *testing.T) {
	needs := map[account.BulkAction]access.Permission{
		account.BulkAllow: access.AccountBlock, account.BulkBlock: access.AccountBlock,
		account.BulkResetTries: access.AccountBlock,
		account.BulkLock:       access.AccountLock, account.BulkUnlock: access.AccountLock,
		account.BulkForcePasswordChange: access.AccountPassword,
		account.BulkAddRoles:            access.AccountUpdate, account.BulkRemoveRoles: access.AccountUpdate,
		account.BulkAddGroups: access.AccountUpdate, account.BulkRemoveGroups: access.AccountUpdate,
	}
	for action, need := range needs {
		for p := range access.All() {
			sc := scope("9")
			sc.Caller.Permissions = access.Set{p: {}}
			err := account.BulkRequest{Action: action}.Check(sc)
			if fault.Is(err, fault.Forbidden) == (p == need) {
				t.Errorf("%s by %s: %v", action, p, err)
			}
		}
	}
	all := scope("9", "ADMIN")
	for name, c := range map[string]struct {
		b    account.BulkRequest
		of   string
		code string
	}{
		"no such action": {account.BulkRequest{Action: "export"}, "action", "choice"},
		"no reason":      {account.BulkRequest{Action: account.BulkBlock}, "arguments.reason", "required"},
		"long reason": {account.BulkRequest{Action: account.BulkBlock, Reason: strings.Repeat("x", 201)},
			"arguments.reason", "tooLong"},
		"a reason to lock": {account.BulkRequest{Action: account.BulkLock, Reason: "x"}, "arguments.reason", "unexpected"},
		"no roles":         {account.BulkRequest{Action: account.BulkAddRoles}, "arguments.roles", "required"},
		"no such role": {account.BulkRequest{Action: account.BulkAddRoles, Roles: []string{"VIEWER", "NONE"}},
			"arguments.roles", "unknownCode"},
		"no such group": {account.BulkRequest{Action: account.BulkAddGroups, Groups: []string{"NONE"}},
			"arguments.groups", "unknownCode"},
		"roles as groups": {
			account.BulkRequest{Action: account.BulkAddGroups, Groups: []string{"STAFF"}, Roles: []string{"VIEWER"}},
			"arguments.roles", "unexpected"},
	} {
		wantFault(t, name, c.b.Check(all), fault.Invalid, c.code, c.of)
	}
}

// What the caller may not do to one account holds off none of the others; a failure of ours is told apart, with its
// cause.
func TestOneProblemHoldsOffNoOther(t *testing.T) {
	s, m := newConcurrentService(testAccount("1", "ADMIN"), testAccount("2", "VIEWER"))
	sc := scope("9", "DESK")
	b := account.BulkRequest{Action: account.BulkBlock, Reason: "x"}
	if got := formatResults(
		s.RunBulk(context.Background(), sc, b, []string{"1", "2"})); got != "1 problem administrator, 2 ok" {
		t.Error(got)
	}
	m.fail = errors.New("the disk is full")
	got := s.RunBulk(context.Background(), sc, b, []string{"2"})
	if formatResults(got) != "2 problem internal" || !errors.Is(got[0].Cause, m.fail) ||
		strings.Contains(got[0].Fault.Detail, "disk") {
		t.Errorf("%+v", got)
	}
}

func TestTheDeadlineEndsABulkActionInTime(t *testing.T) {
	s, m := newConcurrentService(testAccount("1"), testAccount("2"))
	sc, b := scope("9", "ADMIN"), account.BulkRequest{Action: account.BulkLock}
	ctx, cancel := context.WithDeadline(context.Background(), now.Add(5*time.Second))
	defer cancel()
	if got := formatResults(s.RunBulk(ctx, sc, b, []string{"1", "2"})); got != "1 problem later, 2 problem later" ||
		len(m.writes) != 0 {
		t.Errorf("%s, %d writes", got, len(m.writes))
	}
	s.Directory = &fakeDirectory{all: []account.Account{m.accounts["1"], m.accounts["2"]}}
	if _, err := s.RunBulkMatching(ctx, sc, b, account.Query{Limit: 5}, nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}

// All that match are done, part by part, though those that are done match no more.
func TestAllThatMatchAreDoneOnce(t *testing.T) {
	var accounts []account.Account
	for i := range 25 {
		a := testAccount(fmt.Sprintf("%02d", i), "VIEWER")
		a.AccessLocked = i%5 != 0
		accounts = append(accounts, a)
	}
	s, m := newConcurrentService(accounts...)
	s.Directory = &liveDirectory{m}
	f, _ := account.ParseFilter(map[string]string{"accessLocked": "true"})
	q := account.Query{Filter: f, Limit: 6}
	var done []string
	for left := 20; ; {
		part, err := s.RunBulkMatching(context.Background(), scope("9", "ADMIN"),
			account.BulkRequest{Action: account.BulkAllow}, q, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range part.Outcomes {
			if o.Result != account.BulkChanged {
				t.Errorf("%+v", o)
			}
			done = append(done, o.ID)
		}
		if left -= len(part.Outcomes); part.Remaining != left {
			t.Errorf("%d left, want %d", part.Remaining, left)
		}
		if part.Next == nil {
			break
		}
		q.After = *part.Next
	}
	if slices.Sort(done); len(slices.Compact(done)) != 20 || len(m.writes) != 20 {
		t.Errorf("%d done, %d writes", len(done), len(m.writes))
	}
}

// A preview counts seats as the action would: so many as are free are taken, the rest have the problem, and nothing is
// written.
func TestAPreviewCountsSeats(t *testing.T) {
	var accounts []account.Account
	ids := []string{"1", "2", "3", "4", "5"}
	for _, id := range ids {
		a := testAccount(id)
		a.Active = false
		accounts = append(accounts, a)
	}
	s, m := newConcurrentService(accounts...)
	s.Seats = fakeSeats{"full": 7}
	sc := scope("9", "ADMIN")
	full, _ := sc.Catalogue.Find(catalogue.Licence, "FULL")
	full.Seats = 10
	sc.Catalogue = sc.Catalogue.Replace(full)
	seats := map[account.BulkResult]int{}
	for _, o := range s.RunBulk(context.Background(), sc, account.BulkRequest{Action: account.BulkUnlock, Preview: true},
		ids) {
		if seats[o.Result]++; o.Result == account.BulkProblem && o.Fault.Code != "seats" {
			t.Errorf("%+v", o.Fault)
		}
	}
	if seats[account.BulkChanged] != 3 || seats[account.BulkProblem] != 2 || len(m.writes) != 0 {
		t.Errorf("%v, %d writes", seats, len(m.writes))
	}
}

// The parts of a preview over all that match count seats together: what the first would take, the second has not.
func TestThePartsOfAPreviewCountSeatsTogether(t *testing.T) {
	var accounts []account.Account
	for i := range 5 {
		a := testAccount(fmt.Sprint(i))
		a.Active = false
		accounts = append(accounts, a)
	}
	s, m := newConcurrentService(accounts...)
	s.Directory, s.Seats = &liveDirectory{m}, fakeSeats{"full": 7}
	sc := scope("9", "ADMIN")
	full, _ := sc.Catalogue.Find(catalogue.Licence, "FULL")
	full.Seats = 10
	sc.Catalogue = sc.Catalogue.Replace(full)
	f, _ := account.ParseFilter(map[string]string{"active": "false"})
	q := account.Query{Filter: f, Limit: 2}
	seats, taken := map[account.BulkResult]int{}, map[string]int64(nil)
	for {
		part, err := s.RunBulkMatching(context.Background(), sc,
			account.BulkRequest{Action: account.BulkUnlock, Preview: true}, q, taken)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range part.Outcomes {
			seats[o.Result]++
		}
		if part.Next == nil {
			break
		}
		q.After, taken = *part.Next, part.SeatsReserved
	}
	if seats[account.BulkChanged] != 3 || seats[account.BulkProblem] != 2 {
		t.Errorf("%v", seats)
	}
}
