package bulk_test

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
	"useraccounts/internal/bulk"
	"useraccounts/internal/directory"
	"useraccounts/internal/fault"
)

// formatResults puts outcomes into words: id, result, and the problem's code.
func formatResults(outcomes []bulk.Outcome) string {
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
		r    bulk.Request
		want string
	}{
		{bulk.Request{Action: bulk.Allow}, "1 unchanged, 2 unchanged, 3 problem locked, 4 ok"},
		{bulk.Request{Action: bulk.Block, Reason: "Left"}, "1 problem self, 2 ok, 3 ok, 4 ok"},
		{bulk.Request{Action: bulk.Lock}, "1 problem self, 2 ok, 3 unchanged, 4 ok"},
		{bulk.Request{Action: bulk.Unlock}, "1 unchanged, 2 unchanged, 3 ok, 4 unchanged"},
		{bulk.Request{Action: bulk.ResetTries}, "1 unchanged, 2 unchanged, 3 unchanged, 4 ok"},
		{bulk.Request{Action: bulk.ForcePasswordChange}, "1 ok, 2 ok, 3 ok, 4 unchanged"},
		{bulk.Request{Action: bulk.AddRoles, Roles: []string{"viewer"}},
			"1 ok, 2 unchanged, 3 ok, 4 unchanged"},
		{bulk.Request{Action: bulk.RemoveRoles, Roles: []string{"viewer", "NONE"}},
			"1 unchanged, 2 ok, 3 unchanged, 4 ok"},
		{bulk.Request{Action: bulk.RemoveRoles, Roles: []string{"ADMIN"}},
			"1 problem self, 2 unchanged, 3 unchanged, 4 unchanged"},
		{bulk.Request{Action: bulk.AddGroups, Groups: []string{"STAFF"}}, "1 ok, 2 ok, 3 ok, 4 ok"},
		{bulk.Request{Action: bulk.RemoveGroups, Groups: []string{"STAFF"}},
			"1 unchanged, 2 unchanged, 3 unchanged, 4 unchanged"},
	} {
		sc := scope("1", "ADMIN")
		if err := c.r.Check(sc); err != nil {
			t.Errorf("%s: %v", c.r.Action, err)
		}
		s, m := newService(newAccounts()...)
		ids := []string{"1", "2", "3", "4", "5"}
		want := c.want + ", 5 problem notFound"
		preview := c.r
		preview.Preview = true
		if got := formatResults(s.Run(context.Background(), sc, preview, ids)); got != want || len(m.writes) != 0 {
			t.Errorf("preview of %s: %s, %d writes; want %s", c.r.Action, got, len(m.writes), want)
		}
		if got := formatResults(s.Run(context.Background(), sc, c.r, ids)); got != want ||
			len(m.writes) != strings.Count(want, " ok") {
			t.Errorf("%s: %s, %d writes; want %s", c.r.Action, got, len(m.writes), want)
		}
		// A second click: nobody is changed again, but for a block, which takes the new reason.
		if got := formatResults(s.Run(context.Background(), sc, c.r, ids)); strings.Contains(got, " ok") &&
			c.r.Action != bulk.Block {
			t.Errorf("%s again: %s", c.r.Action, got)
		}
	}
}

func TestABulkActionNeedsItsPermissionAndArguments(t *testing.T) {
	needs := map[bulk.Action]access.Permission{
		bulk.Allow: access.AccountBlock, bulk.Block: access.AccountBlock,
		bulk.ResetTries: access.AccountBlock,
		bulk.Lock:       access.AccountLock, bulk.Unlock: access.AccountLock,
		bulk.ForcePasswordChange: access.AccountPassword,
		bulk.AddRoles:            access.AccountUpdate, bulk.RemoveRoles: access.AccountUpdate,
		bulk.AddGroups: access.AccountUpdate, bulk.RemoveGroups: access.AccountUpdate,
	}
	for action, need := range needs {
		for p := range access.All() {
			sc := scope("9")
			sc.Caller.Permissions = access.Set{p: {}}
			err := bulk.Request{Action: action}.Check(sc)
			if fault.Is(err, fault.Forbidden) == (p == need) {
				t.Errorf("%s by %s: %v", action, p, err)
			}
		}
	}
	all := scope("9", "ADMIN")
	for name, c := range map[string]struct {
		r    bulk.Request
		of   string
		code string
	}{
		"no such action": {bulk.Request{Action: "export"}, "action", "choice"},
		"no reason":      {bulk.Request{Action: bulk.Block}, "arguments.reason", "required"},
		"long reason": {bulk.Request{Action: bulk.Block, Reason: strings.Repeat("x", 201)},
			"arguments.reason", "tooLong"},
		"a reason to lock": {bulk.Request{Action: bulk.Lock, Reason: "x"}, "arguments.reason", "unexpected"},
		"no roles":         {bulk.Request{Action: bulk.AddRoles}, "arguments.roles", "required"},
		"no such role": {bulk.Request{Action: bulk.AddRoles, Roles: []string{"VIEWER", "NONE"}},
			"arguments.roles", "unknownCode"},
		"no such group": {bulk.Request{Action: bulk.AddGroups, Groups: []string{"NONE"}},
			"arguments.groups", "unknownCode"},
		"roles as groups": {
			bulk.Request{Action: bulk.AddGroups, Groups: []string{"STAFF"}, Roles: []string{"VIEWER"}},
			"arguments.roles", "unexpected"},
	} {
		wantFault(t, name, c.r.Check(all), c.of, c.code)
	}
}

// What the caller may not do to one account does not stop the others; an internal error is told apart, with its cause.
func TestOneProblemHoldsOffNoOther(t *testing.T) {
	s, m := newService(testAccount("1", "ADMIN"), testAccount("2", "VIEWER"))
	sc := scope("9", "DESK")
	b := bulk.Request{Action: bulk.Block, Reason: "x"}
	if got := formatResults(
		s.Run(context.Background(), sc, b, []string{"1", "2"})); got != "1 problem administrator, 2 ok" {
		t.Error(got)
	}
	m.fail = errors.New("the disk is full")
	got := s.Run(context.Background(), sc, b, []string{"2"})
	if formatResults(got) != "2 problem internal" || !errors.Is(got[0].Cause, m.fail) ||
		strings.Contains(got[0].Fault.Detail, "disk") {
		t.Errorf("%+v", got)
	}
}

func TestTheDeadlineEndsABulkActionInTime(t *testing.T) {
	s, m := newService(testAccount("1"), testAccount("2"))
	sc, b := scope("9", "ADMIN"), bulk.Request{Action: bulk.Lock}
	ctx, cancel := context.WithDeadline(context.Background(), now.Add(5*time.Second))
	defer cancel()
	if got := formatResults(s.Run(ctx, sc, b, []string{"1", "2"})); got != "1 problem later, 2 problem later" ||
		len(m.writes) != 0 {
		t.Errorf("%s, %d writes", got, len(m.writes))
	}
	if _, err := s.RunMatching(ctx, sc, b, directory.Query{Limit: 5}, nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}

// All that match are done, page by page, though those that are done match no more.
func TestAllThatMatchAreDoneOnce(t *testing.T) {
	var accounts []account.Account
	for i := range 25 {
		a := testAccount(fmt.Sprintf("%02d", i), "VIEWER")
		a.AccessLocked = i%5 != 0
		accounts = append(accounts, a)
	}
	s, m := newService(accounts...)
	f, _ := directory.ParseFilter(map[string]string{"accessLocked": "true"})
	q := directory.Query{Filter: f, Limit: 6}
	var done []string
	for left := 20; ; {
		part, err := s.RunMatching(context.Background(), scope("9", "ADMIN"), bulk.Request{Action: bulk.Allow}, q, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range part.Outcomes {
			if o.Result != bulk.Changed {
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

// A preview counts seats as the action would: the free ones are taken, the other accounts have the problem, and nothing
// is written.
func TestAPreviewCountsSeats(t *testing.T) {
	ids := []string{"1", "2", "3", "4", "5"}
	accounts, sc := limited(ids...)
	s, m := newService(accounts...)
	m.seats = map[string]int64{"full": 7}
	seats := map[bulk.Result]int{}
	for _, o := range s.Run(context.Background(), sc, bulk.Request{Action: bulk.Unlock, Preview: true}, ids) {
		if seats[o.Result]++; o.Result == bulk.Problem && o.Fault.Code != "seats" {
			t.Errorf("%+v", o.Fault)
		}
	}
	if seats[bulk.Changed] != 3 || seats[bulk.Problem] != 2 || len(m.writes) != 0 {
		t.Errorf("%v, %d writes", seats, len(m.writes))
	}
}

// The pages of a preview over all that match count seats together: what the first would take, the second has not.
func TestThePagesOfAPreviewCountSeatsTogether(t *testing.T) {
	accounts, sc := limited("0", "1", "2", "3", "4")
	s, m := newService(accounts...)
	m.seats = map[string]int64{"full": 7}
	f, _ := directory.ParseFilter(map[string]string{"active": "false"})
	q := directory.Query{Filter: f, Limit: 2}
	seats, taken := map[bulk.Result]int{}, map[string]int64(nil)
	for {
		part, err := s.RunMatching(context.Background(), sc, bulk.Request{Action: bulk.Unlock, Preview: true}, q, taken)
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
	if seats[bulk.Changed] != 3 || seats[bulk.Problem] != 2 {
		t.Errorf("%v", seats)
	}
}
