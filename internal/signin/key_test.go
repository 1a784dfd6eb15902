package signin_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// FindKey and RecordKeyUse: the fake store itself has no keys.
func (w *fakeStore) FindKey(context.Context, string, string, string, string) (signin.KeyContext, error) {
	return signin.KeyContext{}, fault.New(fault.NotFound, "session", "There is no such key.")
}

func (w *fakeStore) RecordKeyUse(context.Context, string, string, time.Time) error {
	return errors.New("the fake store has no keys")
}

// fakeKeys is a fake store with the API keys of one account.
type fakeKeys struct {
	*fakeStore
	keys   map[string]session.APIKey
	events []auditlog.Event
	uses   []time.Time
	trips  int
}

const clientID = "01JZ0000000000000000000007"

// newFakeKeys is an API client in force, whose role has rights that keys do not have, and a key of it.
func newFakeKeys(t *testing.T) (*fakeKeys, *services, string) {
	t.Helper()
	c := &fakeKeys{keys: map[string]session.APIKey{}, fakeStore: newFakeStore(account.Account{
		ID: clientID, Epoch: 4, UserType: "api", Username: "Payroll", Name: "Payroll", DateFrom: "2026-01-01",
		DateTo: "2026-01-31",
		Active: true, Roles: []string{"ADMIN"},
	})}
	service := c.services()
	service.Credentials, service.Keys = c, c
	issued, err := token.Issue(c.random, token.APIKey, ulid.MustParseStrict(clientID),
		ulid.MustParseStrict("01JZ0000000000000000000008"))
	if err != nil {
		t.Fatal(err)
	}
	c.keys[issued.ID.String()] = session.APIKey{
		AccountID: clientID, ID: issued.ID.String(), Hash: issued.Hash(),
		Expires: noon.AddDate(0, 0, 10),
	}
	return c, service, issued.Reveal()
}

func (c *fakeKeys) FindKey(_ context.Context, env, accountID, keyID, sessionID string) (signin.KeyContext, error) {
	c.trips++
	k, ok := c.keys[keyID]
	_, a, found := c.byID(accountID)
	s, open := c.sessions[sessionID]
	if env != envID || !ok || !found || k.AccountID != accountID || (sessionID != "" && !open) {
		return signin.KeyContext{}, fault.New(fault.NotFound, "session", "There is no such key.")
	}
	return signin.KeyContext{Key: k, Session: s, Anchor: a.Anchor(), Env: c.env}, c.fail["FindKey"]
}

func (c *fakeKeys) RecordKeyUse(_ context.Context, _, keyID string, at time.Time) error {
	if err := c.fail["RecordKeyUse"]; err != nil {
		return err
	}
	c.uses = append(c.uses, at)
	k := c.keys[keyID]
	k.LastUsed = at
	c.keys[keyID] = k
	return nil
}

func (c *fakeKeys) OpenKeySession(_ context.Context, _ session.APIKey, s session.Session, e auditlog.Event) error {
	if err := c.fail["OpenKeySession"]; err != nil {
		return err
	}
	c.sessions[s.ID] = s
	c.events = append(c.events, e)
	return nil
}

func (c *fakeKeys) Catalogue(context.Context, environment.Environment) (*catalogue.Catalogue, error) {
	return catalogue.New([]catalogue.Entry{
		{Kind: catalogue.Licence, Code: "API", Active: true, APIOnly: true},
		{Kind: catalogue.Licence, Code: "FULL", Active: true},
		{
			Kind: catalogue.Role, Code: "ADMIN", Active: true,
			Permissions: []string{"account.admin", "account.read", "account.key", "account.update"},
		},
	}), c.fail["Catalogue"]
}

func (c *fakeKeys) changeKey(set func(*session.APIKey)) {
	for id, k := range c.keys {
		set(&k)
		c.keys[id] = k
	}
}

func TestAKeyIsABearer(t *testing.T) {
	c, service, key := newFakeKeys(t)
	scope, err := service.Authenticate(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	got := scope.Caller
	if got.AccountID != clientID || got.Username != "Payroll" || got.KeyID != "01JZ0000000000000000000008" ||
		got.SessionID != "" || got.Epoch != 4 {
		t.Errorf("%+v", got)
	}
	// V47: what only people use is not among a key's rights, whatever its account's roles give.
	if !got.May(access.AccountRead) || !got.May(access.AccountUpdate) || got.May(access.AccountAdmin) ||
		got.May(access.AccountKey) {
		t.Errorf("permissions %v", got.Permissions.Sorted())
	}
	if c.trips != 1 {
		t.Errorf("%d round trips", c.trips)
	}
}

// C23: whatever is wrong with a key, the answer and the round trips are those of an unknown session.
func TestAKeyThatOpensNothing(t *testing.T) {
	_, unknown := newFakeStore(doej()).services().Authenticate(t.Context(), "uas_"+strings.Repeat("A", 86))
	for name, spoil := range map[string]func(c *fakeKeys, key string) string{
		"wrong secret":    func(_ *fakeKeys, key string) string { return key[:len(key)-52] + strings.Repeat("0", 51) + "G" },
		"unknown id":      func(c *fakeKeys, key string) string { clear(c.keys); return key },
		"unknown account": func(c *fakeKeys, key string) string { clear(c.accounts); return key },
		"expired":         func(c *fakeKeys, key string) string { c.now = noon.AddDate(0, 0, 10); return key },
		"locked": func(c *fakeKeys, key string) string {
			c.changeKey(func(k *session.APIKey) { k.Locked = noon })
			return key
		},
		"blocked owner": func(c *fakeKeys, key string) string {
			c.change("payroll", func(a *account.Account) { a.AccessLocked = true })
			return key
		},
		"locked owner": func(c *fakeKeys, key string) string {
			c.change("payroll", func(a *account.Account) { a.Active = false })
			return key
		},
		"owner not yet": func(c *fakeKeys, key string) string {
			c.change("payroll", func(a *account.Account) { a.DateFrom = tomorrow })
			return key
		},
		"owner's time up": func(c *fakeKeys, key string) string {
			c.change("payroll", func(a *account.Account) { a.DateTo = yesterday })
			return key
		},
		"no API licence": func(c *fakeKeys, key string) string {
			c.change("payroll", func(a *account.Account) { a.UserType = "FULL" })
			return key
		},
		"licence is gone": func(c *fakeKeys, key string) string {
			c.change("payroll", func(a *account.Account) { a.UserType = "OLD" })
			return key
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, service, key := newFakeKeys(t)
			given := spoil(c, key)
			_, err := service.Authenticate(t.Context(), given)
			if err == nil || err.Error() != unknown.Error() || !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%v, want %v", err, unknown)
			}
			if c.trips != 1 || len(c.uses) != 0 {
				t.Errorf("%d round trips, uses %v", c.trips, c.uses)
			}
			if _, err = service.LoginWithKey(t.Context(), given, signin.ClientInfo{}); !fault.HasCode(err, "keyRefused") ||
				len(c.sessions) != 0 {
				t.Errorf("a session: %v", err)
			}
		})
	}
	_, service, key := newFakeKeys(t)
	for _, text := range []string{"ua_", key[:len(key)-1], key + "0", strings.ToLower(key), "uak_" + key} {
		if _, err := service.Authenticate(t.Context(), text); err == nil || err.Error() != unknown.Error() {
			t.Errorf("%q: %v", text, err)
		}
	}
	service.EnvID = "other" // V58
	if _, err := service.Authenticate(t.Context(), key); err == nil || err.Error() != unknown.Error() {
		t.Errorf("another environment's: %v", err)
	}
}

// V84: what cannot be checked opens nothing, and is not taken for a wrong key.
func TestAKeyIsNotAcceptedUnchecked(t *testing.T) {
	down := errors.New("down")
	for _, method := range []string{"FindKey", "Catalogue"} {
		c, service, key := newFakeKeys(t)
		c.fail[method] = down
		if scope, err := service.Authenticate(t.Context(), key); !errors.Is(err, down) || scope.Caller.AccountID != "" {
			t.Errorf("%s: %v", method, err)
		}
		if _, err := service.LoginWithKey(t.Context(), key, signin.ClientInfo{}); !errors.Is(err, down) {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// A key outlives what ends sessions alone, as when an administrator's rights were taken away and given back.
func TestAKeyOutlivesAnEpoch(t *testing.T) {
	c, service, key := newFakeKeys(t)
	c.change("payroll", func(a *account.Account) { a.Epoch++ })
	if _, err := service.Authenticate(t.Context(), key); err != nil {
		t.Error(err)
	}
}

// V46: the last use is written down at once, then at most once an hour, and never at the cost of a request.
func TestUseIsNotedAtMostHourly(t *testing.T) {
	c, service, key := newFakeKeys(t)
	for _, after := range []time.Duration{
		0, time.Minute, time.Hour - time.Millisecond, time.Hour,
		time.Hour + time.Minute,
	} {
		c.now = noon.Add(after)
		if _, err := service.Authenticate(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.uses) != 2 || !c.uses[0].Equal(noon) || !c.uses[1].Equal(noon.Add(time.Hour)) {
		t.Errorf("noted at %v", c.uses)
	}
	c.now, c.fail["RecordKeyUse"] = noon.Add(5*time.Hour), errors.New("busy")
	scope, err := service.Authenticate(t.Context(), key)
	if err != nil || scope.Caller.KeyID == "" || scope.NonFatalErr == nil || scope.NonFatalErr.Error() != "busy" {
		t.Errorf("%v, trouble %v", err, scope.NonFatalErr)
	}
}

func loginWithKey(t *testing.T, service *services, key string) signin.Result {
	t.Helper()
	got, err := service.LoginWithKey(t.Context(), key,
		signin.ClientInfo{Client: " nightly ", UserAgent: "curl", Address: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAKeyOpensASession(t *testing.T) {
	c, service, key := newFakeKeys(t)
	got := loginWithKey(t, service, key)
	s := c.sessions[got.Session.ID]
	end := noon.Add(30 * time.Minute)
	if got.Next != session.Done || s.KeyID != "01JZ0000000000000000000008" || s.AccountID != clientID ||
		s.Client != "nightly" || s.Address != "192.0.2.1" ||
		!s.HardEnd.Equal(end) || !s.RefreshDue.Equal(end) || s.RefreshHash != nil || got.Refresh != (token.Token{}) {
		t.Errorf("%+v", s)
	}
	if len(c.events) != 1 || c.events[0].Kind != auditlog.SignedIn || c.events[0].Key != s.KeyID ||
		c.events[0].By != "Payroll" || c.events[0].ByID != clientID {
		t.Errorf("%+v", c.events)
	}
	scope, err := service.Authenticate(t.Context(), got.Access.Reveal())
	if err != nil || scope.Caller.SessionID != s.ID || scope.Caller.KeyID != s.KeyID ||
		scope.Caller.May(access.AccountAdmin) {
		t.Errorf("%v, %+v", err, scope.Caller)
	}
	// Its end is the key's where that comes first.
	c.now = noon.AddDate(0, 0, 10).Add(-time.Minute)
	if s := loginWithKey(t, service, key).Session; !s.HardEnd.Equal(noon.AddDate(0, 0, 10)) {
		t.Errorf("it ends at %v", s.HardEnd)
	}
	_, err = service.LoginWithKey(t.Context(), key, signin.ClientInfo{Client: strings.Repeat("x", 101)})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("a client of 101 characters: %v", err)
	}
}

// C27, C28: the session is over at the next request once its time is up, it is closed, the key is locked or the
// account's access has ended; C35: no other token and no other key stands in for its own.
func TestWhatEndsASessionOfAKey(t *testing.T) {
	for name, end := range map[string]func(c *fakeKeys, s session.Session){
		"time": func(c *fakeKeys, s session.Session) { c.now = s.HardEnd },
		"closed": func(c *fakeKeys, s session.Session) {
			_, _ = c.Close(t.Context(), clientID, s.ID, session.End{At: c.now, Reason: session.ClosedByAdmin})
		},
		"key locked": func(c *fakeKeys, _ session.Session) { c.changeKey(func(k *session.APIKey) { k.Locked = c.now }) },
		"epoch":      func(c *fakeKeys, _ session.Session) { c.change("payroll", func(a *account.Account) { a.Epoch++ }) },
		"owner blocked": func(c *fakeKeys, _ session.Session) {
			c.change("payroll", func(a *account.Account) { a.AccessLocked = true })
		},
		"licence": func(c *fakeKeys, _ session.Session) {
			c.change("payroll", func(a *account.Account) { a.UserType = "FULL" })
		},
		"another key's": func(c *fakeKeys,
			s session.Session,
		) {
			s.KeyID = "01JZ0000000000000000000009"
			c.sessions[s.ID] = s
		},
		"a person's": func(c *fakeKeys, s session.Session) { s.KeyID = ""; c.sessions[s.ID] = s },
	} {
		t.Run(name, func(t *testing.T) {
			c, service, key := newFakeKeys(t)
			got := loginWithKey(t, service, key)
			if _, err := service.Authenticate(t.Context(), got.Access.Reveal()); err != nil {
				t.Fatal(err)
			}
			end(c, got.Session)
			if _, err := service.Authenticate(t.Context(), got.Access.Reveal()); !fault.HasCode(err, "session") {
				t.Errorf("still open: %v", err)
			}
		})
	}
	_, service, key := newFakeKeys(t)
	got := loginWithKey(t, service, key)
	for _, kind := range []token.Kind{token.Access, token.Refresh} { // the same session, asked for as a person's
		posing := got.Access
		posing.Kind, posing.KeyID = kind, ulid.ULID{}
		if _, err := service.Authenticate(t.Context(), posing.Reveal()); !fault.HasCode(err, "session") {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := service.Refresh(t.Context(), posing.Reveal(), signin.ClientInfo{}); !fault.HasCode(err, "session") {
			t.Errorf("%s refreshed: %v", kind, err)
		}
	}
}
