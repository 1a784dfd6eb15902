package signin_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// withLicences has an environment with licences.
type withLicences struct{ *fakeOwnPasswords }

func (l withLicences) Catalogue(context.Context, environment.Environment) (*catalogue.Catalogue, error) {
	return catalogue.New([]catalogue.Entry{
		{Kind: catalogue.Licence, Code: "FULL", Active: true},
		{Kind: catalogue.Licence, Code: "API", Active: true, APIOnly: true},
	}), l.fail["Catalogue"]
}

func loginWithProvider(w *fakeStore, id string, strong bool) (signin.Result, error) {
	o := &fakeOwnPasswords{fakeStore: w}
	s := o.services()
	s.Credentials = withLicences{o}
	return s.LoginWithProvider(context.Background(), id, strong, signin.ClientInfo{Client: "curl", Address: "192.0.2.1"})
}

func TestLoginWithProviderOpensASession(t *testing.T) {
	for name, set := range map[string]func(*account.Account){
		"with a password":                     func(*account.Account) {},
		"without one":                         func(a *account.Account) { a.PasswordHash = "" },
		"with a temporary one that is over":   func(a *account.Account) { a.PasswordExpires = noon.Add(-time.Hour) },
		"that has to be changed at a sign-in": func(a *account.Account) { a.ForcePasswordChange = true },
	} {
		w := newFakeStore(doejWith(set))
		w.change("doej", func(a *account.Account) { a.FailedTries = 4 })
		got, err := loginWithProvider(w, doej().ID, false)
		if err != nil || got.Next != session.Done || !reflect.DeepEqual(w.sessions[got.Session.ID], got.Session) ||
			got.Session.Client != "curl" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if a := w.accounts["doej"]; a.FailedTries != 4 || len(w.reserved) != 0 || w.work != 0 ||
			a.PasswordHash != doejWith(set).PasswordHash {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// C07, C23, C27, C38: every reason against it is one answer, of which only the log knows more.
func TestLoginWithProviderRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		set func(*account.Account)
		id  string
		why string
	}{
		"linked to nobody": {why: "linked to no account"},
		"deleted since":    {id: "01JZ0000000000000000000009", why: "linked to no account"},
		"locked":           {set: func(a *account.Account) { a.Active = false }, why: "The account is locked."},
		"blocked":          {set: func(a *account.Account) { a.AccessLocked = true }, why: "Login access is blocked."},
		"not yet":          {set: func(a *account.Account) { a.DateFrom = tomorrow }, why: "Outside the account's dates."},
		"no more":          {set: func(a *account.Account) { a.DateTo = yesterday }, why: "Outside the account's dates."},
		"for API clients":  {set: func(a *account.Account) { a.UserType = "API" }, why: "API clients"},
		"without licence":  {set: func(a *account.Account) { a.UserType = "GONE"; a.PasswordHash = "" }, why: "API clients"},
		"locked, and blocked by tries": {
			set: func(a *account.Account) { a.Active, a.FailedTries, a.TriesBlockedAt = false, 5, noon.Add(-time.Second) },
			why: "The account is locked.",
		},
	} {
		if c.set == nil {
			c.set = func(*account.Account) {}
		} else {
			c.id = doej().ID
		}
		w := newFakeStore(doejWith(c.set))
		got, err := loginWithProvider(w, c.id, true)
		if !fault.HasCode(err, "signInRefused") || got.Access.Kind != "" || got.Ticket.Kind != "" ||
			len(w.sessions)+len(w.tickets) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if len(w.reserved) != 0 || len(w.failures) != 1 || w.failures[0].Blocks {
			t.Fatalf("%s: %d attempts, %d refusals", name, len(w.reserved), len(w.failures))
		}
		r := w.failures[0]
		if r.Known == (c.why == "linked to no account") || r.Known && !strings.Contains(r.Reason, c.why) {
			t.Errorf("%s: the log says %+v", name, r)
		}
	}
}

// C07: an account that is blocked between the attempt and the session stays out.
func TestLoginWithProviderRefusesAChangedAccount(t *testing.T) {
	w := newFakeStore(doej())
	w.beforeWrite = func() { w.change("doej", func(a *account.Account) { a.Epoch++ }) }
	if _, err := loginWithProvider(w, doej().ID, false); !fault.HasCode(err, "signInRefused") || len(w.sessions) != 0 ||
		len(w.failures) != 1 {
		t.Errorf("%v", err)
	}
}

// V95: what a provider vouches for is no guess. Wrong passwords by strangers do not stop it, at once or after any
// number of them, and it leaves their count and the block as they are.
func TestStrangersGuessesDoNotStopAProvider(t *testing.T) {
	for _, failures := range []int64{5, 99, account.MaxConsecutiveFailures} {
		blocked := noon.Add(-time.Second)
		w := newFakeStore(doejWith(func(a *account.Account) { a.FailedTries, a.TriesBlockedAt = failures, blocked }))
		got, err := loginWithProvider(w, doej().ID, false)
		if err != nil || got.Next != session.Done || len(w.reserved) != 0 {
			t.Errorf("after %d failures: %+v, %v, %d attempts counted", failures, got, err, len(w.reserved))
		}
		if a := w.accounts["doej"]; a.FailedTries != failures || !a.TriesBlockedAt.Equal(blocked) {
			t.Errorf("after %d failures: %d, blocked at %s", failures, a.FailedTries, a.TriesBlockedAt)
		}
	}
}

// V33: an account's own second factor is asked for unless the provider vouches for one.
func TestLoginWithProviderAndTheSecondFactor(t *testing.T) {
	for strong, want := range map[bool]session.Step{false: session.SecondFactor, true: session.Done} {
		w := newFakeStore(doejWith(func(a *account.Account) { a.MFAEnabled = true }))
		w.factors = mfa.Factors{Seed: []byte("x")}
		got, err := loginWithProvider(w, doej().ID, strong)
		if err != nil || got.Next != want {
			t.Errorf("strong %v: %+v, %v", strong, got, err)
		}
	}
}
