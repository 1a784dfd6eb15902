package account_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// fakeDeleter is a Deleter with the dependents of every account. The first conflicts deletions fail.
type fakeDeleter struct {
	all       []account.Dependent
	made      int64
	conflicts int
	fail      error
	deleted   []account.Deletion
}

func (b *fakeDeleter) Dependents(context.Context, string) (account.Dependents, error) {
	return account.Dependents{All: b.all, KeysMade: b.made}, b.fail
}

func (b *fakeDeleter) Delete(_ context.Context, _ environment.Environment, d account.Deletion) error {
	if b.conflicts > 0 {
		b.conflicts--
		return account.ErrConcurrentChange
	}
	b.deleted = append(b.deleted, d)
	return nil
}

func TestDeleteLeavesATraceInTheEnvironmentsLog(t *testing.T) {
	a := testAccount("1", "VIEWER")
	s, _ := newService(a)
	r := &fakeDeleter{
		all: []account.Dependent{{Kind: account.DependentAPIKey, ID: "K"}, {Kind: account.DependentTicket, ID: "T"},
			{Kind: account.DependentContact, ID: "C"}}, made: 1, conflicts: 2}
	s.Deleter = r
	sc := scope("9", "ADMIN")
	sc.Env.Settings.LogRetentionDays = 90
	if err := s.Delete(context.Background(), sc, "1", 4); err != nil || len(r.deleted) != 1 {
		t.Fatalf("%v %+v", err, r.deleted)
	}
	d := r.deleted[0]
	if d.Before.ID != "1" || d.Before.Version != 4 || d.CallerEpoch != 70 || d.Dependents.KeysMade != 1 ||
		len(d.Dependents.All) != 3 {
		t.Errorf("%+v", d)
	}
	e := d.Event
	if e.Kind != auditlog.Deleted || e.Subject != "account/u1" || e.By != "u9" || e.ByID != "9" || e.Note != "1" ||
		!e.At.Equal(nowStored) || e.ID == "" || e.RetentionDays != 90 {
		t.Errorf("event %+v", e)
	}
	if names := changedFields(e); !slices.Contains(names, "username") || !slices.Contains(names, "email") ||
		!slices.Contains(names, "roles") {
		t.Errorf("the event does not tell who it was: %v", names)
	}
}

// Everything that blocks a deletion is listed.
func TestDeleteRefusesWhatWasUsed(t *testing.T) {
	signedIn, linked, all := testAccount("1"), testAccount("1"), testAccount("1")
	signedIn.LastLogin, linked.Resource = nowStored, "R7"
	all.LastLogin, all.Resource = nowStored, "R7"
	many := make([]account.Dependent, account.MaxDeletedKeys+1)
	for i := range many {
		many[i] = account.Dependent{Kind: account.DependentAPIKey}
	}
	used := account.Dependent{Kind: account.DependentAPIKey, Used: true}
	for name, c := range map[string]struct {
		a    account.Account
		has  []account.Dependent
		want []string
	}{
		"signed in":         {signedIn, nil, []string{"lastLogin"}},
		"a session is left": {testAccount("1"), []account.Dependent{{Kind: account.DependentSession}}, []string{"sessions"}},
		"a resource":        {linked, nil, []string{"resource"}},
		"a used key":        {testAccount("1"), []account.Dependent{used}, []string{"apiKeys"}},
		"too many keys":     {testAccount("1"), many, []string{"apiKeys"}},
		"a delegation": {testAccount("1"), []account.Dependent{{Kind: account.DependentDelegation}},
			[]string{"delegations"}},
		"something unknown": {testAccount("1"), []account.Dependent{{Kind: account.DependentOther}}, []string{"other"}},
		"everything": {all,
			[]account.Dependent{used, {Kind: account.DependentSession}, {Kind: account.DependentDelegation},
				{Kind: account.DependentOther}}, []string{"lastLogin", "resource", "apiKeys", "delegations", "other"}},
	} {
		s, _ := newService(c.a)
		r := &fakeDeleter{all: c.has}
		s.Deleter = r
		err := s.Delete(context.Background(), scope("9", "ADMIN"), "1", 0)
		f := fault.As(err)
		if f == nil || f.Kind != fault.Conflict || f.Code != "inUse" || len(r.deleted) > 0 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, held := range f.Fields {
			got = append(got, held.Field)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: held by %v, want %v (%s)", name, got, c.want, f.Detail)
		}
	}
}

func TestDeleteAgainstOthers(t *testing.T) {
	staged := testAccount("1")
	staged.Stored.Pending = true
	s, _ := newService(staged)
	s.Deleter = &fakeDeleter{}
	wantFault(t, "an import is at it", s.Delete(context.Background(), scope("9", "ADMIN"), "1", 0), fault.Conflict,
		"busy", "")
	s, _ = newService(testAccount("1"))
	s.Deleter = &fakeDeleter{conflicts: 99}
	wantFault(t, "changed each time", s.Delete(context.Background(), scope("9", "ADMIN"), "1", 0), fault.Conflict, "busy",
		"")
	s.Deleter = &fakeDeleter{fail: errors.New("down")}
	if err := s.Delete(context.Background(), scope("9", "ADMIN"), "1", 0); err == nil || fault.As(err) != nil {
		t.Error(err)
	}
	// With a version, a concurrent change is reported and nothing is deleted.
	s, m := newService(testAccount("1"))
	if _, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 4, field.Patch{"name": "New"}); err != nil ||
		len(m.writes) != 1 {
		t.Fatal(err)
	}
	s.Deleter = &fakeDeleter{}
	wantFault(t, "stale", s.Delete(context.Background(), scope("9", "ADMIN"), "1", 4), fault.Stale, "changed", "name")
}
