package dynamo_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/apikey"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// C42, V65: what is deleted is gone with everything that led to it; who takes the names gets nothing old, and the trace
// of it stays with the environment.
func TestDeletedIsGoneAndTheNamesAreFree(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "old@names.example.com", field.Patch{"email": "old@example.com", "roles": []string{"ADMIN"}})
	given, err := f.accounts.SetPassword(t.Context(), f.currentScope(t), a.ID, 0,
		account.NewPasswordRequest{Password: secret, ForceChange: true, Unlock: true})
	if err != nil {
		t.Fatal(err)
	}
	step, err := f.signin.Login(t.Context(), "old@example.com", secret, signin.ClientInfo{})
	if err != nil || step.Next != session.ChangePassword {
		t.Fatalf("%+v %v", step, err)
	}
	if err := f.accounts.Delete(t.Context(), f.currentScope(t), a.ID, given.Version); err != nil {
		t.Fatal(err)
	}
	if _, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	if err := f.accounts.Delete(t.Context(), f.currentScope(t), a.ID, 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("the second click: %v", err)
	}
	for _, identifier := range []string{"old@example.com", "old@names.example.com"} {
		if key, err := f.find(t.Context(), identifier); err != nil || key != "" {
			t.Errorf("%s still leads to %q (%v)", identifier, key, err)
		}
		if _, err := f.signin.Login(t.Context(), identifier, secret, signin.ClientInfo{}); !fault.HasCode(err,
			"signInRefused") {
			t.Errorf("%s: %v", identifier, err)
		}
	}
	heir := f.create(t, "old@names.example.com", field.Patch{"email": "old@example.com"})
	if heir.ID == a.ID || len(heir.Roles) > 0 || heir.Version != 1 || !heir.AccessLocked {
		t.Errorf("%+v", heir)
	}
	// The step that was begun belongs to nobody any more.
	if _, err := f.signin.ChangePassword(t.Context(), step.Ticket.Reveal(), "quite another secret",
		signin.ClientInfo{}); !fault.HasCode(err, "ticket") {
		t.Errorf("%v", err)
	}
	if _, err := f.signin.Login(t.Context(), "old@example.com", secret, signin.ClientInfo{}); err == nil {
		t.Error("the heir has the old password")
	}
	events, _, err := dynamo.EnvironmentLog{Table: f.table}.Events(t.Context(), env, "", 10)
	if err != nil || len(events) != 1 {
		t.Fatalf("%+v %v", events, err)
	}
	if e := events[0]; e.Kind != auditlog.Deleted || e.Subject != "account/old@names.example.com" || e.Note != a.ID ||
		e.By != "admin" || e.At.IsZero() {
		t.Errorf("%+v", e)
	}
}

// createKey puts an API key beside an account, as the routes do it.
func (f *fixture) createKey(t *testing.T, a account.Account, made int64, used bool) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	keys := dynamo.APIKeys{Table: f.table}
	k := session.APIKey{AccountID: a.ID, ID: token.NewIDString(), Hash: []byte("h"), Description: "d", Created: now,
		CreatedBy: "admin", Expires: now.Add(time.Hour)}
	err := keys.Create(t.Context(),
		apikey.NewKey{Key: k, CreatedCount: made, CallerEpoch: f.admin.Caller.Epoch, Event: auditlog.Event{
			ID: token.NewIDString(), At: now, Kind: auditlog.KeyCreated, ByID: f.admin.Caller.AccountID,
		}})
	if err != nil {
		t.Fatal(err)
	}
	if !used {
		return
	}
	if err := sessions.NewCredentials(f.table).RecordKeyUse(t.Context(), a.ID, k.ID, now); err != nil {
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
	refused("who signed in", f.accounts.Delete(t.Context(), f.currentScope(t), person.ID, 0), "lastLogin")
	if _, err := f.accounts.Get(t.Context(), f.currentScope(t), person.ID); err != nil {
		t.Errorf("it is gone: %v", err)
	}
	client := f.create(t, "client", field.Patch{"userType": "API", "email": nil})
	f.createKey(t, client, 0, false)
	f.createKey(t, client, 1, true)
	refused("a used key", f.accounts.Delete(t.Context(), f.currentScope(t), client.ID, 0), "apiKeys")
	fresh := f.create(t, "fresh", field.Patch{"userType": "API", "email": nil})
	f.createKey(t, fresh, 0, false)
	if err := f.accounts.Delete(t.Context(), f.currentScope(t), fresh.ID, 0); err != nil {
		t.Fatal(err)
	}
	left, err := f.store.Dependents(t.Context(), fresh.ID)
	if err != nil || len(left.All) != 0 || left.KeysMade != 0 {
		t.Errorf("left over: %+v %v", left, err)
	}
}

// What happens between the read and the deletion makes it fail, whatever it is.
func TestDeleteDependsOnWhatWasRead(t *testing.T) {
	f := newFixture(t)
	read := func(name string, more field.Patch) (account.Account, account.Deletion) {
		a := f.create(t, name, more)
		a, err := f.accounts.SetPassword(t.Context(), f.currentScope(t), a.ID, 0,
			account.NewPasswordRequest{Password: secret, Unlock: true})
		if err != nil {
			t.Fatal(err)
		}
		a, err = f.accounts.Get(t.Context(), f.currentScope(t), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		has, err := f.store.Dependents(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		return a, account.Deletion{Before: a, Dependents: has,
			Event: auditlog.Event{ID: token.NewIDString(), At: time.Now(), Kind: auditlog.Deleted,
				ByID: f.admin.Caller.AccountID}}
	}
	for name, meanwhile := range map[string]func(account.Account, environment.Environment){
		"signed in": func(a account.Account, _ environment.Environment) { f.signInAs(t, a.Username, secret) },
		"changed": func(a account.Account, _ environment.Environment) {
			if _, err := f.accounts.Change(t.Context(), f.currentScope(t), a.ID, 0, field.Patch{"name": "New"}); err != nil {
				t.Fatal(err)
			}
		},
		"renamed": func(a account.Account, _ environment.Environment) {
			if _, err := f.accounts.Change(t.Context(), f.currentScope(t), a.ID, 0,
				field.Patch{"username": a.Username + "x"}); err != nil {
				t.Fatal(err)
			}
		},
		"a key was made": func(a account.Account, _ environment.Environment) { f.createKey(t, a, 0, false) },
		"staged": func(a account.Account, _ environment.Environment) {
			f.staged(t, basicHeadings(), []any{a.Username, "Staged"})
		},
	} {
		a, d := read("d-"+strings.ReplaceAll(name, " ", "-"), nil)
		meanwhile(a, f.currentScope(t).Env)
		if err := f.store.Delete(t.Context(), f.currentScope(t).Env, d); !errors.Is(err, account.ErrConcurrentChange) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID); err != nil {
			t.Errorf("%s: it is gone: %v", name, err)
		}
	}
	a, d := read("sure", nil)
	d.CallerEpoch = f.admin.Caller.Epoch + 1
	if err := f.store.Delete(t.Context(), f.currentScope(t).Env, d); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("by somebody whose access was ended: %v", err)
	}
	d.CallerEpoch--
	if err := f.store.Delete(t.Context(), f.currentScope(t).Env, d); err != nil {
		t.Errorf("%v", err)
	}
	if _, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}

// An account that an import is changing is nobody's to delete until that has ended; one that it has changed is.
func TestDeleteAndImports(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "keep", nil)
	j := f.staged(t, basicHeadings(), []any{"keep", "Staged", nil, "moved@example.com"})
	if err := f.accounts.Delete(t.Context(), f.currentScope(t), a.ID, 0); !fault.HasCode(err, "busy") {
		t.Errorf("%v", err)
	}
	f.finish(t, j, transfer.Done)
	if err := f.accounts.Delete(t.Context(), f.currentScope(t), a.ID, 0); err != nil {
		t.Fatal(err)
	}
	f.create(t, "keep", field.Patch{"email": "moved@example.com"})
	f.create(t, "other", field.Patch{"email": "keep@example.com"})
}

// V09: a password that an administrator gave signs in for a day, the person's own for as long as they like.
func TestTemporaryPasswordsExpire(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "doej", nil)
	_, generated, err := f.accounts.ResetPassword(t.Context(), f.currentScope(t), a.ID, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	at := func(later time.Duration) *signIn {
		s := f.signin.clone()
		s.Credentials = sessions.NewCredentials(f.table)
		s.Now = func() time.Time { return time.Now().Add(later) }
		return s
	}
	if _, err := at(24*time.Hour).Login(t.Context(), "doej", generated, signin.ClientInfo{}); !fault.HasCode(err,
		"signInRefused") {
		t.Errorf("an expired password: %v", err)
	}
	step, err := at(23*time.Hour).Login(t.Context(), "doej", generated, signin.ClientInfo{})
	if err != nil || step.Next != session.ChangePassword {
		t.Fatalf("%+v %v", step, err)
	}
	if _, err := at(23*time.Hour).ChangePassword(t.Context(), step.Ticket.Reveal(), "my very own secret",
		signin.ClientInfo{}); err != nil {
		t.Fatal(err)
	}
	if _, err := at(100*24*time.Hour).Login(t.Context(), "doej", "my very own secret", signin.ClientInfo{}); err != nil {
		t.Errorf("the person's own expired: %v", err)
	}
	// A rename takes the date along, and unticking the forced change gives an old password no new life.
	if _, _, err := f.accounts.ResetPassword(t.Context(), f.currentScope(t), a.ID, 0, true); err != nil {
		t.Fatal(err)
	}
	for _, p := range []field.Patch{{"username": "doe"}, {"forcePasswordChange": false}} {
		if _, err := f.accounts.Change(t.Context(), f.currentScope(t), a.ID, 0, p); err != nil {
			t.Fatal(err)
		}
		if got, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID); err != nil || got.PasswordExpires.IsZero() {
			t.Errorf("%v: %+v %v", p, got, err)
		}
	}
	if got, err := f.accounts.SetPassword(t.Context(), f.currentScope(t), a.ID, 0,
		account.NewPasswordRequest{Password: secret}); err != nil || !got.PasswordExpires.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID); err != nil || !got.PasswordExpires.IsZero() {
		t.Errorf("one that is to be kept expires: %+v %v", got, err)
	}
}
