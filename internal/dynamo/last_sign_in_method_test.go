package dynamo_test

import (
	"context"
	"fmt"
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/environment"
	"useraccounts/internal/factor"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/sso"
)

// passwordlessUser is a user without a password who signs in by a provider and by a passkey, and a session of theirs.
type passwordlessUser struct {
	*owner
	ownIdentities *sso.SelfService
	scope         access.Scope
	passkey       mfa.Passkey
}

func (s *ssoFixture) newPasswordlessUser(t *testing.T, username string) *passwordlessUser {
	t.Helper()
	a := s.create(t, username, nil)
	if _, err := s.accounts.Allow(t.Context(), s.currentScope(t), a.ID, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.links.Link(t.Context(), s.admin, a.ID, s.provider.ID, "sub-"+username); err != nil {
		t.Fatal(err)
	}
	k := &passwordlessUser{owner: ownerOf(t, s.fixture, a.ID)}
	k.signInByProvider(t)
	_, k.passkey, _ = k.newPasskey(t, k.scope, "Phone")
	k.ownIdentities = &sso.SelfService{Identities: s.links, Factors: factors.Store{Table: s.table}, Now: k.auth.Now}
	return k
}

// signInByProvider opens a session by the provider.
func (k *passwordlessUser) signInByProvider(t *testing.T) {
	t.Helper()
	in, err := k.auth.LoginWithProvider(t.Context(), k.id, true, signin.ClientInfo{})
	if err != nil || in.Next != session.Done {
		t.Fatal(in.Next, err)
	}
	k.scope = k.owner.scope(t, in)
}

// countSignInMethods counts the methods that sign in by now: passkeys and identities.
func (k *passwordlessUser) countSignInMethods(t *testing.T) (passkeys, links int) {
	t.Helper()
	found, err := k.auth.Devices.LoadFactors(t.Context(), k.id, "")
	if err != nil {
		t.Fatal(err)
	}
	a := k.row(t)
	if a.MFAEnabled {
		passkeys = len(found.Passkeys)
	}
	return passkeys, len(a.LinkedProviders)
}

// Who has no password keeps the last passkey, alone or with the whole second factor, unless a link to a provider lets
// them in: one to a provider that is turned off does not.
func TestTheLastPasskeyStaysWithoutAPassword(t *testing.T) {
	s := newSSOFixture(t)
	k := s.newPasswordlessUser(t, "owner")
	_, second, _ := k.newPasskey(t, k.scope, "Key")
	enable := func(on bool) {
		t.Helper()
		is, err := s.providers.Get(t.Context(), env, s.provider.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.providers.Change(t.Context(), s.admin, is.ID, is.Version,
			sso.Draft{Patch: field.Patch{"enabled": on}}); err != nil {
			t.Fatal(err)
		}
	}
	enable(false)
	if err := k.selfService.Remove(t.Context(), k.scope, ""); !fault.HasCode(err, "lastWayIn") {
		t.Errorf("the whole second factor: %v", err)
	}
	if err := k.selfService.RemovePasskey(t.Context(), k.scope, second.ID, ""); err != nil {
		t.Errorf("one of two: %v", err)
	}
	if err := k.selfService.RemovePasskey(t.Context(), k.scope, k.passkey.ID, ""); !fault.HasCode(err, "lastWayIn") {
		t.Errorf("the last, beside a link that is turned off: %v", err)
	}
	if err := k.ownIdentities.Unlink(t.Context(), k.scope, s.provider.ID, ""); err != nil {
		t.Errorf("the link, beside a passkey: %v", err)
	}
	if err := k.selfService.RemovePasskey(t.Context(), k.scope, k.passkey.ID, ""); !fault.HasCode(err, "lastWayIn") {
		t.Errorf("the last: %v", err)
	}
	enable(true)
	if _, err := s.links.Link(t.Context(), s.admin, k.id, s.provider.ID, "sub-anew"); err != nil {
		t.Fatal(err)
	}
	if err := k.selfService.RemovePasskey(t.Context(), k.scope, k.passkey.ID, ""); err != nil {
		t.Errorf("beside a link: %v", err)
	}
	k.signInByProvider(t)
	if err := k.ownIdentities.Unlink(t.Context(), k.scope, s.provider.ID, ""); !fault.HasCode(err, "lastWayIn") {
		t.Errorf("the link that is left: %v", err)
	}
}

// interleavedStore is the stores behind the removals. What is set happens once, between their reading and their
// writing.
type interleavedStore struct {
	factor.Accounts
	factor.Store
	sso.IdentityStore
	between func()
}

func (p *interleavedStore) interleave() {
	if then := p.between; then != nil {
		p.between = nil
		then()
	}
}

func (p *interleavedStore) Write(ctx context.Context, e environment.Environment, w account.Write) error {
	p.interleave()
	return p.Accounts.Write(ctx, e, w)
}

func (p *interleavedStore) WriteFactors(
	ctx context.Context, e environment.Environment, w account.Write, c mfa.Change,
) error {
	p.interleave()
	return p.Store.WriteFactors(ctx, e, w, c)
}

func (p *interleavedStore) WriteIdentities(ctx context.Context, ws []sso.IdentityWrite) error {
	p.interleave()
	return p.IdentityStore.WriteIdentities(ctx, ws)
}

// Of a passkey and a link, each the last way in but for the other, one stays, in whatever order their removals are
// judged and written.
func TestOfThePasskeyAndTheLinkOneStays(t *testing.T) {
	s := newSSOFixture(t)
	unlink := func(k *passwordlessUser) error {
		return k.ownIdentities.Unlink(context.Background(), k.scope, s.provider.ID, "")
	}
	remove := func(k *passwordlessUser) error {
		return k.selfService.RemovePasskey(context.Background(), k.scope, k.passkey.ID, "")
	}
	whole := func(k *passwordlessUser) error { return k.selfService.Remove(context.Background(), k.scope, "") }
	for i, c := range []struct {
		name          string
		first, second func(*passwordlessUser) error
		authenticator bool
	}{
		{"a passkey, while the link goes", remove, unlink, false},
		{"a passkey beside an authenticator, while the link goes", remove, unlink, true},
		{"the whole second factor, while the link goes", whole, unlink, false},
		{"the link, while the passkey goes", unlink, remove, false},
		{"the link, while the passkey beside an authenticator goes", unlink, remove, true},
		{"the link, while the whole second factor goes", unlink, whole, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := s.newPasswordlessUser(t, fmt.Sprintf("paused%d", i))
			if c.authenticator {
				shown, err := k.selfService.BeginTOTP(t.Context(), k.scope, "")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := k.selfService.ConfirmTOTP(t.Context(), k.scope, codeOf(t, shown.Secret, k.now)); err != nil {
					t.Fatal(err)
				}
			}
			p := &interleavedStore{Accounts: k.selfService.Accounts, Store: k.selfService.Store, IdentityStore: s.store}
			links := *s.links
			k.selfService.Accounts, k.selfService.Store, links.Store, k.ownIdentities.Identities = p, p, p, &links
			var between error
			p.between = func() { between = c.second(k) }
			err := c.first(k)
			if between != nil || !fault.HasCode(err, "busy") && !fault.HasCode(err, "lastWayIn") {
				t.Errorf("%v, and what came between: %v", err, between)
			}
			if passkeys, links := k.countSignInMethods(t); passkeys+links != 1 {
				t.Errorf("%d passkeys and %d links are left", passkeys, links)
			}
			if err := c.first(k); !fault.HasCode(err, "lastWayIn") {
				t.Errorf("once more: %v", err)
			}
		})
	}
	for round := range 5 {
		k := s.newPasswordlessUser(t, fmt.Sprintf("racer%d", round))
		outcomes := inParallel(func() error { return unlink(k) }, func() error { return remove(k) })
		if passkeys, links := k.countSignInMethods(t); passkeys+links != 1 {
			t.Errorf("%d passkeys and %d links are left: %v", passkeys, links, outcomes)
		}
	}
}
