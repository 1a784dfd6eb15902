package account_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/journal"
)

// belongings is a Remover with what belongs to everybody; raced fails so many deletions first.
type belongings struct {
	all     []account.Belonging
	made    int64
	raced   int
	fail    error
	deleted []account.Deletion
}

func (b *belongings) Belongings(context.Context, string) (account.Belongings, error) {
	return account.Belongings{All: b.all, KeysMade: b.made}, b.fail
}

func (b *belongings) Delete(_ context.Context, _ environment.Environment, d account.Deletion) error {
	if b.raced > 0 {
		b.raced--
		return account.ErrRaced
	}
	b.deleted = append(b.deleted, d)
	return nil
}

func TestDeleteLeavesATraceInTheEnvironmentsLog(t *testing.T) {
	a := somebody("1", "VIEWER")
	s, _ := service(a)
	r := &belongings{all: []account.Belonging{{Kind: account.AKey, ID: "K"}, {Kind: account.ATicket, ID: "T"}, {Kind: account.AContact, ID: "C"}}, made: 1, raced: 2}
	s.Remover = r
	sc := scope("9", "ADMIN")
	sc.Env.Settings.LogRetentionDays = 90
	if err := s.Delete(context.Background(), sc, "1", 4); err != nil || len(r.deleted) != 1 {
		t.Fatalf("%v %+v", err, r.deleted)
	}
	d := r.deleted[0]
	if d.Before.ID != "1" || d.Before.Version != 4 || d.CallerEpoch != 70 || d.Belongings.KeysMade != 1 || len(d.Belongings.All) != 3 {
		t.Errorf("%+v", d)
	}
	e := d.Event
	if e.Kind != journal.Deleted || e.Subject != "account/u1" || e.By != "u9" || e.ByID != "9" || e.Note != "1" || !e.At.Equal(kept) || e.ID == "" || e.Keep != 90 {
		t.Errorf("event %+v", e)
	}
	if names := changed(e); !slices.Contains(names, "username") || !slices.Contains(names, "email") || !slices.Contains(names, "roles") {
		t.Errorf("the event does not tell who it was: %v", names)
	}
}

// What holds an account is listed, and the way out named.
func TestDeleteRefusesWhatWasUsed(t *testing.T) {
	signedIn, linked, all := somebody("1"), somebody("1"), somebody("1")
	signedIn.LastLogin, linked.Resource = kept, "R7"
	all.LastLogin, all.Resource = kept, "R7"
	many := make([]account.Belonging, account.MaxDeletedKeys+1)
	for i := range many {
		many[i] = account.Belonging{Kind: account.AKey}
	}
	used := account.Belonging{Kind: account.AKey, Used: true}
	for name, c := range map[string]struct {
		a    account.Account
		has  []account.Belonging
		want []string
	}{
		"signed in":         {signedIn, nil, []string{"lastLogin"}},
		"a session is left": {somebody("1"), []account.Belonging{{Kind: account.ASession}}, []string{"sessions"}},
		"a resource":        {linked, nil, []string{"resource"}},
		"a used key":        {somebody("1"), []account.Belonging{used}, []string{"apiKeys"}},
		"too many keys":     {somebody("1"), many, []string{"apiKeys"}},
		"a delegation":      {somebody("1"), []account.Belonging{{Kind: account.ADelegation}}, []string{"delegations"}},
		"something unknown": {somebody("1"), []account.Belonging{{Kind: account.Other}}, []string{"other"}},
		"everything":        {all, []account.Belonging{used, {Kind: account.ASession}, {Kind: account.ADelegation}, {Kind: account.Other}}, []string{"lastLogin", "resource", "apiKeys", "delegations", "other"}},
	} {
		s, _ := service(c.a)
		r := &belongings{all: c.has}
		s.Remover = r
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
	staged := somebody("1")
	staged.Stored.Pending = true
	s, _ := service(staged)
	s.Remover = &belongings{}
	wants(t, "an import is at it", s.Delete(context.Background(), scope("9", "ADMIN"), "1", 0), fault.Conflict, "busy", "")
	s, _ = service(somebody("1"))
	s.Remover = &belongings{raced: 99}
	wants(t, "changed each time", s.Delete(context.Background(), scope("9", "ADMIN"), "1", 0), fault.Conflict, "busy", "")
	s.Remover = &belongings{fail: errors.New("down")}
	if err := s.Delete(context.Background(), scope("9", "ADMIN"), "1", 0); err == nil || fault.As(err) != nil {
		t.Error(err)
	}
	// With a version, a change meanwhile is told of rather than deleted.
	s, m := service(somebody("1"))
	if _, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 4, field.Patch{"name": "New"}); err != nil || len(m.writes) != 1 {
		t.Fatal(err)
	}
	s.Remover = &belongings{}
	wants(t, "stale", s.Delete(context.Background(), scope("9", "ADMIN"), "1", 4), fault.Stale, "changed", "name")
}
