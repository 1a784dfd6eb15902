package signin_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/password"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// fakeOwnPasswords is what the fake store does about people's own passwords.
type fakeOwnPasswords struct {
	*fakeStore
	former   []string
	rehashed []string
	cleared  int
	writes   []account.Write
}

func (o *fakeOwnPasswords) services() *services {
	s := o.fakeStore.services()
	s.PasswordService.Passwords.History, s.PasswordService.Strength, s.PasswordService.Rehasher = o, o, o
	s.SelfService.Passwords.History, s.SelfService.Tries, s.SelfService.Replacer = o, o, o
	s.ProviderService.Directory, s.PasskeyService.Directory = o, o
	return s
}

func (o *fakeOwnPasswords) Account(_ context.Context, env environment.Environment, id string) (account.Account, error) {
	_, a, ok := o.byID(id)
	if !ok || env.ID != envID {
		return account.Account{}, fault.New(fault.NotFound, "notFound", "There is no such account.")
	}
	return a, o.fail["Account"]
}

func (o *fakeOwnPasswords) ReplacePassword(_ context.Context, _ environment.Environment, w account.Write, old,
	opened session.Session,
) error {
	if o.beforeWrite != nil {
		o.beforeWrite()
	}
	key, is, _ := o.byID(w.Before.ID)
	if is.Version != w.Before.Version || !is.TriesBlockedAt.IsZero() || !o.sessions[old.ID].Closed.IsZero() {
		return account.ErrConcurrentChange
	}
	if err := o.fail["ReplacePassword"]; err != nil {
		return err
	}
	o.writes = append(o.writes, w)
	o.accounts[key] = w.After
	closed := o.sessions[old.ID]
	closed.Closed, closed.Reason = opened.Start, session.ClosedByOwner
	o.sessions[old.ID], o.sessions[opened.ID] = closed, opened
	return nil
}

func (o *fakeOwnPasswords) ClearTries(_ context.Context, _ environment.Environment, a account.Account,
	_ time.Time,
) error {
	o.cleared++
	o.change(a.DirectoryKey(), func(a *account.Account) { a.FailedTries, a.TriesBlockedAt = 0, time.Time{} })
	return o.fail["ClearTries"]
}

func (o *fakeOwnPasswords) Rehash(_ context.Context, _ environment.Environment, a account.Account, hash string) error {
	o.rehashed = append(o.rehashed, a.PasswordHash+" to "+hash)
	return o.fail["Rehash"]
}

func (o *fakeOwnPasswords) PreviousHashes(context.Context, string) ([]string, error) {
	return o.former, o.fail["PreviousHashes"]
}

func (o *fakeOwnPasswords) NeedsRehash(hash string) bool { return hash == "old hash of "+secret }

func (o *fakeOwnPasswords) Estimate(string, []string) password.Strength {
	return password.Strength{Score: 1, Advice: "More."}
}

func (o *fakeOwnPasswords) Verify(hash, typed string) bool {
	return o.fakeStore.Verify(hash, typed) || hash == "old hash of "+typed
}

// signedIn is somebody who has a session, and another open elsewhere.
func signedIn(t *testing.T, set func(*account.Account)) (o *fakeOwnPasswords, sc access.Scope,
	elsewhere signin.Result,
) {
	t.Helper()
	if set == nil {
		set = func(*account.Account) {}
	}
	o = &fakeOwnPasswords{fakeStore: newFakeStore(doejWith(set))}
	here := login(t, o.fakeStore)
	elsewhere = login(t, o.fakeStore)
	sc, err := o.services().Authenticate(t.Context(), here.Access.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return o, sc, elsewhere
}

// The caller goes on with new tokens and the end that the session had; every other session, and every trusted
// device, ends; the log tells of it.
func TestChangeOwnPassword(t *testing.T) {
	o, sc, elsewhere := signedIn(t, nil)
	o.env.Settings.PasswordHistory, sc.Env = 3, o.env
	sc.Env.Settings.PasswordHistory = 3
	end := o.sessions[sc.Caller.SessionID].HardEnd
	o.now = o.now.Add(time.Hour / 4)
	got, err := o.services().ChangeOwnPassword(t.Context(), sc, secret, newPassword,
		signin.ClientInfo{Address: "192.0.2.9"})
	if err != nil {
		t.Fatal(err)
	}
	a := o.accounts["doej"]
	if a.PasswordHash != "hash of "+newPassword || a.Epoch != 8 || a.DeviceEpoch != doej().DeviceEpoch+1 ||
		a.Version != 4 || !a.PasswordChangedAt.Equal(o.now) || a.FailedTries != 0 {
		t.Errorf("%+v", a)
	}
	w := o.writes[0]
	if w.Event.Kind != auditlog.PasswordChanged || w.Event.ByID != a.ID || w.Event.Address != "192.0.2.9" ||
		w.Event.Version != 4 || !w.ClearTries || !slices.Equal(w.PasswordHistory, []string{"hash of " + secret}) {
		t.Errorf("%+v", w)
	}
	if !got.Session.HardEnd.Equal(end) || got.Session.Epoch != 8 || got.Session.ID == sc.Caller.SessionID ||
		got.Next != session.Done {
		t.Errorf("session %+v", got.Session)
	}
	if _, err := o.services().Authenticate(t.Context(), got.Access.Reveal()); err != nil {
		t.Errorf("the new tokens: %v", err)
	}
	if _, err := o.services().Authenticate(t.Context(), elsewhere.Access.Reveal()); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("the session elsewhere: %v", err)
	}
}

// V07: a wrong current password counts as a failed try, within the one limit of the account; a bad new one does not,
// whether it is the policy or a former password that speaks against it.
func TestChangeOwnPasswordCountsWrongOnes(t *testing.T) {
	o, sc, _ := signedIn(t, nil)
	wrong := func(name, current, chosen, field, code string, tries int64) {
		t.Helper()
		_, err := o.services().ChangeOwnPassword(context.Background(), sc, current, chosen, signin.ClientInfo{})
		e := fault.As(err)
		if e.Kind != fault.Invalid || len(e.Fields) != 1 || e.Fields[0].Field != field || e.Fields[0].Code != code {
			t.Errorf("%s: %v", name, err)
		}
		if got := o.accounts["doej"].FailedTries; got != tries {
			t.Errorf("%s: %d tries, want %d", name, got, tries)
		}
	}
	wrong("a bad new one", secret, "short", "password", "tooShort", 0)
	wrong("a wrong current one", "wrong one", newPassword, "current", "wrong", 1)
	wrong("the same again", secret, secret, "password", "same", 0)
	limit := int64(sc.Env.Settings.TryLimit())
	for n := range limit {
		wrong("wrong", "wrong one", newPassword, "current", "wrong", n+1)
	}
	if o.accounts["doej"].TriesBlockedAt.IsZero() || len(o.blocks) != 1 {
		t.Error("the limit does not block")
	}
	verified := o.verified
	wrong("the right one, beyond the limit", secret, newPassword, "current", "wrong", limit)
	if o.verified != verified || len(o.writes) > 0 {
		t.Errorf("verified %d times beyond the limit", o.verified-verified)
	}
}

// Accounts without a password, and callers by a key, have nothing to change (V47).
func TestChangeOwnPasswordIsForPeople(t *testing.T) {
	o, sc, _ := signedIn(t, nil)
	byKey := sc
	byKey.Caller.KeyID = "K"
	if _, err := o.services().ChangeOwnPassword(t.Context(), byKey, secret, newPassword,
		signin.ClientInfo{}); !fault.Is(err, fault.Conflict) {
		t.Errorf("by a key: %v", err)
	}
	o.change("doej", func(a *account.Account) { a.PasswordHash = "" })
	if _, err := o.services().ChangeOwnPassword(t.Context(), sc, "", newPassword, signin.ClientInfo{}); !fault.Is(err,
		fault.Conflict) {
		t.Errorf("without a password: %v", err)
	}
}

// Whoever was blocked, or whose session was closed, between the two passwords keeps the old one; a store that is away
// lets nothing through by half (V84).
func TestChangeOwnPasswordIsWholeOrNothing(t *testing.T) {
	o, sc, _ := signedIn(t, nil)
	id := sc.Caller.SessionID
	for name, do := range map[string]func(){
		"changed": func() { o.change("doej", func(a *account.Account) { a.Version++ }) },
		"blocked": func() { o.change("doej", func(a *account.Account) { a.TriesBlockedAt = noon }) },
		"closed": func() {
			s := o.sessions[id]
			s.Closed = noon
			o.sessions[id] = s
		},
	} {
		before, was := o.accounts["doej"], o.sessions[id]
		o.beforeWrite = do
		if _, err := o.services().ChangeOwnPassword(context.Background(), sc, secret, newPassword,
			signin.ClientInfo{}); fault.As(err).Code != "busy" {
			t.Errorf("%s: %v", name, err)
		}
		o.beforeWrite = nil
		o.accounts["doej"], o.sessions[id] = before, was
	}
	for _, call := range []string{
		"Account", "ReserveAttempt", "PreviousHashes", "Hash", "FindSession", "ReplacePassword",
	} {
		o.fail = map[string]error{call: errors.New("away")}
		if _, err := o.services().ChangeOwnPassword(context.Background(), sc, secret, newPassword,
			signin.ClientInfo{}); !errors.Is(err, o.fail[call]) {
			t.Errorf("without %s: %v", call, err)
		}
	}
	if len(o.writes) > 0 {
		t.Error("something was written")
	}
}

// V08: the right password is hashed anew if it was with less, and only then; a wrong one never.
func TestLoginRehashes(t *testing.T) {
	o := &fakeOwnPasswords{
		fakeStore: newFakeStore(doejWith(func(a *account.Account) { a.PasswordHash = "old hash of " + secret })),
	}
	s := o.services()
	s.PasswordService.Passwords.Verifier = o
	if _, err := s.Login(t.Context(), "doej", "wrong one", signin.ClientInfo{}); err == nil || len(o.rehashed) > 0 {
		t.Errorf("a wrong password: %v, %v", err, o.rehashed)
	}
	if _, err := s.Login(t.Context(), "doej", secret, signin.ClientInfo{}); err != nil ||
		!slices.Equal(o.rehashed, []string{"old hash of " + secret + " to hash of " + secret}) {
		t.Errorf("%v, %v", err, o.rehashed)
	}
	o.change("doej", func(a *account.Account) { a.PasswordHash = "hash of " + secret })
	if _, err := s.Login(t.Context(), "doej", secret, signin.ClientInfo{}); err != nil || len(o.rehashed) != 1 {
		t.Errorf("a hash of now: %v, %v", err, o.rehashed)
	}
}

// V06: an old password leads to the step, where the environment asks for that; not five years on where it does not.
func TestLoginAsksForANewPasswordByAge(t *testing.T) {
	for days, want := range map[int]session.Step{0: session.Done, 90: session.ChangePassword, 3650: session.Done} {
		w := newFakeStore(doejWith(func(a *account.Account) { a.PasswordChangedAt, a.DateTo = noon, "" }))
		w.env.Settings.PasswordMaxAgeDays = days
		w.now = noon.AddDate(5, 0, 0)
		got, err := w.services().Login(t.Context(), "doej", secret, signin.ClientInfo{})
		if err != nil || got.Next != want {
			t.Errorf("%d days: %v %v", days, got.Next, err)
			continue
		}
		if want == session.ChangePassword {
			after, err := w.services().ChangePassword(t.Context(), got.Ticket.Reveal(), newPassword, signin.ClientInfo{})
			if err != nil || after.Next != session.Done || !w.accounts["doej"].PasswordChangedAt.Equal(w.now) {
				t.Errorf("after the change: %v %v", after.Next, err)
			}
		}
	}
}

// What a form shows is the policy's, and about nobody.
func TestRatePassword(t *testing.T) {
	o := &fakeOwnPasswords{fakeStore: newFakeStore(doej())}
	o.env.Settings.PasswordNIST = true
	got, err := o.services().RatePassword(t.Context(), "short", nil)
	if err != nil || got.Score != 1 || got.MinLength != 15 || got.MaxLength != password.MaxLength ||
		len(got.Faults) != 1 || len(o.reserved) > 0 {
		t.Errorf("%+v %v", got, err)
	}
}
