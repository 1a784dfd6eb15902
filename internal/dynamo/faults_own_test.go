package dynamo_test

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"useraccounts/internal/apikey"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// blockingTry is the wrong password that blocks. Whatever fails, nobody gets another try, and the block comes with the
// next one.
func blockingTry(t *testing.T, s *user) operation {
	name := s.owner.row(t).Username
	guess := func(password string) error {
		_, err := s.auth.Login(t.Context(), name, password, signin.ClientInfo{})
		return err
	}
	for range 4 {
		_ = guess("wrong")
	}
	return operation{
		refusal: "signInRefused", do: withoutResult(func() error { return guess("wrong") }),
		retry: func() error {
			if a := s.owner.row(t); a.FailedTries == 4 { // the try was never charged
				_ = guess("wrong")
			}
			if err := guess(ownPassword); !fault.HasCode(err, "signInRefused") {
				return fmt.Errorf("one try more: %w", err)
			}
			if a := s.owner.row(t); a.TriesBlockedAt.IsZero() || a.FailedTries != 5 {
				return fmt.Errorf("%d tries, blocked at %v", a.FailedTries, a.TriesBlockedAt)
			}
			s.owner.now = s.owner.now.Add(time.Hour) // the timed release
			if err := guess(ownPassword); err != nil {
				return err
			}
			return s.signInAnew(t)
		},
	}
}

// wrongCodeOperation is a wrong code of the authenticator: none is looked at that is not charged (V13).
func wrongCodeOperation(t *testing.T, s *user) operation {
	ticket, opens := s.ticket(t, session.SecondFactor), s.keyService.opens
	code := wrongCode(codeOf(t, s.secret, s.owner.now))
	return operation{
		refusal: "code", do: func() (signin.Result, error) {
			return s.step(ticket, signin.SecondFactorResponse{Method: mfa.TOTP, Code: code})
		},
		check: func(t *testing.T, _ error) string {
			found, err := s.auth.Devices.LoadFactors(t.Context(), s.id, "")
			if looked := s.keyService.opens - opens; err != nil || int64(looked) > int64(found.Tries) {
				return fmt.Sprintf("%d codes looked at, %d tries charged, %v", looked, found.Tries, err)
			}
			return ""
		},
	}
}

// trustedDeviceOperation is a sign-in from a trusted device, whose secret is replaced by it: where the answer is lost,
// the old one opens nothing but the person still has the second factor.
func trustedDeviceOperation(t *testing.T, s *user) operation {
	in, err := s.step(s.ticket(t, session.SecondFactor),
		signin.SecondFactorResponse{Method: mfa.RecoveryCode, Code: s.codes[0], Remember: true})
	if err != nil {
		t.Fatal(err)
	}
	name, device := s.owner.row(t).Username, in.DeviceToken.Reveal()
	return operation{next: session.Done, do: func() (signin.Result, error) {
		return s.auth.Login(t.Context(), name, ownPassword, signin.ClientInfo{DeviceToken: device})
	}}
}

// refreshOperation renews a session; asked again with the same token, the person goes on in the one session (V41).
func refreshOperation(t *testing.T, s *user) operation {
	in := s.owner.login(t, "")
	renew := func() (signin.Result, error) {
		return s.auth.Refresh(t.Context(), in.Refresh.Reveal(), signin.ClientInfo{})
	}
	return operation{next: session.Done, do: renew, retry: func() error {
		got, err := renew()
		if err != nil {
			return err
		}
		_, err = s.auth.Authenticate(t.Context(), got.Access.Reveal())
		return err
	}}
}

func ownFaultPaths(u *faultFixture) []faultPath {
	plain := func(t *testing.T) *user { return u.newUser(t, nil) }
	return []faultPath{
		{"ending a set-up", func(t *testing.T) *user { return u.newUser(t, field.Patch{"mfaRequired": true}) },
			setUpOperation},
		{"asking for a link", plain, func(t *testing.T, s *user) operation {
			name, u := s.owner.row(t).Username, s.faultFixture
			return operation{
				do: withoutResult(func() error { return u.recovery.RequestReset(t.Context(), name, u.nextAddress()) }),
				retry: func() error {
					if err := u.recovery.RequestReset(t.Context(), name, u.nextAddress()); err != nil {
						return err
					}
					if err := u.recovery.SetPassword(t.Context(), u.keyService.last, newPassword, ""); err != nil {
						return err
					}
					return s.signInAnew(t)
				}}
		}},
		{"a password by a link", plain, passwordLinkOperation},
		{"one's own password", plain, ownPasswordOperation},
		{"removing one's second factor", u.withAuthenticator, func(t *testing.T, s *user) operation {
			in, err := s.step(s.ticket(t, session.SecondFactor),
				signin.SecondFactorResponse{Method: mfa.RecoveryCode, Code: s.codes[0], Remember: true})
			if err != nil {
				t.Fatal(err)
			}
			scope := s.owner.scope(t, in)
			return operation{do: withoutResult(func() error { return s.selfService.Remove(t.Context(), scope, ownPassword) }),
				check: func(t *testing.T, err error) string {
					_, dead := s.auth.Authenticate(t.Context(), in.Access.Reveal())
					if on := s.owner.row(t).MFAEnabled; on != (dead == nil) || err == nil && on {
						return fmt.Sprintf("second factor %v, session %v", on, dead)
					}
					return ""
				}}
		}},
		{"a block", plain, blockOperation},
		{"a session by a key", u.apiClient, func(t *testing.T, s *user) operation {
			key := s.secret
			open := func() (signin.Result, error) {
				return s.auth.LoginWithKey(t.Context(), key, signin.ClientInfo{Client: "nightly"})
			}
			return operation{next: session.Done, do: open, retry: func() error { _, err := open(); return err }}
		}},
		{"a key itself", u.apiClient, func(t *testing.T, s *user) operation {
			key := s.secret
			use := func() error {
				scope, err := s.auth.Authenticate(t.Context(), key)
				if err == nil && scope.Caller.AccountID != s.id {
					return fmt.Errorf("let in as %q", scope.Caller.AccountID)
				}
				return err
			}
			return operation{do: withoutResult(use), retry: use}
		}},
	}
}

// apiClient is an account that is used by its API key, which is its secret.
func (u *faultFixture) apiClient(t *testing.T) *user {
	t.Helper()
	s := u.newUser(t, field.Patch{})
	u.made++
	client := u.create(t, fmt.Sprintf("robot%d", u.made), field.Patch{"userType": "API", "email": nil})
	if _, err := u.accounts.Allow(t.Context(), u.currentScope(t), client.ID, 0); err != nil {
		t.Fatal(err)
	}
	keys := &apikey.Service{Store: dynamo.APIKeys{Table: u.table}, Accounts: u.accounts, Now: time.Now,
		NewID: token.NewID, Random: rand.Reader}
	_, issued, err := keys.Create(t.Context(), u.currentScope(t), client.ID,
		apikey.CreateParams{Description: "nightly", ValidDays: 90})
	if err != nil {
		t.Fatal(err)
	}
	s.id, s.secret = client.ID, issued.Reveal()
	return s
}

// setUpOperation confirms an authenticator. Where the answer is lost, the person has the authenticator but not the
// recovery codes.
func setUpOperation(t *testing.T, s *user) operation {
	ticket := s.ticket(t, session.SetUpSecondFactor)
	shown, err := s.auth.BeginEnrolment(t.Context(), ticket, mfa.TOTP)
	if err != nil {
		t.Fatal(err)
	}
	code := codeOf(t, shown.Secret, s.owner.now)
	return operation{next: session.Done, do: func() (signin.Result, error) {
		return s.auth.ConfirmEnrolment(t.Context(), ticket, signin.EnrolmentResponse{Code: code}, signin.ClientInfo{})
	}, retry: func() error {
		if s.owner.row(t).MFAEnabled {
			s.secret = shown.Secret
		}
		return s.signInAnew(t)
	}}
}

// passwordLinkOperation sets a password by a link: the link is used if and only if the password is the new one, and
// sessions end with it.
func passwordLinkOperation(t *testing.T, s *user) operation {
	u, in := s.faultFixture, s.owner.login(t, "")
	if err := u.recovery.RequestReset(t.Context(), s.owner.row(t).Username, u.nextAddress()); err != nil {
		t.Fatal(err)
	}
	link, was := u.keyService.last, s.owner.row(t).PasswordHash
	set := func() error { return u.recovery.SetPassword(t.Context(), link, newPassword, "") }
	return operation{do: withoutResult(set), check: func(t *testing.T, err error) string {
		changed := s.owner.row(t).PasswordHash != was
		if _, dead := s.auth.Authenticate(t.Context(), in.Access.Reveal()); changed != (dead != nil) || err == nil &&
			!changed {
			return fmt.Sprintf("changed %v, session %v", changed, dead)
		}
		if again := set(); changed != fault.HasCode(again, "link") || !changed && again != nil {
			return fmt.Sprintf("changed %v, and the link a second time: %v", changed, again)
		}
		return ""
	}}
}

func ownPasswordOperation(t *testing.T, s *user) operation {
	in := s.owner.login(t, "")
	scope, was := s.owner.scope(t, in), s.owner.row(t).PasswordHash
	return operation{next: session.Done, do: func() (signin.Result, error) {
		return s.auth.ChangeOwnPassword(t.Context(), scope, ownPassword, newPassword, signin.ClientInfo{})
	}, check: func(t *testing.T, err error) string {
		changed := s.owner.row(t).PasswordHash != was
		if _, dead := s.auth.Authenticate(t.Context(), in.Access.Reveal()); changed != (dead != nil) || err == nil &&
			!changed {
			return fmt.Sprintf("changed %v, session %v", changed, dead)
		}
		return ""
	}}
}

// blockOperation is an administrator's block: it is there with the end of the sessions, or neither is.
func blockOperation(t *testing.T, s *user) operation {
	in := s.owner.login(t, "")
	block := func() error {
		_, err := s.accounts.Block(t.Context(), s.currentScope(t), s.id, 0, "Left")
		return err
	}
	return operation{do: withoutResult(block), check: func(t *testing.T, err error) string {
		blocked := s.owner.row(t).AccessLocked
		if _, dead := s.auth.Authenticate(t.Context(), in.Access.Reveal()); blocked != (dead != nil) || err == nil &&
			!blocked {
			return fmt.Sprintf("blocked %v, session %v", blocked, dead)
		}
		return ""
	}, retry: func() error {
		if err := block(); err != nil {
			return err
		}
		if err := s.signInAnew(t); !fault.HasCode(err, "signInRefused") {
			return fmt.Errorf("blocked, and in: %w", err)
		}
		if _, err := s.accounts.Allow(t.Context(), s.currentScope(t), s.id, 0); err != nil {
			return err
		}
		return s.signInAnew(t)
	}}
}
