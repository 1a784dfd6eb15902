package dynamo_test

import (
	"fmt"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/signin"
)

// accountState is an account's state as the product's table has it: two switches, the automatic block, the dates.
type accountState struct {
	active, blocked, tries bool
	dates                  field.Patch
	// used says that the person signed in, and has a session.
	used bool
}

func (s accountState) signsIn() bool { return s.active && !s.blocked && !s.tries && s.dates == nil }

// accountStates are all states that an account can be in.
func accountStates() map[string]accountState {
	out := map[string]accountState{}
	for name, dates := range map[string]field.Patch{"": nil,
		", past":    {"dateFrom": field.Date("2020-01-01"), "dateTo": field.Date("2020-12-31")},
		", to come": {"dateFrom": field.Date("2999-01-01")}} {
		for i := range 8 {
			s := accountState{active: i&1 == 0, blocked: i&2 != 0, tries: i&4 != 0, dates: dates}
			word := map[bool]string{true: "in use", false: "locked"}[s.active] + map[bool]string{true: ", blocked"}[s.blocked] +
				map[bool]string{true: ", blocked by tries"}[s.tries]
			out[word+name] = s
		}
	}
	out["in use, signed in"] = accountState{active: true, used: true}
	out["in use, blocked by tries, signed in"] = accountState{active: true, tries: true, used: true}
	return out
}

// createInState makes an account in a state, and returns the token of its session where it has one.
func (f *fixture) createInState(t *testing.T, name string, s accountState) (a account.Account, bearer string) {
	t.Helper()
	must := func(_ account.Account, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a = f.create(t, name, s.dates)
	must(f.accounts.SetPassword(t.Context(), f.currentScope(t), a.ID, 0,
		account.NewPasswordRequest{Password: secret + " first"}))
	if !s.blocked || s.tries {
		must(f.accounts.Allow(t.Context(), f.currentScope(t), a.ID, 0))
	}
	if s.used {
		got, err := f.signin.Login(t.Context(), name, secret+" first", signin.ClientInfo{})
		if err != nil {
			t.Fatal(err)
		}
		bearer = got.Access.Reveal()
	}
	if s.tries {
		f.guess(t, name)
	}
	if s.blocked && s.tries {
		must(f.accounts.Block(t.Context(), f.currentScope(t), a.ID, 0, "before"))
	}
	if !s.active {
		must(f.accounts.Lock(t.Context(), f.currentScope(t), a.ID, 0))
	}
	a, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID)
	must(a, err)
	if a.Active != s.active || a.AccessLocked != s.blocked || a.TriesBlockedAt.IsZero() == s.tries {
		t.Fatalf("%s is %+v", name, a)
	}
	return a, bearer
}

// guess uses up the tries.
func (f *fixture) guess(t *testing.T, name string) {
	t.Helper()
	for range f.admin.Env.Settings.TryLimit() {
		if f.login(t, f.signin, name, "wrong")() == nil {
			t.Fatal("a wrong password is right")
		}
	}
}

// stateOperation is a row of the product's table: what is done, and what state comes of each.
type stateOperation struct {
	do func(t *testing.T, f *fixture, a account.Account) error
	// then changes the state; ends says that every session is over.
	then func(*accountState)
	ends func(accountState) bool
	// refused says in which states it is a problem and changes nothing.
	refused func(accountState) bool
	// password is the one that signs in afterwards, where it is another.
	password string
}

func always(accountState) bool { return true }
func never(accountState) bool  { return false }

// locked is the states in which access cannot be allowed: unlock first.
func locked(s accountState) bool { return !s.active }

func stateOperations() map[string]stateOperation {
	by := func(do func(f *fixture, t *testing.T, a account.Account) (account.Account, error)) func(*testing.T, *fixture,
		account.Account) error {
		return func(t *testing.T, f *fixture, a account.Account) error {
			_, err := do(f, t, a)
			return err
		}
	}
	set := func(choice account.NewPasswordRequest) func(*testing.T, *fixture, account.Account) error {
		return by(func(f *fixture, t *testing.T, a account.Account) (account.Account, error) {
			return f.accounts.SetPassword(t.Context(), f.currentScope(t), a.ID, 0, choice)
		})
	}
	return map[string]stateOperation{
		"Block": {do: by(func(f *fixture, t *testing.T, a account.Account) (account.Account, error) {
			return f.accounts.Block(t.Context(), f.currentScope(t), a.ID, 0, "a reason")
		}), then: func(s *accountState) { s.blocked = true }, ends: always},
		"automatic block": {
			do:   func(t *testing.T, f *fixture, a account.Account) error { f.guess(t, a.Username); return nil },
			then: func(s *accountState) { s.tries = true }, ends: never},
		"Lock": {do: by(func(f *fixture, t *testing.T, a account.Account) (account.Account, error) {
			return f.accounts.Lock(t.Context(), f.currentScope(t), a.ID, 0)
		}), then: func(s *accountState) { s.active = false }, ends: func(s accountState) bool { return s.active }},
		"Unlock": {do: by(func(f *fixture, t *testing.T, a account.Account) (account.Account, error) {
			return f.accounts.Unlock(t.Context(), f.currentScope(t), a.ID, 0)
		}), then: func(s *accountState) { s.active = true }, ends: never},
		"Allow": {do: by(func(f *fixture, t *testing.T, a account.Account) (account.Account, error) {
			return f.accounts.Allow(t.Context(), f.currentScope(t), a.ID, 0)
		}), then: func(s *accountState) { s.blocked, s.tries = false, false }, ends: never, refused: locked},
		"Reset try count": {do: by(func(f *fixture, t *testing.T, a account.Account) (account.Account, error) {
			return f.accounts.ResetTries(t.Context(), f.currentScope(t), a.ID, 0)
		}), then: func(s *accountState) { s.tries = false }, ends: never},
		"Force password change": {do: by(func(f *fixture, t *testing.T, a account.Account) (account.Account, error) {
			return f.accounts.ForcePasswordChange(t.Context(), f.currentScope(t), a.ID, 0)
		}), then: func(*accountState) {}, ends: never},
		"Set password": {do: set(account.NewPasswordRequest{Password: secret + " second"}),
			then: func(*accountState) {}, ends: always, password: secret + " second"},
		"Set password, and unlock": {do: set(account.NewPasswordRequest{Password: secret + " third", Unlock: true}),
			then: func(s *accountState) { s.blocked, s.tries = false, false }, ends: always, refused: locked,
			password: secret + " third"},
	}
}

// Every action in every state does what the product's table says: who can sign in afterwards, what is shown, and whose
// sessions are over at their next request.
func TestEveryActionInEveryState(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: the race detector has nothing to see")
	}
	f := newFixture(t)
	n := 0
	for opName, op := range stateOperations() {
		for name, before := range accountStates() {
			n++
			t.Run(opName+" on "+name, func(t *testing.T) {
				op, username := op, fmt.Sprintf("state%04d", n)
				a, bearer := f.createInState(t, username, before)
				err := op.do(t, f, a)
				if op.refused != nil && op.refused(before) {
					if !fault.HasCode(err, "locked") {
						t.Fatalf("%v", err)
					}
					op = stateOperation{then: func(*accountState) {}, ends: never}
				} else if err != nil {
					t.Fatal(err)
				}
				want := before
				op.then(&want)
				now, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID)
				if err != nil {
					t.Fatal(err)
				}
				shown := now.ForDisplay(field.DateOf(time.Now()))
				if now.Active != want.active || shown.AccessLocked != (want.blocked || want.tries) {
					t.Errorf("%+v; want %+v", shown, want)
				}
				if shown.AccessLocked && (shown.LockedAt.IsZero() || shown.LockedReason == "") || !shown.AccessLocked &&
					(!shown.LockedAt.IsZero() || shown.LockedReason != "" || shown.LockedBy != "") {
					t.Errorf("date and reason of the block do not fit: %+v", shown)
				}
				if opName == "Block" && (shown.LockedReason != "a reason" || shown.LockedBy != "admin") {
					t.Errorf("blocked as %+v", shown)
				}
				if op.do != nil && (opName == "Allow" || opName == "Reset try count" || opName == "Set password, and unlock") &&
					now.FailedTries != 0 {
					t.Errorf("%d tries are left", now.FailedTries)
				}
				if ended := now.Epoch != a.Epoch; ended != op.ends(before) {
					t.Errorf("sessions ended: %v", ended)
				}
				if before.used {
					if _, err := f.signin.Authenticate(t.Context(), bearer); (err == nil) == op.ends(before) {
						t.Errorf("its session answers %v", err)
					}
				}
				password := secret + " first"
				if op.password != "" {
					password = op.password
				}
				if err := f.login(t, f.signin, username, password)(); (err == nil) != want.signsIn() {
					t.Errorf("signing in answers %v; the state is %+v", err, want)
				}
			})
		}
	}
}

// Delete, in every state: whoever never signed in goes, whatever their state; whoever did stays and is told of locking.
func TestDeleteInEveryState(t *testing.T) {
	f := newFixture(t)
	n := 0
	for name, s := range accountStates() {
		n++
		t.Run(name, func(t *testing.T) {
			a, bearer := f.createInState(t, fmt.Sprintf("gone%03d", n), s)
			err := f.accounts.Delete(t.Context(), f.currentScope(t), a.ID, 0)
			if s.used {
				if !fault.HasCode(err, "inUse") {
					t.Errorf("%v", err)
				}
				if _, err := f.signin.Authenticate(t.Context(), bearer); err != nil {
					t.Errorf("what was not done ended a session: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("%v", err)
			}
			if f.login(t, f.signin, a.Username, secret+" first")() == nil {
				t.Error("a deleted account signs in")
			}
		})
	}
}

// Sessions and API keys at the next request: a licence change to API ends sessions, Date to ends both by the clock
// alone at the end of its day (UTC), a block or a lock of the owner refuses its keys and their sessions until it is
// undone.
func TestSessionsAndKeysFollowTheState(t *testing.T) {
	k := newKeyFixture(t)
	_, key := k.key(t, "one")
	opened := k.session(t, key)
	answers := func(name string, keyWorks, sessionWorks bool) {
		t.Helper()
		if k.opens(t, key) != keyWorks {
			t.Errorf("%s: the key opens: %v", name, !keyWorks)
		}
		if opened != "" && k.opens(t, opened) != sessionWorks {
			t.Errorf("%s: the session opens: %v", name, !sessionWorks)
		}
	}
	must := func(_ account.Account, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	answers("at first", true, true)
	must(k.accounts.Block(t.Context(), k.currentScope(t), k.client.ID, 0, "x"))
	answers("blocked", false, false)
	must(k.accounts.Allow(t.Context(), k.currentScope(t), k.client.ID, 0))
	answers("allowed again", true, false) // sessions that ended stay ended
	opened = k.session(t, key)
	must(k.accounts.Lock(t.Context(), k.currentScope(t), k.client.ID, 0))
	answers("locked", false, false)
	must(k.accounts.Unlock(t.Context(), k.currentScope(t), k.client.ID, 0))
	answers("unlocked", true, false)

	// V39, C46: by the clock, with nobody to do anything.
	day := k.now.Truncate(24 * time.Hour)
	k.now = day.Add(23*time.Hour + 59*time.Minute + 50*time.Second)
	must(k.accounts.Change(t.Context(), k.currentScope(t), k.client.ID, k.version(t, k.client.ID),
		field.Patch{"dateTo": field.DateOf(k.now)}))
	opened = k.session(t, key)
	person := k.create(t, "person", field.Patch{"dateTo": field.DateOf(k.now)})
	must(k.accounts.SetPassword(t.Context(), k.currentScope(t), person.ID, 0,
		account.NewPasswordRequest{Password: secret, Unlock: true}))
	got, err := k.signin.Login(t.Context(), "person", secret, signin.ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	answers("on the last day", true, true)
	if _, err := k.signin.Authenticate(t.Context(), got.Access.Reveal()); err != nil {
		t.Errorf("on the last day: %v", err)
	}
	k.now = k.now.Add(10 * time.Second) // midnight
	answers("the day after", false, false)
	if _, err := k.signin.Authenticate(t.Context(), got.Access.Reveal()); !fault.HasCode(err, "session") {
		t.Errorf("the day after: %v", err)
	}
	if k.login(t, k.signin, "person", secret)() == nil {
		t.Error("the day after the person signs in")
	}
	k.now = k.now.Add(-10 * time.Second)

	other := k.create(t, "turned", nil)
	must(k.accounts.SetPassword(t.Context(), k.currentScope(t), other.ID, 0,
		account.NewPasswordRequest{Password: secret, Unlock: true}))
	if got, err = k.signin.Login(t.Context(), "turned", secret, signin.ClientInfo{}); err != nil {
		t.Fatal(err)
	}
	// V91: who has signed in stays a person, or the change would strip the password.
	if _, err := k.accounts.Change(t.Context(), k.currentScope(t), other.ID, k.version(t, other.ID),
		field.Patch{"userType": "API"}); !fault.HasCode(err, "used") {
		t.Errorf("a person becomes an API client: %v", err)
	}
	if _, err := k.signin.Authenticate(t.Context(), got.Access.Reveal()); err != nil {
		t.Errorf("the refused change ends the session: %v", err)
	}
}
