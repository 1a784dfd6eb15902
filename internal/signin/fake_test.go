package signin_test

import (
	"context"
	"errors"
	"maps"
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

// fakeStore is the store, the clock and the hash in memory. It does what the interfaces of this package say, and counts
// its calls.
type fakeStore struct {
	signin.CredentialStore // API keys are in fakeKeys

	mu       sync.Mutex
	now      time.Time
	random   lockedReader
	env      environment.Environment
	accounts map[string]account.Account // by directory key
	keys     map[string]string          // identifier to directory key
	sessions map[string]session.Session
	tickets  map[string]session.Ticket

	fakeFactors // what is stored of second factors

	reserved    []string // directory keys, "" for a decoy
	verified    int      // passwords compared with a hash
	work        int      // hashes computed, dummies included
	blocks      []string
	failures    []signin.FailedAttempt
	lastTry     map[string]time.Time // by directory key
	slept       int
	fail        map[string]error // by the method's name
	beforeWrite func()           // runs before the conditional writes
	apiOnly     bool             // of the licence FULL
}

func newFakeStore(accounts ...account.Account) *fakeStore {
	w := &fakeStore{
		now: noon, random: lockedReader{&sync.Mutex{}, rand.NewChaCha8([32]byte{1})},
		env: environment.Environment{ID: envID, Settings: environment.Defaults()}, accounts: map[string]account.Account{},
		keys: map[string]string{}, sessions: map[string]session.Session{}, tickets: map[string]session.Ticket{},
		fail: map[string]error{}, lastTry: map[string]time.Time{},
		fakeFactors: fakeFactors{devices: map[string]mfa.TrustedDevice{}, codes: map[string]string{}},
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

// services are all services of the package over one fake store. They share the shared parts by pointer: a test that
// replaces a dependency there replaces it for all of them.
type services struct {
	*signin.TokenAuthenticator
	*signin.Steps
	*signin.PasswordService
	*signin.PasskeyService
	*signin.ProviderService
	*signin.FactorService
	*signin.SessionService
	*signin.SelfService
}

func (w *fakeStore) services() *services {
	authenticator := &signin.TokenAuthenticator{EnvID: envID, Credentials: w, Now: func() time.Time { return w.now }}
	attempts := &signin.Attempts{
		TokenAuthenticator: authenticator,
		Accounts:           w,
		NewID:              func() ulid.ULID { return ulid.MustNew(ulid.Timestamp(w.now), w.random) },
		Sleep:              func(context.Context, time.Duration) error { w.slept++; return w.fail["Sleep"] },
	}
	steps := &signin.Steps{Attempts: attempts, Sessions: w, Devices: w, Random: w.random}
	passwords := account.PasswordSetter{Passwords: policy{w}, Verifier: w}
	return &services{
		TokenAuthenticator: authenticator,
		Steps:              steps,
		PasswordService:    &signin.PasswordService{Steps: steps, Passwords: passwords},
		PasskeyService:     &signin.PasskeyService{Steps: steps},
		ProviderService:    &signin.ProviderService{Steps: steps},
		FactorService: &signin.FactorService{
			Steps:    steps,
			Factors:  w,
			Opener:   sealer{w},
			Hasher:   policy{w},
			Enroller: w.enroller(),
		},
		SessionService: &signin.SessionService{
			TokenAuthenticator: authenticator,
			Rotator:            w,
			Random:             w.random,
			NewID:              attempts.NewID,
		},
		SelfService: &signin.SelfService{
			Reauthenticator: &signin.Reauthenticator{Attempts: attempts, Verifier: w},
			Steps:           steps,
			Passwords:       passwords,
		},
	}
}

// limit makes the services count requests with a counter, and let 10 of them through in a minute.
func (s *services) limit(counter signin.RequestCounter) {
	limiter := &signin.RateLimiter{EnvID: s.EnvID, Counter: counter, PerMinute: 10, Now: s.Now}
	s.PasswordService.Limiter, s.SessionService.Limiter = limiter, limiter
}

func (w *fakeStore) change(key string, set func(*account.Account)) {
	a := w.accounts[key]
	set(&a)
	w.accounts[key] = a
}

func (w *fakeStore) byID(id string) (string, account.Account, bool) {
	for key, a := range w.accounts {
		if a.ID == id {
			return key, a, true
		}
	}
	return "", account.Account{}, false
}

func (w *fakeStore) Find(_ context.Context, env, identifier string) (environment.Environment, string, error) {
	if env != envID {
		return environment.Environment{}, "", errors.New("another environment")
	}
	return w.env, w.keys[identifier], w.fail["Find"]
}

func (w *fakeStore) FindWithDevice(ctx context.Context, env, identifier string, given token.Token) (signin.Lookup,
	error,
) {
	head, key, err := w.Find(ctx, env, identifier)
	found := signin.Lookup{Env: head, Key: key, Networks: w.accounts[key].Stored.Networks}
	if given != (token.Token{}) && w.accounts[key].ID == given.Account.String() {
		found.Device = w.devices[given.ID.String()]
	}
	return found, err
}

func (w *fakeStore) ReserveDeviceAttempt(_ context.Context, _ environment.Environment, key, _ string,
	d mfa.TrustedDevice, limit int,
) (signin.Attempt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.beforeWrite != nil {
		w.beforeWrite()
	}
	w.reserved = append(w.reserved, "device "+d.ID)
	is, known := w.devices[d.ID]
	a, found := w.accounts[key]
	reserved := known && found && string(is.Hash) == string(d.Hash) && is.Tries < int64(limit)
	if reserved {
		is.Tries++
		w.devices[d.ID] = is
	}
	a.Stored.BlockedAt, a.TriesBlockedAt, a.Stored.SeparateTries = a.TriesBlockedAt, time.Time{}, true
	return signin.Attempt{Account: a, Found: found, Reserved: reserved, Device: is}, w.fail["ReserveDeviceAttempt"]
}

func (w *fakeStore) ReserveNetworkAttempt(_ context.Context, _ environment.Environment, key, network string,
	rule signin.AttemptPolicy,
) (signin.Attempt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reserved = append(w.reserved, "network "+network)
	a, found := w.accounts[key]
	if !found || !a.Stored.Networks.CountsAt(network, rule.Limit, rule.Now) {
		return signin.Attempt{}, w.fail["ReserveNetworkAttempt"]
	}
	use := a.Stored.Networks[network]
	use.Tries++
	a.Stored.Networks = maps.Clone(a.Stored.Networks)
	a.Stored.Networks[network] = use
	w.accounts[key] = a
	a.Stored.BlockedAt, a.TriesBlockedAt = a.TriesBlockedAt, time.Time{}
	a.Stored.SeparateTries, a.Stored.Network = true, network
	return signin.Attempt{Account: a, Found: true, Reserved: true}, w.fail["ReserveNetworkAttempt"]
}

func (w *fakeStore) ReserveAttempt(_ context.Context, _ environment.Environment, key string,
	rule signin.AttemptPolicy,
) (signin.Attempt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reserved = append(w.reserved, key)
	a, found := w.accounts[key]
	if !found {
		return signin.Attempt{}, w.fail["ReserveAttempt"]
	}
	if a.FailedTries >= int64(rule.Limit) || !a.TriesBlockedAt.IsZero() {
		last, tried := w.lastTry[key]
		if wait, released := rule.Wait(a.FailedTries); !tried || !released || rule.Now.Sub(last) < wait {
			a.Stored.BlockedAt = a.TriesBlockedAt
			return signin.Attempt{Account: a, Found: true}, w.fail["ReserveAttempt"]
		}
	}
	a.FailedTries++
	w.accounts[key] = a
	w.lastTry[key] = rule.Now
	a.Stored.BlockedAt, a.TriesBlockedAt = a.TriesBlockedAt, time.Time{}
	return signin.Attempt{Account: a, Found: true, Reserved: true}, w.fail["ReserveAttempt"]
}

func (w *fakeStore) RecordFailure(_ context.Context, _ environment.Environment, r signin.FailedAttempt) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.EventID == "" || r.Blocks && r.BlockID == "" {
		return errors.New("no event")
	}
	w.failures = append(w.failures, r)
	delete(w.devices, r.RevokedDevice.ID)
	delete(w.accounts[r.Account.DirectoryKey()].Stored.Networks, r.ForgottenNetwork)
	if r.Blocks {
		w.blocks = append(w.blocks, r.Account.Username)
		w.change(r.Account.DirectoryKey(), func(a *account.Account) { a.TriesBlockedAt = r.At })
	}
	return w.fail["RecordFailure"]
}

// unchanged is the condition of Open and IssueTicket.
func (w *fakeStore) unchanged(a account.Account) error {
	if w.beforeWrite != nil {
		w.beforeWrite()
	}
	_, is, ok := w.byID(a.ID)
	if !ok || is.Epoch != a.Epoch || !a.Stored.SeparateTries && !is.TriesBlockedAt.Equal(a.Stored.BlockedAt) {
		return account.ErrConcurrentChange
	}
	return nil
}

func (w *fakeStore) Open(_ context.Context, _ environment.Environment, a account.Account, s session.Session) error {
	if err := errors.Join(w.unchanged(a), w.fail["Open"]); err != nil {
		return err
	}
	w.sessions[s.ID] = s
	w.change(a.DirectoryKey(), func(is *account.Account) {
		if is.LastLogin = s.Start; !a.Stored.SeparateTries || a.Stored.Network != "" && is.TriesBlockedAt.IsZero() {
			is.FailedTries, is.TriesBlockedAt = 0, time.Time{}
		}
		if network := session.SignInNetwork(s.Address); network != "" {
			is.Stored.Networks = is.Stored.Networks.SignedInFrom(network, s.Start)
		}
	})
	return nil
}

func (w *fakeStore) IssueTicket(_ context.Context, _ environment.Environment, a account.Account,
	t session.Ticket,
) error {
	if err := errors.Join(w.unchanged(a), w.fail["IssueTicket"]); err != nil {
		return err
	}
	w.tickets[t.ID] = t
	w.change(a.DirectoryKey(), func(is *account.Account) {
		if !a.PasswordExpires.IsZero() {
			is.PasswordExpires = a.PasswordExpires
		}
	})
	if !a.Stored.SeparateTries {
		w.change(a.DirectoryKey(), func(a *account.Account) { a.FailedTries, a.TriesBlockedAt = 0, time.Time{} })
	}
	return nil
}

func (w *fakeStore) Ticket(_ context.Context, _, accountID, id string) (signin.TicketContext, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.fail["Ticket"]; err != nil {
		return signin.TicketContext{}, err
	}
	t, ok := w.tickets[id]
	if !ok || t.AccountID != accountID {
		return signin.TicketContext{}, fault.New(fault.NotFound, "ticket", "There is no such ticket.")
	}
	_, a, _ := w.byID(accountID)
	return signin.TicketContext{Ticket: t, Account: a, Env: w.env}, nil
}

func (w *fakeStore) CompleteStep(_ context.Context, _ environment.Environment, m signin.StepTransition) error {
	if w.beforeWrite != nil {
		w.beforeWrite()
	}
	if err := w.fail["CompleteStep"]; err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	key, is, _ := w.byID(m.Ticket.AccountID)
	if _, ok := w.tickets[m.Ticket.ID]; !ok || is.Epoch != m.Account.Epoch || m.Write != nil &&
		is.Version != m.Write.Before.Version {
		return account.ErrConcurrentChange
	}
	if m.Factors != nil && !w.useFactors(*m.Factors) {
		return account.ErrConcurrentChange
	}
	delete(w.tickets, m.Ticket.ID)
	if m.Write != nil {
		w.accounts[key] = m.Write.After
	}
	if m.NextTicket != nil {
		w.tickets[m.NextTicket.ID] = *m.NextTicket
	}
	if m.Session != nil {
		w.sessions[m.Session.ID] = *m.Session
	}
	return nil
}

func (w *fakeStore) Renew(_ context.Context, old, renewed session.Session) error {
	if w.beforeWrite != nil {
		w.beforeWrite()
	}
	if err := w.fail["Renew"]; err != nil {
		return err
	}
	if string(w.sessions[old.ID].RefreshHash) != string(old.RefreshHash) {
		return account.ErrConcurrentChange
	}
	w.sessions[old.ID] = renewed
	return nil
}

func (w *fakeStore) FindSession(_ context.Context, env, accountID, sessionID string) (signin.SessionContext, error) {
	if err := w.fail["FindSession"]; err != nil {
		return signin.SessionContext{}, err
	}
	s, ok := w.sessions[sessionID]
	_, a, found := w.byID(accountID)
	if !ok || !found || s.AccountID != accountID || env != envID {
		return signin.SessionContext{}, fault.New(fault.NotFound, "session", "There is no such session.")
	}
	return signin.SessionContext{Session: s, Anchor: a.Anchor(), Env: w.env}, nil
}

func (w *fakeStore) Close(_ context.Context, _, sessionID string, end session.End) (bool, error) {
	s, ok := w.sessions[sessionID]
	if !ok || !s.Closed.IsZero() {
		return false, w.fail["Close"]
	}
	s.Closed, s.Reason = end.At, end.Reason
	s.ClosedBy, s.ClosedByID, s.ClosedFrom = end.By, end.ByID, end.FromAddress
	w.sessions[sessionID] = s
	return true, w.fail["Close"]
}

func (w *fakeStore) Catalogue(context.Context, environment.Environment) (*catalogue.Catalogue, error) {
	return catalogue.New([]catalogue.Entry{
		{Kind: catalogue.Role, Code: "VIEWER", Active: true, Permissions: []string{"account.read"}},
		{Kind: catalogue.Group, Code: "DESK", Active: true, Roles: []string{"VIEWER"}},
		{Kind: catalogue.Licence, Code: "FULL", Active: true, APIOnly: w.apiOnly},
	}), w.fail["Catalogue"]
}

func (w *fakeStore) Verify(hash, secret string) bool {
	w.work++
	if hash == "" {
		return false
	}
	w.verified++
	return hash == "hash of "+secret
}

// policy is the password policy of the fake store: at least 8 characters, and none of the words.
type policy struct{ *fakeStore }

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
		ID: "01JZ0000000000000000000001", Version: 3, Epoch: 7, UserType: "FULL", Username: "DoeJ", Name: "John Doe",
		Email:    "John@Example.com",
		DateFrom: "2026-01-05", DateTo: "2026-01-05", Active: true, Groups: []string{"DESK"},
		PasswordHash: "hash of " + secret,
	}
}

// doejWith is doej after a change.
func doejWith(set func(*account.Account)) account.Account {
	a := doej()
	set(&a)
	return a
}

func login(t *testing.T, w *fakeStore) signin.Result {
	t.Helper()
	got, err := w.services().Login(context.Background(), "doej", secret,
		signin.ClientInfo{Client: "curl", UserAgent: "ua", Address: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

var tomorrow, yesterday = field.Date("2026-01-06"), field.Date("2026-01-04")
