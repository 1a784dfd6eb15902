package dynamo_test

import (
	"crypto/rand"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// signIn is all services of a sign-in over one table. They share the shared parts by pointer: a test that replaces a
// dependency there replaces it for all of them. A test that must not change the fixture's works on a clone.
type signIn struct {
	*signin.TokenAuthenticator
	*signin.Steps
	*signin.PasswordService
	*signin.PasskeyService
	*signin.ProviderService
	*signin.FactorService
	*signin.SessionService
	*signin.SelfService
}

// newSignIn has what signing in with passwords and refreshing sessions needs.
func newSignIn(table *dynamo.Table) *signIn {
	s := &signIn{
		TokenAuthenticator: &signin.TokenAuthenticator{
			EnvID: env, Credentials: sessions.NewCredentials(table), Now: time.Now,
		},
		Steps: &signin.Steps{
			Attempts: &signin.Attempts{
				Accounts: attempts.Store{Table: table},
				NewID:    token.NewID,
				Sleep:    signin.Sleep,
			},
			Sessions: sessions.Store{Table: table},
			Random:   rand.Reader,
		},
		PasswordService: &signin.PasswordService{Passwords: account.PasswordSetter{Passwords: fakeHasher{}}},
		PasskeyService:  &signin.PasskeyService{},
		ProviderService: &signin.ProviderService{},
		FactorService:   &signin.FactorService{},
		SessionService: &signin.SessionService{
			Rotator: sessions.Store{Table: table},
			Random:  rand.Reader,
			NewID:   token.NewID,
		},
		SelfService: &signin.SelfService{
			Reauthenticator: &signin.Reauthenticator{},
			Passwords:       account.PasswordSetter{Passwords: fakeHasher{}},
		},
	}
	s.connect()
	s.useVerifier(fakeHasher{})
	return s
}

// connect makes all services use the parts that they share.
func (s *signIn) connect() {
	s.Steps.TokenAuthenticator, s.SessionService.TokenAuthenticator = s.TokenAuthenticator, s.TokenAuthenticator
	s.PasswordService.Steps, s.PasskeyService.Steps, s.ProviderService.Steps = s.Steps, s.Steps, s.Steps
	s.FactorService.Steps, s.SelfService.Steps, s.Reauthenticator.Attempts = s.Steps, s.Steps, s.Steps.Attempts
}

func (s *signIn) clone() *signIn {
	out := &signIn{
		TokenAuthenticator: copyOf(s.TokenAuthenticator),
		Steps:              copyOf(s.Steps),
		PasswordService:    copyOf(s.PasswordService),
		PasskeyService:     copyOf(s.PasskeyService),
		ProviderService:    copyOf(s.ProviderService),
		FactorService:      copyOf(s.FactorService),
		SessionService:     copyOf(s.SessionService),
		SelfService:        copyOf(s.SelfService),
	}
	out.Steps.Attempts, out.SelfService.Reauthenticator = copyOf(s.Steps.Attempts), copyOf(s.Reauthenticator)
	out.connect()
	return out
}

func copyOf[T any](p *T) *T {
	c := *p
	return &c
}

// useVerifier makes the services verify passwords and codes with v.
func (s *signIn) useVerifier(v account.Verifier) {
	s.PasswordService.Passwords.Verifier, s.SelfService.Passwords.Verifier, s.Reauthenticator.Verifier = v, v, v
	s.FactorService.Hasher = codeHasher{verifier: v}
}

// codeHasher hashes codes as fakeHasher does, and verifies them with another verifier.
type codeHasher struct {
	fakeHasher
	verifier account.Verifier
}

func (h codeHasher) Verify(hash, secret string) bool { return h.verifier.Verify(hash, secret) }

// usePasswords makes the services keep passwords in a store.
func (s *signIn) usePasswords(store sessions.OwnPasswords) {
	s.PasswordService.Rehasher, s.Reauthenticator.Tries, s.SelfService.Replacer = store, store, store
	s.PasskeyService.Directory, s.ProviderService.Directory = store, store
}

// useHistory makes the services refuse passwords that a store has.
func (s *signIn) useHistory(store dynamo.PasswordHistory) {
	s.PasswordService.Passwords.History, s.SelfService.Passwords.History = store, store
}

// useSessions makes the services keep sessions and tickets in a store.
func (s *signIn) useSessions(store sessions.Store) {
	s.Steps.Sessions, s.SessionService.Rotator = store, store
}

// useFactors makes the services keep trusted devices and second factors in a store.
func (s *signIn) useFactors(store factors.Store) {
	s.Steps.Devices, s.FactorService.Factors = store, store
}

// limit makes the services count requests in a store, and let so many of them through in a minute.
func (s *signIn) limit(store attempts.RateLimiter, perMinute int) {
	limiter := &signin.RateLimiter{EnvID: s.EnvID, Counter: store, PerMinute: perMinute, Now: s.Now}
	s.PasswordService.Limiter, s.SessionService.Limiter = limiter, limiter
}
