package dynamo_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/apikey"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/journal"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// C42, V65: what is deleted is gone with everything that led to it; who takes the names gets nothing old, and the trace of
// it stays with the environment.
func TestDeletedIsGoneAndTheNamesAreFree(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "old@names.example.com", field.Patch{"email": "old@example.com", "roles": []string{"ADMIN"}})
	given, err := f.accounts.SetPassword(t.Context(), f.fresh(t), a.ID, 0, account.NewPassword{Password: secret, ForceChange: true, Unlock: true})
	if err != nil {
		t.Fatal(err)
	}
	step, err := f.signin.Login(t.Context(), "old@example.com", secret, signin.Device{})
	if err != nil || step.Next != session.ChangePassword {
		t.Fatalf("%+v %v", step, err)
	}
	if err := f.accounts.Delete(t.Context(), f.fresh(t), a.ID, given.Version); err != nil {
		t.Fatal(err)
	}
	if _, err := f.accounts.Get(t.Context(), f.fresh(t), a.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	if err := f.accounts.Delete(t.Context(), f.fresh(t), a.ID, 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("the second click: %v", err)
	}
	for _, identifier := range []string{"old@example.com", "old@names.example.com"} {
		if _, key, err := f.store.Find(t.Context(), env, identifier); err != nil || key != "" {
			t.Errorf("%s still leads to %q (%v)", identifier, key, err)
		}
		if _, err := f.signin.Login(t.Context(), identifier, secret, signin.Device{}); !fault.HasCode(err, "signInRefused") {
			t.Errorf("%s: %v", identifier, err)
		}
	}
	heir := f.create(t, "old@names.example.com", field.Patch{"email": "old@example.com"})
	if heir.ID == a.ID || len(heir.Roles) > 0 || heir.Version != 1 || !heir.AccessLocked {
		t.Errorf("%+v", heir)
	}
	// The step that was begun belongs to nobody any more.
	if _, err := f.signin.ChangePassword(t.Context(), step.Ticket.Reveal(), "quite another secret", signin.Device{}); !fault.HasCode(err, "ticket") {
		t.Errorf("%v", err)
	}
	if _, err := f.signin.Login(t.Context(), "old@example.com", secret, signin.Device{}); err == nil {
		t.Error("the heir has the old password")
	}
	events, _, err := dynamo.EnvironmentLog{Table: f.table}.Events(t.Context(), env, "", 10)
	if err != nil || len(events) != 1 {
		t.Fatalf("%+v %v", events, err)
	}
	if e := events[0]; e.Kind != journal.Deleted || e.Subject != "account/old@names.example.com" || e.Note != a.ID || e.By != "admin" || e.At.IsZero() {
		t.Errorf("%+v", e)
	}
}

// putKey puts an API key beside an account, as the routes do it.
func (f *fixture) putKey(t *testing.T, a account.Account, made int64, used bool) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	keys := dynamo.Keys{Table: f.table}
	k := session.Key{AccountID: a.ID, ID: token.NewIDText(), Hash: []byte("h"), Description: "d", Created: now, CreatedBy: "admin", Expires: now.Add(time.Hour)}
	err := keys.Create(t.Context(), apikey.Creation{Key: k, Made: made, CallerEpoch: f.admin.Caller.Epoch, Event: journal.Event{
		ID: token.NewIDText(), At: now, Kind: journal.KeyCreated, ByID: f.admin.Caller.AccountID,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !used {
		return
	}
	if err := dynamo.NewChecks(f.table).NoteUse(t.Context(), a.ID, k.ID, now); err != nil {
		t.Fatal(err)
	}
}

// What was used is listed and stays; what was not goes along.
func TestDeleteHoldsBackWhatWasUsed(t *testing.T) {
	f := newFixture(t)
	var held []string
	refused := func(name string, err error, want ...string) {
		t.Helper()
		e := fault.As(err)
		if held = nil; e == nil || e.Code != "inUse" {
			t.Errorf("%s: %v", name, err)
			return
		}
		for _, h := range e.Fields {
			held = append(held, h.Field)
		}
		if !slices.Equal(held, want) {
			t.Errorf("%s: held by %v, want %v", name, held, want)
		}
	}
	person := f.member(t, "person")
	f.signInAs(t, "person", secret)
	refused("who signed in", f.accounts.Delete(t.Context(), f.fresh(t), person.ID, 0), "lastLogin")
	if _, err := f.accounts.Get(t.Context(), f.fresh(t), person.ID); err != nil {
		t.Errorf("it is gone: %v", err)
	}
	client := f.create(t, "client", field.Patch{"userType": "API", "email": nil})
	f.putKey(t, client, 0, false)
	f.putKey(t, client, 1, true)
	refused("a used key", f.accounts.Delete(t.Context(), f.fresh(t), client.ID, 0), "apiKeys")
	fresh := f.create(t, "fresh", field.Patch{"userType": "API", "email": nil})
	f.putKey(t, fresh, 0, false)
	if err := f.accounts.Delete(t.Context(), f.fresh(t), fresh.ID, 0); err != nil {
		t.Fatal(err)
	}
	left, err := f.store.Belongings(t.Context(), fresh.ID)
	if err != nil || len(left.All) != 0 || left.KeysMade != 0 {
		t.Errorf("left over: %+v %v", left, err)
	}
}

// What happens between the read and the deletion makes it fail, whatever it is.
func TestDeleteDependsOnWhatWasRead(t *testing.T) {
	f := newFixture(t)
	read := func(name string, more field.Patch) (account.Account, account.Deletion) {
		a := f.create(t, name, more)
		a, err := f.accounts.SetPassword(t.Context(), f.fresh(t), a.ID, 0, account.NewPassword{Password: secret, Unlock: true})
		if err != nil {
			t.Fatal(err)
		}
		a, err = f.accounts.Get(t.Context(), f.fresh(t), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		has, err := f.store.Belongings(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		return a, account.Deletion{Before: a, Belongings: has, Event: journal.Event{ID: token.NewIDText(), At: time.Now(), Kind: journal.Deleted, ByID: f.admin.Caller.AccountID}}
	}
	for name, meanwhile := range map[string]func(account.Account, environment.Environment){
		"signed in": func(a account.Account, _ environment.Environment) { f.signInAs(t, a.Username, secret) },
		"changed": func(a account.Account, _ environment.Environment) {
			if _, err := f.accounts.Change(t.Context(), f.fresh(t), a.ID, 0, field.Patch{"name": "New"}); err != nil {
				t.Fatal(err)
			}
		},
		"renamed": func(a account.Account, _ environment.Environment) {
			if _, err := f.accounts.Change(t.Context(), f.fresh(t), a.ID, 0, field.Patch{"username": a.Username + "x"}); err != nil {
				t.Fatal(err)
			}
		},
		"a key was made": func(a account.Account, _ environment.Environment) { f.putKey(t, a, 0, false) },
		"staged": func(a account.Account, _ environment.Environment) {
			f.staged(t, plainHeads(), []any{a.Username, "Staged"})
		},
	} {
		a, d := read("d-"+strings.ReplaceAll(name, " ", "-"), nil)
		meanwhile(a, f.fresh(t).Env)
		if err := f.store.Delete(t.Context(), f.fresh(t).Env, d); !errors.Is(err, account.ErrRaced) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.accounts.Get(t.Context(), f.fresh(t), a.ID); err != nil {
			t.Errorf("%s: it is gone: %v", name, err)
		}
	}
	a, d := read("sure", nil)
	d.CallerEpoch = f.admin.Caller.Epoch + 1
	if err := f.store.Delete(t.Context(), f.fresh(t).Env, d); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("by somebody whose access was ended: %v", err)
	}
	d.CallerEpoch--
	if err := f.store.Delete(t.Context(), f.fresh(t).Env, d); err != nil {
		t.Errorf("%v", err)
	}
	if _, err := f.accounts.Get(t.Context(), f.fresh(t), a.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}

// An account that an import is changing is nobody's to delete until that has ended; one that it has changed is.
func TestDeleteAndImports(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "keep", nil)
	j := f.staged(t, plainHeads(), []any{"keep", "Staged", nil, "moved@example.com"})
	if err := f.accounts.Delete(t.Context(), f.fresh(t), a.ID, 0); !fault.HasCode(err, "busy") {
		t.Errorf("%v", err)
	}
	f.finish(t, j, transfer.Done)
	if err := f.accounts.Delete(t.Context(), f.fresh(t), a.ID, 0); err != nil {
		t.Fatal(err)
	}
	f.create(t, "keep", field.Patch{"email": "moved@example.com"})
	f.create(t, "other", field.Patch{"email": "keep@example.com"})
}

// V09: a password that an administrator gave signs in for a day, the person's own for as long as they like.
func TestTemporaryPasswordsExpire(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "doej", nil)
	_, generated, err := f.accounts.ResetPassword(t.Context(), f.fresh(t), a.ID, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	at := func(later time.Duration) *signin.Service {
		s := *f.signin
		s.Gate = &signin.Gate{EnvID: env, Checks: dynamo.NewChecks(f.table), Now: func() time.Time { return time.Now().Add(later) }}
		return &s
	}
	if _, err := at(24*time.Hour).Login(t.Context(), "doej", generated, signin.Device{}); !fault.HasCode(err, "signInRefused") {
		t.Errorf("an expired password: %v", err)
	}
	step, err := at(23*time.Hour).Login(t.Context(), "doej", generated, signin.Device{})
	if err != nil || step.Next != session.ChangePassword {
		t.Fatalf("%+v %v", step, err)
	}
	if _, err := at(23*time.Hour).ChangePassword(t.Context(), step.Ticket.Reveal(), "my very own secret", signin.Device{}); err != nil {
		t.Fatal(err)
	}
	if _, err := at(100*24*time.Hour).Login(t.Context(), "doej", "my very own secret", signin.Device{}); err != nil {
		t.Errorf("the person's own expired: %v", err)
	}
	// A rename takes the date along, and unticking the forced change gives an old password no new life.
	if _, _, err := f.accounts.ResetPassword(t.Context(), f.fresh(t), a.ID, 0, true); err != nil {
		t.Fatal(err)
	}
	for _, p := range []field.Patch{{"username": "doe"}, {"forcePasswordChange": false}} {
		if _, err := f.accounts.Change(t.Context(), f.fresh(t), a.ID, 0, p); err != nil {
			t.Fatal(err)
		}
		if got, err := f.accounts.Get(t.Context(), f.fresh(t), a.ID); err != nil || got.PasswordExpires.IsZero() {
			t.Errorf("%v: %+v %v", p, got, err)
		}
	}
	if got, err := f.accounts.SetPassword(t.Context(), f.fresh(t), a.ID, 0, account.NewPassword{Password: secret}); err != nil || !got.PasswordExpires.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := f.accounts.Get(t.Context(), f.fresh(t), a.ID); err != nil || !got.PasswordExpires.IsZero() {
		t.Errorf("one that is to be kept expires: %+v %v", got, err)
	}
}
