package signin

import (
	"context"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// nobody is an identifier that no account has. Looking it up is the same work as looking up any other.
const nobody = "\x00"

// Accounts is what counting attempts needs of the directory.
type Accounts interface {
	// Find reads the environment and where an identifier (normalised) leads: the directory key of an account, or "".
	Find(ctx context.Context, env, identifier string) (environment.Environment, string, error)
	// FindWithDevice is Find for a client with the token of a trusted device. The same round trip reads the device, if it
	// belongs to the account that the identifier leads to. The zero token means none.
	FindWithDevice(ctx context.Context, env, identifier string, given token.Token) (Lookup, error)
	// ReserveAttempt counts one attempt on the account at a directory key, before anything is verified, unless the policy
	// allows none now. It returns the account and whether the attempt was counted. If the timed release let it through,
	// the account comes without its block. For the key "" it does the same work on a decoy and finds nobody.
	ReserveAttempt(ctx context.Context, env environment.Environment, key string, policy AttemptPolicy) (Attempt, error)
	SeparateAttempts
	// RecordFailure writes down a sign-in that failed and blocks the account where that is due, unless it was let in or
	// blocked meanwhile. It is one round trip, whoever it is about.
	RecordFailure(ctx context.Context, env environment.Environment, f FailedAttempt) error
}

// SeparateAttempts counts what does not use up the account's own tries.
type SeparateAttempts interface {
	// ReserveDeviceAttempt counts one attempt on a trusted device, unless limit of them are used up, and reads the
	// account at a directory key beside that. The account comes without its block and with Stored.SeparateTries.
	ReserveDeviceAttempt(ctx context.Context, env environment.Environment, key, accountID string,
		device mfa.TrustedDevice, limit int) (Attempt, error)
	// ReserveNetworkAttempt counts one attempt on a known network of the account at a directory key, unless its tries are
	// used up or it is known no longer. The account comes without its block, and with Stored.SeparateTries and
	// Stored.Network.
	ReserveNetworkAttempt(ctx context.Context, env environment.Environment, key, network string,
		policy AttemptPolicy) (Attempt, error)
}

// AccountReader reads an account by its id.
type AccountReader interface {
	Account(ctx context.Context, env environment.Environment, id string) (account.Account, error)
}

// Lookup is what Accounts.FindWithDevice finds.
type Lookup struct {
	Env environment.Environment
	// Key is the directory key of the account, or "".
	Key string
	// Networks are the account's known networks, as far as the identifier tells: perhaps without their tries.
	Networks account.Networks
	// Device is the one that the token names, whether or not its secret is right; the zero value where there is none.
	Device mfa.TrustedDevice
}

// Attempt is the outcome of Accounts.ReserveAttempt and of Accounts.ReserveDeviceAttempt.
type Attempt struct {
	Account account.Account
	// Found is false where no account has the identifier, Reserved where the attempts were used up before.
	Found, Reserved bool
	// Device is the trusted device that the attempt was counted on, with this one; the zero value for the account.
	Device mfa.TrustedDevice
}

// AttemptPolicy says which attempts of an account are let through.
type AttemptPolicy struct {
	// Limit is how many failures in a row block the account.
	Limit int
	// Release lets single attempts through after a block, each after the wait of Wait.
	Release bool
	Now     time.Time
}

func attemptPolicy(env environment.Environment, now time.Time) AttemptPolicy {
	return AttemptPolicy{Limit: env.Settings.TryLimit(), Release: env.Settings.FailedTryRelease, Now: now}
}

// Wait returns how long an account with that many failures in a row waits after its last attempt, and false if it waits
// for an administrator.
func (p AttemptPolicy) Wait(failures int64) (time.Duration, bool) {
	if !p.Release {
		return 0, false
	}
	return account.BackoffDelay(p.Limit, failures)
}

// Attempts counts attempts to sign in and records those that fail.
type Attempts struct {
	*TokenAuthenticator
	Accounts Accounts
	// Stats counts sign-ins and failures by day; nil for no count.
	Stats Stats
	// Mail writes the notices of a block and of a changed password; nil for none.
	Mail  *mail.Composer
	NewID func() ulid.ULID
	// Sleep waits for other attempts of the same account; Sleep outside tests.
	Sleep func(ctx context.Context, d time.Duration) error
}

// reserveAttempt counts the attempt. Where the attempts in flight fill the limit and the account is not blocked, one of
// them may be right and zero the count, so it waits for them. If none was right, refusing this one blocks the account.
func (s *Attempts) reserveAttempt(ctx context.Context, env environment.Environment, key string) (Attempt, error) {
	const rounds = 15
	for round := 1; ; round++ {
		got, err := s.Accounts.ReserveAttempt(ctx, env, key, attemptPolicy(env, s.now()))
		if err != nil || got.Reserved || !got.Found || !got.Account.TriesBlockedAt.IsZero() {
			return got, err
		}
		if round == rounds {
			return got, nil
		}
		if err := s.Sleep(ctx, 200*time.Millisecond); err != nil {
			return Attempt{}, err
		}
	}
}

// reserveAttemptFrom counts the attempt on the trusted device or the known network that it comes from, if that has
// attempts left, and else on the account. Strangers have neither, so they cannot lock the owner out of them.
// FindWithDevice reads what decides in any case, so a token that is not valid costs what none does and reveals nothing.
func (s *Attempts) reserveAttemptFrom(ctx context.Context, found Lookup, given token.Token, address string) (
	Attempt, error,
) {
	elsewhere := func() (Attempt, error) {
		return s.reserveAtNetwork(ctx, found.Env, found.Key, found.Networks, address)
	}
	limit, now := found.Env.Settings.TryLimit(), s.now()
	d := found.Device
	if d.ID == "" || found.Env.Settings.TrustedDeviceDays <= 0 || d.Tries >= int64(limit) ||
		!d.Verify(given, now, d.Epoch).Valid() {
		return elsewhere()
	}
	owner := given.Account.String()
	got, err := s.Accounts.ReserveDeviceAttempt(ctx, found.Env, found.Key, owner, d, limit)
	if err != nil {
		return Attempt{}, err
	}
	if !got.Reserved || got.Account.ID != owner || !got.Device.Verify(given, now, got.Account.DeviceEpoch).Valid() {
		return elsewhere() // used up or forgotten meanwhile
	}
	return got, nil
}

// reserveAtNetwork counts the attempt on the known network that it comes from, if that has attempts left, and else on
// the account.
func (s *Attempts) reserveAtNetwork(ctx context.Context, env environment.Environment, key string,
	known account.Networks, address string,
) (Attempt, error) {
	policy, network := attemptPolicy(env, s.now()), session.SignInNetwork(address)
	if key != "" && known.CountsAt(network, policy.Limit, policy.Now) {
		got, err := s.Accounts.ReserveNetworkAttempt(ctx, env, key, network, policy)
		if err != nil || got.Reserved {
			return got, err
		}
	}
	return s.reserveAttempt(ctx, env, key)
}

// loadUncounted reads the environment and the account of whoever proved it with something that cannot be guessed: a
// passkey, or a provider. The count of wrong passwords neither stops them nor is changed by them (V95). For "" it finds
// nobody, after the same reads.
func (s *Attempts) loadUncounted(ctx context.Context, accounts AccountReader, accountID string) (
	environment.Environment, Attempt, error,
) {
	env, _, err := s.Accounts.Find(ctx, s.EnvID, nobody) // only the environment is wanted
	if err != nil {
		return env, Attempt{}, err
	}
	if accountID == "" {
		accountID = ulid.ULID{}.String()
	}
	a, err := accounts.Account(ctx, env, accountID)
	if fault.Is(err, fault.NotFound) {
		return env, Attempt{Reserved: true}, nil
	}
	a.TriesBlockedAt, a.Stored.SeparateTries = time.Time{}, true
	return env, Attempt{Account: a, Found: true, Reserved: true}, err
}
