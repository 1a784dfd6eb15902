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

// lastTry is the wrong password that blocks. Whatever fails, nobody gets another try, and the block comes with the next one.
func lastTry(t *testing.T, s *somebody) deed {
	name := s.owner.row(t).Username
	guess := func(password string) error {
		_, err := s.people.Login(t.Context(), name, password, signin.Device{})
		return err
	}
	for range 4 {
		_ = guess("wrong")
	}
	return deed{
		refusal: "signInRefused", do: done(func() error { return guess("wrong") }),
		again: func() error {
			if a := s.owner.row(t); a.FailedTries == 4 { // the try was never charged
				_ = guess("wrong")
			}
			if err := guess(personal); !fault.HasCode(err, "signInRefused") {
				return fmt.Errorf("one try more: %w", err)
			}
			if a := s.owner.row(t); a.TriesBlockedAt.IsZero() || a.FailedTries != 5 {
				return fmt.Errorf("%d tries, blocked at %v", a.FailedTries, a.TriesBlockedAt)
			}
			s.owner.now = s.owner.now.Add(time.Hour) // the timed release
			if err := guess(personal); err != nil {
				return err
			}
			return s.getIn(t)
		},
	}
}

// wrongCodeDeed is a wrong code of the authenticator: none is looked at that is not charged (V13).
func wrongCodeDeed(t *testing.T, s *somebody) deed {
	ticket, opens := s.ticket(t, session.SecondFactor), s.keys.opens
	code := wrongOf(codeOf(t, s.secret, s.owner.now))
	return deed{
		refusal: "code", do: func() (signin.Result, error) {
			return s.step(ticket, signin.SecondFactor{Method: mfa.TOTP, Code: code})
		},
		holds: func(t *testing.T, _ error) string {
			found, err := s.people.Factors.Recall(t.Context(), s.id, "")
			if looked := s.keys.opens - opens; err != nil || int64(looked) > int64(found.Tries) {
				return fmt.Sprintf("%d codes looked at, %d tries charged, %v", looked, found.Tries, err)
			}
			return ""
		},
	}
}

// trustedDeed is a sign-in from a trusted device, whose secret is replaced by it: where the answer is lost, the old one opens
// nothing but the person still has the second factor.
func trustedDeed(t *testing.T, s *somebody) deed {
	in, err := s.step(s.ticket(t, session.SecondFactor), signin.SecondFactor{Method: mfa.RecoveryCode, Code: s.codes[0], Remember: true})
	if err != nil {
		t.Fatal(err)
	}
	name, device := s.owner.row(t).Username, in.Device.Reveal()
	return deed{next: session.Done, do: func() (signin.Result, error) {
		return s.people.Login(t.Context(), name, personal, signin.Device{Token: device})
	}}
}

// renewalDeed renews a session; asked again with the same token, the person goes on in the one session (V41).
func renewalDeed(t *testing.T, s *somebody) deed {
	in := s.owner.login(t, "")
	renew := func() (signin.Result, error) {
		return s.people.Refresh(t.Context(), in.Refresh.Reveal(), signin.Device{})
	}
	return deed{next: session.Done, do: renew, again: func() error {
		got, err := renew()
		if err != nil {
			return err
		}
		_, err = s.people.Authenticate(t.Context(), got.Access.Reveal())
		return err
	}}
}

func ownFaultPaths(u *unreliable) []faultPath {
	plain := func(t *testing.T) *somebody { return u.somebody(t, nil) }
	return []faultPath{
		{"ending a set-up", func(t *testing.T) *somebody { return u.somebody(t, field.Patch{"mfaRequired": true}) }, setUpDeed},
		{"asking for a link", plain, func(t *testing.T, s *somebody) deed {
			name, u := s.owner.row(t).Username, s.unreliable
			return deed{do: done(func() error { return u.recovery.Forgotten(t.Context(), name, u.elsewhere()) }), again: func() error {
				if err := u.recovery.Forgotten(t.Context(), name, u.elsewhere()); err != nil {
					return err
				}
				if err := u.recovery.SetPassword(t.Context(), u.keys.last, renewed, ""); err != nil {
					return err
				}
				return s.getIn(t)
			}}
		}},
		{"a password by a link", plain, linkDeed},
		{"one's own password", plain, ownPasswordDeed},
		{"removing one's second factor", u.enrolled, func(t *testing.T, s *somebody) deed {
			in, err := s.step(s.ticket(t, session.SecondFactor), signin.SecondFactor{Method: mfa.RecoveryCode, Code: s.codes[0], Remember: true})
			if err != nil {
				t.Fatal(err)
			}
			scope := s.owner.scope(t, in)
			return deed{do: done(func() error { return s.own.Remove(t.Context(), scope, personal) }), holds: func(t *testing.T, err error) string {
				_, dead := s.people.Authenticate(t.Context(), in.Access.Reveal())
				if on := s.owner.row(t).MFAEnabled; on != (dead == nil) || err == nil && on {
					return fmt.Sprintf("second factor %v, session %v", on, dead)
				}
				return ""
			}}
		}},
		{"a block", plain, blockDeed},
		{"a session by a key", u.robot, func(t *testing.T, s *somebody) deed {
			key := s.secret
			open := func() (signin.Result, error) {
				return s.people.LoginByKey(t.Context(), key, signin.Device{Client: "nightly"})
			}
			return deed{next: session.Done, do: open, again: func() error { _, err := open(); return err }}
		}},
		{"a key itself", u.robot, func(t *testing.T, s *somebody) deed {
			key := s.secret
			use := func() error {
				scope, err := s.people.Authenticate(t.Context(), key)
				if err == nil && scope.Caller.AccountID != s.id {
					return fmt.Errorf("let in as %q", scope.Caller.AccountID)
				}
				return err
			}
			return deed{do: done(use), again: use}
		}},
	}
}

// robot is an account that is used by its API key, which is its secret.
func (u *unreliable) robot(t *testing.T) *somebody {
	t.Helper()
	s := u.somebody(t, field.Patch{})
	u.made++
	client := u.create(t, fmt.Sprintf("robot%d", u.made), field.Patch{"userType": "API", "email": nil})
	if _, err := u.accounts.Allow(t.Context(), u.fresh(t), client.ID, 0); err != nil {
		t.Fatal(err)
	}
	keys := &apikey.Service{Store: dynamo.Keys{Table: u.table}, Accounts: u.accounts, Now: time.Now, NewID: token.NewID, Random: rand.Reader}
	_, issued, err := keys.Create(t.Context(), u.fresh(t), client.ID, apikey.Choice{Description: "nightly", ValidDays: 90})
	if err != nil {
		t.Fatal(err)
	}
	s.id, s.secret = client.ID, issued.Reveal()
	return s
}

// setUpDeed confirms an authenticator. Where the answer is lost, the person has the authenticator but not the recovery codes.
func setUpDeed(t *testing.T, s *somebody) deed {
	ticket := s.ticket(t, session.SetUpSecondFactor)
	shown, err := s.people.BeginSetUp(t.Context(), ticket, mfa.TOTP)
	if err != nil {
		t.Fatal(err)
	}
	code := codeOf(t, shown.Secret, s.owner.now)
	return deed{next: session.Done, do: func() (signin.Result, error) {
		return s.people.ConfirmSetUp(t.Context(), ticket, signin.NewFactor{Code: code}, signin.Device{})
	}, again: func() error {
		if s.owner.row(t).MFAEnabled {
			s.secret = shown.Secret
		}
		return s.getIn(t)
	}}
}

// linkDeed sets a password by a link: the link is used if and only if the password is the new one, and sessions end with it.
func linkDeed(t *testing.T, s *somebody) deed {
	u, in := s.unreliable, s.owner.login(t, "")
	if err := u.recovery.Forgotten(t.Context(), s.owner.row(t).Username, u.elsewhere()); err != nil {
		t.Fatal(err)
	}
	link, was := u.keys.last, s.owner.row(t).PasswordHash
	set := func() error { return u.recovery.SetPassword(t.Context(), link, renewed, "") }
	return deed{do: done(set), holds: func(t *testing.T, err error) string {
		changed := s.owner.row(t).PasswordHash != was
		if _, dead := s.people.Authenticate(t.Context(), in.Access.Reveal()); changed != (dead != nil) || err == nil && !changed {
			return fmt.Sprintf("changed %v, session %v", changed, dead)
		}
		if again := set(); changed != fault.HasCode(again, "link") || !changed && again != nil {
			return fmt.Sprintf("changed %v, and the link a second time: %v", changed, again)
		}
		return ""
	}}
}

func ownPasswordDeed(t *testing.T, s *somebody) deed {
	in := s.owner.login(t, "")
	scope, was := s.owner.scope(t, in), s.owner.row(t).PasswordHash
	return deed{next: session.Done, do: func() (signin.Result, error) {
		return s.people.ChangeOwnPassword(t.Context(), scope, personal, renewed, signin.Device{})
	}, holds: func(t *testing.T, err error) string {
		changed := s.owner.row(t).PasswordHash != was
		if _, dead := s.people.Authenticate(t.Context(), in.Access.Reveal()); changed != (dead != nil) || err == nil && !changed {
			return fmt.Sprintf("changed %v, session %v", changed, dead)
		}
		return ""
	}}
}

// blockDeed is an administrator's block: it is there with the end of the sessions, or neither is.
func blockDeed(t *testing.T, s *somebody) deed {
	in := s.owner.login(t, "")
	block := func() error {
		_, err := s.accounts.Block(t.Context(), s.fresh(t), s.id, 0, "Left")
		return err
	}
	return deed{do: done(block), holds: func(t *testing.T, err error) string {
		blocked := s.owner.row(t).AccessLocked
		if _, dead := s.people.Authenticate(t.Context(), in.Access.Reveal()); blocked != (dead != nil) || err == nil && !blocked {
			return fmt.Sprintf("blocked %v, session %v", blocked, dead)
		}
		return ""
	}, again: func() error {
		if err := block(); err != nil {
			return err
		}
		if err := s.getIn(t); !fault.HasCode(err, "signInRefused") {
			return fmt.Errorf("blocked, and in: %w", err)
		}
		if _, err := s.accounts.Allow(t.Context(), s.fresh(t), s.id, 0); err != nil {
			return err
		}
		return s.getIn(t)
	}}
}
