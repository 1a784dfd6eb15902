package factor

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
)

// ChallengeStore keeps the challenges of passkeys that are being set up.
type ChallengeStore interface {
	// SaveRegistrationChallenge keeps the digest of a challenge until it is answered, in place of the previous one.
	SaveRegistrationChallenge(ctx context.Context, env, accountID string, digest []byte, expires time.Time) error
	// RegistrationChallenge reads the digest; nil for none.
	RegistrationChallenge(ctx context.Context, accountID string) ([]byte, time.Time, error)
}

func passkeyUser(a account.Account) mfa.PasskeyUser {
	return mfa.PasskeyUser{AccountID: a.ID, Username: a.Username, Name: a.Name}
}

// factorsOf reads the second factor of an account. What is still stored of a removed one does not count.
func (s *Service) factorsOf(ctx context.Context, a account.Account) (mfa.Factors, error) {
	if !a.MFAEnabled {
		return mfa.Factors{}, nil
	}
	return s.Store.LoadFactors(ctx, a.ID, "")
}

// BeginPasskey returns the options from which the caller's browser creates a passkey.
func (s *Service) BeginPasskey(ctx context.Context, sc access.Scope, password string) ([]byte, error) {
	a, err := s.reauthenticated(ctx, sc, password)
	if err != nil {
		return nil, err
	}
	have, err := s.factorsOf(ctx, a)
	if err != nil {
		return nil, err
	}
	challenge, err := mfa.NewChallenge(s.Random)
	if err != nil {
		return nil, err
	}
	options, err := s.Enroller.BeginPasskey(challenge, passkeyUser(a), have)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(challenge)
	return options, s.Challenges.SaveRegistrationChallenge(ctx, sc.Env.ID, a.ID, digest[:], s.now().Add(mfa.ChallengeLife))
}

// ConfirmPasskey keeps the passkey that was created. Whoever had no second factor gets recovery codes, this once. It
// needs no proof of its own: beginning needed one, and a set-up expires in minutes.
func (s *Service) ConfirmPasskey(ctx context.Context, sc access.Scope, credential []byte, name string) (
	mfa.Passkey, []string, error,
) {
	challenge, err := s.Enroller.Passkeys.AttestationChallenge(credential)
	if err != nil {
		return mfa.Passkey{}, nil, err
	}
	digest := sha256.Sum256(challenge)
	saved, expires, err := s.Challenges.RegistrationChallenge(ctx, sc.Caller.AccountID)
	if err != nil {
		return mfa.Passkey{}, nil, err
	}
	if subtle.ConstantTimeCompare(saved, digest[:]) != 1 || !s.now().Before(expires) {
		return mfa.Passkey{}, nil, fault.New(fault.Conflict, "noSetUp",
			"There is no passkey to confirm, or it has expired. Start again.")
	}
	a, err := s.Accounts.Account(ctx, sc.Env, sc.Caller.AccountID)
	if err != nil {
		return mfa.Passkey{}, nil, err
	}
	have, err := s.factorsOf(ctx, a)
	if err != nil {
		return mfa.Passkey{}, nil, err
	}
	change, codes, err := s.Enroller.ConfirmPasskey(challenge, passkeyUser(a), have, !a.MFAEnabled, credential, name)
	if err != nil {
		return mfa.Passkey{}, nil, err
	}
	change.ChallengeDigest = saved
	w := s.write(sc, a, auditlog.SecondFactorAdded)
	w.Event.Note = strings.TrimSpace(string(mfa.PasskeyMethod) + ": " + change.NewPasskey.Name + " " + a.FirstFactorNote())
	w.Mails = s.Mail.Notice(sc.Env, mail.FactorAdded, a.Addressee(), s.now(), a.FirstFactorNote())
	w.After.MFAEnabled = true
	return *change.NewPasskey, codes, s.busyIfChanged(s.Store.WriteFactors(ctx, sc.Env, withChanges(w), change))
}

// passkey reads the caller's account and one of its passkeys.
func (s *Service) passkey(ctx context.Context, a account.Account, id string) (mfa.Factors, mfa.Passkey, error) {
	have, err := s.factorsOf(ctx, a)
	if err != nil {
		return have, mfa.Passkey{}, err
	}
	i := slices.IndexFunc(have.Passkeys, func(k mfa.Passkey) bool { return k.ID == id })
	if i < 0 {
		return have, mfa.Passkey{}, fault.New(fault.NotFound, "notFound", "There is no such passkey.")
	}
	return have, have.Passkeys[i], nil
}

// RenamePasskey gives one of the caller's passkeys another name.
func (s *Service) RenamePasskey(ctx context.Context, sc access.Scope, id, name string) (mfa.Passkey, error) {
	a, err := s.Accounts.Account(ctx, sc.Env, sc.Caller.AccountID)
	if err != nil {
		return mfa.Passkey{}, err
	}
	_, before, err := s.passkey(ctx, a, id)
	if err != nil {
		return mfa.Passkey{}, err
	}
	after := before
	if after.Name, err = mfa.PasskeyName(name, before.Name); err != nil || after.Name == before.Name {
		return before, err
	}
	w := s.write(sc, a, auditlog.SecondFactorRenamed)
	w.Event.Note = before.Name + " is now " + after.Name
	change := mfa.Change{ChangedPasskey: &mfa.PasskeyChange{Before: before, After: after}}
	return after, s.busyIfChanged(s.Store.WriteFactors(ctx, sc.Env, withChanges(w), change))
}

// RemovePasskey removes one of the caller's passkeys. Sessions and trusted devices end, as whoever has the passkey may
// have opened them. With the last method the whole second factor is removed.
func (s *Service) RemovePasskey(ctx context.Context, sc access.Scope, id, password string) error {
	a, err := s.reauthenticated(ctx, sc, password)
	if err != nil {
		return err
	}
	have, removed, err := s.passkey(ctx, a, id)
	if err != nil {
		return err
	}
	w := s.write(sc, a, auditlog.SecondFactorRemoved)
	if len(have.Passkeys) == 1 {
		if err := s.requireOtherSignInMethod(ctx, sc, &w); err != nil {
			return err
		}
	}
	w.Event.Note = string(mfa.PasskeyMethod) + ": " + removed.Name
	w.Mails = s.Mail.Notice(sc.Env, mail.FactorRemoved, a.Addressee(), s.now(), "")
	w.After.Epoch++
	w.After.DeviceEpoch++
	if len(have.Passkeys) == 1 && have.Seed == nil {
		w.After.MFAEnabled, w.DropFactors = false, true
		return s.busyIfChanged(s.Accounts.Write(ctx, sc.Env, withChanges(w)))
	}
	return s.busyIfChanged(s.Store.WriteFactors(ctx, sc.Env, withChanges(w), mfa.Change{RemovedPasskey: id}))
}

// Providers knows by which providers people can sign in.
type Providers interface {
	// SignInProviders returns their ids.
	SignInProviders(ctx context.Context, env string) ([]string, error)
}

// requireOtherSignInMethod refuses to remove the last passkey where no other sign-in method is left. It makes the write
// depend on the account's linked identities, which it decided by (account.SignInMethods).
func (s *Service) requireOtherSignInMethod(ctx context.Context, sc access.Scope, w *account.Write) error {
	providers, err := s.Providers.SignInProviders(ctx, sc.Env.ID)
	if err != nil {
		return err
	}
	w.RequireSameProviders = true
	return account.SignInMethods{Account: w.After, Providers: providers}.RequireOne(s.now())
}
