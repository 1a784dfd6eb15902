package signin_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

const envID = "test"

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// world is the store, the clock and the hash in memory. It does what the interfaces of this package say, and counts what
// is asked of it.
type world struct {
	signin.Checks // what concerns API keys is not asked of this world

	mu       sync.Mutex
	now      time.Time
	random   lockedReader
	env      environment.Environment
	accounts map[string]account.Account // by directory key
	keys     map[string]string          // identifier to directory key
	sessions map[string]session.Session
	tickets  map[string]session.Ticket

	second // what is stored of second factors

	charges  []string // directory keys, "" for a decoy
	verified int      // passwords that were held against a hash
	work     int      // hashes computed, dummies included
	blocks   []string
	refusals []signin.Refusal
	lastTry  map[string]time.Time // by directory key
	slept    int
	fail     map[string]error // by the method's name
	between  func()           // runs before Open, Offer, Redeem and Renew
	apiOnly  bool             // of the licence FULL
}

func newWorld(accounts ...account.Account) *world {
	w := &world{
		now: noon, random: lockedReader{&sync.Mutex{}, rand.NewChaCha8([32]byte{1})}, env: environment.Environment{ID: envID, Settings: environment.Defaults()}, accounts: map[string]account.Account{},
		keys: map[string]string{}, sessions: map[string]session.Session{}, tickets: map[string]session.Ticket{}, fail: map[string]error{}, lastTry: map[string]time.Time{},
		second: second{devices: map[string]mfa.Device{}, codes: map[string]string{}},
	}
	for _, a := range accounts {
		w.accounts[a.DirectoryKey()] = a
		w.keys[a.DirectoryKey()] = a.DirectoryKey()
		for _, k := range a.LoginKeys() {
			w.keys[k] = a.DirectoryKey()
		}
	}
	return w
}

func (w *world) service() *signin.Service {
	return &signin.Service{
		Gate: &signin.Gate{EnvID: envID, Checks: w, Now: func() time.Time { return w.now }}, Accounts: w, Sessions: w, Hasher: w, Passwords: policy{w}, Factors: w, Seal: sealer{w}, Enrol: w.setUp(),
		Random: w.random, NewID: func() ulid.ULID { return ulid.MustNew(ulid.Timestamp(w.now), w.random) },
		Sleep: func(context.Context, time.Duration) error { w.slept++; return w.fail["Sleep"] },
	}
}

func (w *world) change(key string, set func(*account.Account)) {
	a := w.accounts[key]
	set(&a)
	w.accounts[key] = a
}

func (w *world) byID(id string) (string, account.Account, bool) {
	for key, a := range w.accounts {
		if a.ID == id {
			return key, a, true
		}
	}
	return "", account.Account{}, false
}

func (w *world) Find(_ context.Context, env, identifier string) (environment.Environment, string, error) {
	if env != envID {
		return environment.Environment{}, "", errors.New("another environment")
	}
	return w.env, w.keys[identifier], w.fail["Find"]
}

func (w *world) FindFrom(ctx context.Context, env, identifier string, given token.Token) (signin.Found, error) {
	head, key, err := w.Find(ctx, env, identifier)
	found := signin.Found{Env: head, Key: key}
	if given != (token.Token{}) && w.accounts[key].ID == given.Account.String() {
		found.Device = w.devices[given.ID.String()]
	}
	return found, err
}

func (w *world) ChargeDevice(_ context.Context, _ environment.Environment, key, _ string, d mfa.Device, limit int) (signin.Charged, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.between != nil {
		w.between()
	}
	w.charges = append(w.charges, "device "+d.ID)
	is, known := w.devices[d.ID]
	a, found := w.accounts[key]
	charged := known && found && string(is.Hash) == string(d.Hash) && is.Tries < int64(limit)
	if charged {
		is.Tries++
		w.devices[d.ID] = is
	}
	a.Stored.BlockedAt, a.TriesBlockedAt, a.Stored.TriedApart = a.TriesBlockedAt, time.Time{}, true
	return signin.Charged{Account: a, Found: found, Charged: charged, Device: is}, w.fail["ChargeDevice"]
}

func (w *world) Charge(_ context.Context, _ environment.Environment, key string, rule signin.Allowance) (signin.Charged, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.charges = append(w.charges, key)
	a, found := w.accounts[key]
	if !found {
		return signin.Charged{}, w.fail["Charge"]
	}
	if a.FailedTries >= int64(rule.Limit) || !a.TriesBlockedAt.IsZero() {
		last, tried := w.lastTry[key]
		if wait, released := rule.Wait(a.FailedTries); !tried || !released || rule.Now.Sub(last) < wait {
			a.Stored.BlockedAt = a.TriesBlockedAt
			return signin.Charged{Account: a, Found: true}, w.fail["Charge"]
		}
	}
	a.FailedTries++
	w.accounts[key] = a
	w.lastTry[key] = rule.Now
	a.Stored.BlockedAt, a.TriesBlockedAt = a.TriesBlockedAt, time.Time{}
	return signin.Charged{Account: a, Found: true, Charged: true}, w.fail["Charge"]
}

func (w *world) Refuse(_ context.Context, _ environment.Environment, r signin.Refusal) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.EventID == "" || r.Blocks && r.BlockID == "" {
		return errors.New("no event")
	}
	w.refusals = append(w.refusals, r)
	delete(w.devices, r.Forgets.ID)
	if r.Blocks {
		w.blocks = append(w.blocks, r.Account.Username)
		w.change(r.Account.DirectoryKey(), func(a *account.Account) { a.TriesBlockedAt = r.At })
	}
	return w.fail["Refuse"]
}

// unchanged is the condition of Open and Offer.
func (w *world) unchanged(a account.Account) error {
	if w.between != nil {
		w.between()
	}
	_, is, ok := w.byID(a.ID)
	if !ok || is.Epoch != a.Epoch || !a.Stored.TriedApart && !is.TriesBlockedAt.Equal(a.Stored.BlockedAt) {
		return account.ErrRaced
	}
	return nil
}

func (w *world) Open(_ context.Context, _ environment.Environment, a account.Account, s session.Session) error {
	if err := errors.Join(w.unchanged(a), w.fail["Open"]); err != nil {
		return err
	}
	w.sessions[s.ID] = s
	w.change(a.DirectoryKey(), func(is *account.Account) {
		if is.LastLogin = s.Start; !a.Stored.TriedApart {
			is.FailedTries, is.TriesBlockedAt = 0, time.Time{}
		}
	})
	return nil
}

func (w *world) Offer(_ context.Context, _ environment.Environment, a account.Account, t session.Ticket) error {
	if err := errors.Join(w.unchanged(a), w.fail["Offer"]); err != nil {
		return err
	}
	w.tickets[t.ID] = t
	w.change(a.DirectoryKey(), func(is *account.Account) {
		if !a.PasswordExpires.IsZero() {
			is.PasswordExpires = a.PasswordExpires
		}
	})
	if !a.Stored.TriedApart {
		w.change(a.DirectoryKey(), func(a *account.Account) { a.FailedTries, a.TriesBlockedAt = 0, time.Time{} })
	}
	return nil
}

func (w *world) Ticket(_ context.Context, _, accountID, id string) (signin.Ticketed, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.fail["Ticket"]; err != nil {
		return signin.Ticketed{}, err
	}
	t, ok := w.tickets[id]
	if !ok || t.AccountID != accountID {
		return signin.Ticketed{}, fault.New(fault.NotFound, "ticket", "There is no such ticket.")
	}
	_, a, _ := w.byID(accountID)
	return signin.Ticketed{Ticket: t, Account: a, Env: w.env}, nil
}

func (w *world) Advance(_ context.Context, _ environment.Environment, m signin.Move) error {
	if w.between != nil {
		w.between()
	}
	if err := w.fail["Advance"]; err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	key, is, _ := w.byID(m.Used.AccountID)
	if _, ok := w.tickets[m.Used.ID]; !ok || is.Epoch != m.Account.Epoch || m.Write != nil && is.Version != m.Write.Before.Version {
		return account.ErrRaced
	}
	if m.Factors != nil && !w.useFactors(*m.Factors) {
		return account.ErrRaced
	}
	delete(w.tickets, m.Used.ID)
	if m.Write != nil {
		w.accounts[key] = m.Write.After
	}
	if m.Ticket != nil {
		w.tickets[m.Ticket.ID] = *m.Ticket
	}
	if m.Session != nil {
		w.sessions[m.Session.ID] = *m.Session
	}
	return nil
}

func (w *world) Renew(_ context.Context, old, renewed session.Session) error {
	if w.between != nil {
		w.between()
	}
	if err := w.fail["Renew"]; err != nil {
		return err
	}
	if string(w.sessions[old.ID].RefreshHash) != string(old.RefreshHash) {
		return account.ErrRaced
	}
	w.sessions[old.ID] = renewed
	return nil
}

func (w *world) Check(_ context.Context, env, accountID, sessionID string) (signin.Checked, error) {
	if err := w.fail["Check"]; err != nil {
		return signin.Checked{}, err
	}
	s, ok := w.sessions[sessionID]
	_, a, found := w.byID(accountID)
	if !ok || !found || s.AccountID != accountID || env != envID {
		return signin.Checked{}, fault.New(fault.NotFound, "session", "There is no such session.")
	}
	return signin.Checked{Session: s, Anchor: a.Anchor(), Env: w.env}, nil
}

func (w *world) Close(_ context.Context, _, sessionID string, end session.End) (bool, error) {
	s, ok := w.sessions[sessionID]
	if !ok || !s.Closed.IsZero() {
		return false, w.fail["Close"]
	}
	s.Closed, s.Reason = end.At, end.Why
	s.ClosedBy, s.ClosedByID, s.ClosedFrom = end.By, end.ByID, end.FromAddress
	w.sessions[sessionID] = s
	return true, w.fail["Close"]
}

func (w *world) Catalogue(context.Context, environment.Environment) (*catalogue.Catalogue, error) {
	return catalogue.New([]catalogue.Entry{
		{Kind: catalogue.Role, Code: "VIEWER", Active: true, Permissions: []string{"account.read"}},
		{Kind: catalogue.Group, Code: "DESK", Active: true, Roles: []string{"VIEWER"}},
		{Kind: catalogue.Licence, Code: "FULL", Active: true, APIOnly: w.apiOnly},
	}), w.fail["Catalogue"]
}

func (w *world) Verify(hash, secret string) bool {
	w.work++
	if hash == "" {
		return false
	}
	w.verified++
	return hash == "hash of "+secret
}

// policy is the Passwords of the world: at least 8 characters, and none of the words.
type policy struct{ *world }

func (p policy) Hash(secret string) (string, error) { return "hash of " + secret, p.fail["Hash"] }

func (policy) Check(_ environment.Settings, secret string, words []string) []fault.Field {
	for _, word := range words {
		if word == secret {
			return []fault.Field{{Field: "password", Code: "personal"}}
		}
	}
	if len(secret) < 8 {
		return []fault.Field{{Field: "password", Code: "tooShort"}}
	}
	return nil
}

const secret = "correct horse"

// doej is an account that can sign in.
func doej() account.Account {
	return account.Account{
		ID: "01JZ0000000000000000000001", Version: 3, Epoch: 7, UserType: "FULL", Username: "DoeJ", Name: "John Doe", Email: "John@Example.com",
		DateFrom: "2026-01-05", DateTo: "2026-01-05", Active: true, Groups: []string{"DESK"}, PasswordHash: "hash of " + secret,
	}
}

// with is doej after a change.
func with(set func(*account.Account)) account.Account {
	a := doej()
	set(&a)
	return a
}

func login(t *testing.T, w *world) signin.Result {
	t.Helper()
	got, err := w.service().Login(context.Background(), "doej", secret, signin.Device{Client: "curl", UserAgent: "ua", Address: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

var tomorrow, yesterday = field.Date("2026-01-06"), field.Date("2026-01-04")
