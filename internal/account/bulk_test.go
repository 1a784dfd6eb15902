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

// results puts outcomes into words: id, result, and the problem's code.
func results(outcomes []account.Outcome) string {
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
	locked := somebody("3")
	locked.Active, locked.AccessLocked, locked.LockedReason = false, true, "Left"
	tried := somebody("4", "VIEWER")
	tried.FailedTries, tried.TriesBlockedAt, tried.ForcePasswordChange = 5, now, true
	crowd := func() []account.Account {
		return []account.Account{somebody("1", "ADMIN"), somebody("2", "VIEWER", "EDITOR"), locked, tried}
	}
	for _, c := range []struct {
		b    account.Bulk
		want string
	}{
		{account.Bulk{Action: account.BulkAllow}, "1 unchanged, 2 unchanged, 3 ok, 4 ok"},
		{account.Bulk{Action: account.BulkBlock, Reason: "Left"}, "1 problem self, 2 ok, 3 ok, 4 ok"},
		{account.Bulk{Action: account.BulkLock}, "1 problem self, 2 ok, 3 unchanged, 4 ok"},
		{account.Bulk{Action: account.BulkUnlock}, "1 unchanged, 2 unchanged, 3 ok, 4 unchanged"},
		{account.Bulk{Action: account.BulkResetTries}, "1 unchanged, 2 unchanged, 3 unchanged, 4 ok"},
		{account.Bulk{Action: account.BulkForcePasswordChange}, "1 ok, 2 ok, 3 ok, 4 unchanged"},
		{account.Bulk{Action: account.BulkAddRoles, Roles: []string{"viewer"}}, "1 ok, 2 unchanged, 3 ok, 4 unchanged"},
		{account.Bulk{Action: account.BulkRemoveRoles, Roles: []string{"viewer", "NONE"}}, "1 unchanged, 2 ok, 3 unchanged, 4 ok"},
		{account.Bulk{Action: account.BulkRemoveRoles, Roles: []string{"ADMIN"}}, "1 problem self, 2 unchanged, 3 unchanged, 4 unchanged"},
		{account.Bulk{Action: account.BulkAddGroups, Groups: []string{"STAFF"}}, "1 ok, 2 ok, 3 ok, 4 ok"},
		{account.Bulk{Action: account.BulkRemoveGroups, Groups: []string{"STAFF"}}, "1 unchanged, 2 unchanged, 3 unchanged, 4 unchanged"},
	} {
		sc := scope("1", "ADMIN")
		if err := c.b.Check(sc); err != nil {
			t.Errorf("%s: %v", c.b.Action, err)
		}
		s, m := counted(crowd()...)
		s.Seats = seatCounts{}
		ids := []string{"1", "2", "3", "4", "5"}
		want := c.want + ", 5 problem notFound"
		preview := c.b
		preview.Preview = true
		if got := results(s.Each(context.Background(), sc, preview, ids)); got != want || len(m.writes) != 0 {
			t.Errorf("preview of %s: %s, %d writes; want %s", c.b.Action, got, len(m.writes), want)
		}
		if got := results(s.Each(context.Background(), sc, c.b, ids)); got != want || len(m.writes) != strings.Count(want, " ok") {
			t.Errorf("%s: %s, %d writes; want %s", c.b.Action, got, len(m.writes), want)
		}
		// A second click: nobody is changed again, but for a block, which takes the new reason.
		if got := results(s.Each(context.Background(), sc, c.b, ids)); strings.Contains(got, " ok") && c.b.Action != account.BulkBlock {
			t.Errorf("%s again: %s", c.b.Action, got)
		}
	}
}

// counted is a service whose store can be used by several at once.
func counted(accounts ...account.Account) (*account.Service, *memory) {
	s, m := service(accounts...)
	s.NewID = func() string { return "id" }
	s.Store = &locked{Store: m}
	return s, m
}

func TestABulkActionNeedsItsPermissionAndArguments(t *testing.T) {
	needs := map[account.Action]access.Permission{
		account.BulkAllow: access.AccountBlock, account.BulkBlock: access.AccountBlock, account.BulkResetTries: access.AccountBlock,
		account.BulkLock: access.AccountLock, account.BulkUnlock: access.AccountLock, account.BulkForcePasswordChange: access.AccountPassword,
		account.BulkAddRoles: access.AccountUpdate, account.BulkRemoveRoles: access.AccountUpdate,
		account.BulkAddGroups: access.AccountUpdate, account.BulkRemoveGroups: access.AccountUpdate,
	}
	for action, need := range needs {
		for p := range access.All() {
			sc := scope("9")
			sc.Caller.Permissions = access.Set{p: {}}
			err := account.Bulk{Action: action}.Check(sc)
			if fault.Is(err, fault.Forbidden) == (p == need) {
				t.Errorf("%s by %s: %v", action, p, err)
			}
		}
	}
	all := scope("9", "ADMIN")
	for name, c := range map[string]struct {
		b    account.Bulk
		of   string
		code string
	}{
		"no such action":   {account.Bulk{Action: "export"}, "action", "choice"},
		"no reason":        {account.Bulk{Action: account.BulkBlock}, "arguments.reason", "required"},
		"long reason":      {account.Bulk{Action: account.BulkBlock, Reason: strings.Repeat("x", 201)}, "arguments.reason", "tooLong"},
		"a reason to lock": {account.Bulk{Action: account.BulkLock, Reason: "x"}, "arguments.reason", "unexpected"},
		"no roles":         {account.Bulk{Action: account.BulkAddRoles}, "arguments.roles", "required"},
		"no such role":     {account.Bulk{Action: account.BulkAddRoles, Roles: []string{"VIEWER", "NONE"}}, "arguments.roles", "unknownCode"},
		"no such group":    {account.Bulk{Action: account.BulkAddGroups, Groups: []string{"NONE"}}, "arguments.groups", "unknownCode"},
		"roles as groups":  {account.Bulk{Action: account.BulkAddGroups, Groups: []string{"STAFF"}, Roles: []string{"VIEWER"}}, "arguments.roles", "unexpected"},
	} {
		wants(t, name, c.b.Check(all), fault.Invalid, c.code, c.of)
	}
}

// What the caller may not do to one account holds off none of the others; a failure of ours is told apart, with its cause.
func TestOneProblemHoldsOffNoOther(t *testing.T) {
	s, m := counted(somebody("1", "ADMIN"), somebody("2", "VIEWER"))
	sc := scope("9", "DESK")
	b := account.Bulk{Action: account.BulkBlock, Reason: "x"}
	if got := results(s.Each(context.Background(), sc, b, []string{"1", "2"})); got != "1 problem administrator, 2 ok" {
		t.Error(got)
	}
	m.fail = errors.New("the disk is full")
	got := s.Each(context.Background(), sc, b, []string{"2"})
	if results(got) != "2 problem internal" || !errors.Is(got[0].Trouble, m.fail) || strings.Contains(got[0].Fault.Detail, "disk") {
		t.Errorf("%+v", got)
	}
}

func TestTheDeadlineEndsABulkActionInTime(t *testing.T) {
	s, m := counted(somebody("1"), somebody("2"))
	sc, b := scope("9", "ADMIN"), account.Bulk{Action: account.BulkLock}
	ctx, cancel := context.WithDeadline(context.Background(), now.Add(5*time.Second))
	defer cancel()
	if got := results(s.Each(ctx, sc, b, []string{"1", "2"})); got != "1 problem later, 2 problem later" || len(m.writes) != 0 {
		t.Errorf("%s, %d writes", got, len(m.writes))
	}
	s.Directory = &directory{all: []account.Account{m.accounts["1"], m.accounts["2"]}}
	if _, err := s.EachMatching(ctx, sc, b, account.Search{Limit: 5}, nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}

// All that match are done, part by part, though those that are done match no more.
func TestAllThatMatchAreDoneOnce(t *testing.T) {
	var crowd []account.Account
	for i := range 25 {
		a := somebody(fmt.Sprintf("%02d", i), "VIEWER")
		a.AccessLocked = i%5 != 0
		crowd = append(crowd, a)
	}
	s, m := counted(crowd...)
	s.Directory = &living{m}
	f, _ := account.ReadFilter(map[string]string{"accessLocked": "true"})
	q := account.Search{Filter: f, Limit: 6}
	var done []string
	for left := 20; ; {
		part, err := s.EachMatching(context.Background(), scope("9", "ADMIN"), account.Bulk{Action: account.BulkAllow}, q, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range part.Outcomes {
			if o.Result != account.Done {
				t.Errorf("%+v", o)
			}
			done = append(done, o.ID)
		}
		if left -= len(part.Outcomes); part.Left != left {
			t.Errorf("%d left, want %d", part.Left, left)
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

// A preview counts seats as the action would: so many as are free are taken, the rest have the problem, and nothing is written.
func TestAPreviewCountsSeats(t *testing.T) {
	var crowd []account.Account
	ids := []string{"1", "2", "3", "4", "5"}
	for _, id := range ids {
		a := somebody(id)
		a.Active = false
		crowd = append(crowd, a)
	}
	s, m := counted(crowd...)
	s.Seats = seatCounts{"full": 7}
	sc := scope("9", "ADMIN")
	full, _ := sc.Catalogue.Find(catalogue.Licence, "FULL")
	full.Seats = 10
	sc.Catalogue = sc.Catalogue.Replace(full)
	seats := map[account.Result]int{}
	for _, o := range s.Each(context.Background(), sc, account.Bulk{Action: account.BulkUnlock, Preview: true}, ids) {
		if seats[o.Result]++; o.Result == account.Problem && o.Fault.Code != "seats" {
			t.Errorf("%+v", o.Fault)
		}
	}
	if seats[account.Done] != 3 || seats[account.Problem] != 2 || len(m.writes) != 0 {
		t.Errorf("%v, %d writes", seats, len(m.writes))
	}
}

// The parts of a preview over all that match count seats together: what the first would take, the second has not.
func TestThePartsOfAPreviewCountSeatsTogether(t *testing.T) {
	var crowd []account.Account
	for i := range 5 {
		a := somebody(fmt.Sprint(i))
		a.Active = false
		crowd = append(crowd, a)
	}
	s, m := counted(crowd...)
	s.Directory, s.Seats = &living{m}, seatCounts{"full": 7}
	sc := scope("9", "ADMIN")
	full, _ := sc.Catalogue.Find(catalogue.Licence, "FULL")
	full.Seats = 10
	sc.Catalogue = sc.Catalogue.Replace(full)
	f, _ := account.ReadFilter(map[string]string{"active": "false"})
	q := account.Search{Filter: f, Limit: 2}
	seats, taken := map[account.Result]int{}, map[string]int64(nil)
	for {
		part, err := s.EachMatching(context.Background(), sc, account.Bulk{Action: account.BulkUnlock, Preview: true}, q, taken)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range part.Outcomes {
			seats[o.Result]++
		}
		if part.Next == nil {
			break
		}
		q.After, taken = *part.Next, part.Taken
	}
	if seats[account.Done] != 3 || seats[account.Problem] != 2 {
		t.Errorf("%v", seats)
	}
}
