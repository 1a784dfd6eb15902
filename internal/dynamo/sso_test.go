package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/accountlog"
	"useraccounts/internal/dynamo/authrequests"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/mail"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/sso"
	"useraccounts/internal/token"
)

// plainSealer is a Sealer that keeps what it is bound to beside the text, as a real one does.
type plainSealer struct{}

func (plainSealer) Seal(_ context.Context, text, bound []byte) ([]byte, error) {
	return []byte(string(bound) + "|" + string(text)), nil
}

func (plainSealer) Open(_ context.Context, sealed, bound []byte) ([]byte, error) {
	if len(sealed) <= len(bound) || string(sealed[:len(bound)]) != string(bound) {
		return nil, errors.New("sealed for something else")
	}
	return sealed[len(bound)+1:], nil
}

type ssoFixture struct {
	*fixture
	store     dynamo.SSO
	providers *sso.Providers
	links     *sso.Identities
	provider  sso.Provider
}

func newSSOFixture(t *testing.T) *ssoFixture {
	t.Helper()
	f := newFixture(t)
	s := &ssoFixture{fixture: f, store: dynamo.NewSSO(f.table)}
	s.providers = &sso.Providers{Store: s.store, Sealer: plainSealer{}, Now: time.Now, NewID: token.NewIDString}
	s.links = &sso.Identities{Store: s.store, Accounts: f.accounts, Providers: s.providers, Now: time.Now,
		NewID: token.NewIDString}
	secret := "s3cret"
	p, err := s.providers.Create(t.Context(), f.admin, sso.Draft{Secret: &secret, Patch: field.Patch{
		"name": "Works", "kind": "oidc", "issuer": "https://id.example.com", "clientId": "c1", "enabled": true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.provider = p
	return s
}

func TestProvidersAreKeptWithTheirVersions(t *testing.T) {
	s := newSSOFixture(t)
	ctx := t.Context()
	all, err := s.providers.List(ctx, s.admin)
	if err != nil || len(all) != 1 || all[0].Name != "Works" || !all[0].Enabled || all[0].Version != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	if secret, err := s.providers.Secret(ctx, env, all[0]); err != nil || secret != "s3cret" {
		t.Errorf("secret %q, %v", secret, err)
	}
	changed, err := s.providers.Change(ctx, s.admin, s.provider.ID, 1, sso.Draft{Patch: field.Patch{"name": "The works"}})
	if err != nil || changed.Version != 2 {
		t.Fatalf("%+v, %v", changed, err)
	}
	if secret, err := s.providers.Secret(ctx, env, changed); err != nil || secret != "s3cret" {
		t.Errorf("a change without a secret leaves %q, %v", secret, err)
	}
	// V62: a stale version is refused, and says what changed.
	_, err = s.providers.Change(ctx, s.admin, s.provider.ID, 1, sso.Draft{Patch: field.Patch{"enabled": false}})
	if !fault.Is(err, fault.Stale) || len(fault.As(err).Fields) != 1 || fault.As(err).Fields[0].Field != "name" {
		t.Errorf("stale: %v", err)
	}
	linked := s.create(t, "linked", nil)
	if _, err := s.links.Link(ctx, s.admin, linked.ID, s.provider.ID, "o-1"); err != nil {
		t.Fatal(err)
	}
	if err := s.providers.Delete(ctx, s.admin, s.provider.ID, 2); !fault.HasCode(err, "linked") {
		t.Errorf("deleted with links: %v", err)
	}
	if _, err := s.providers.Change(ctx, s.admin, s.provider.ID, 2,
		sso.Draft{Patch: field.Patch{"issuer": "https://other.example.com"}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("another issuer with links: %v", err)
	}
	if err := s.links.Unlink(ctx, s.admin, linked.ID, s.provider.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.providers.Delete(ctx, s.admin, s.provider.ID, 2); err != nil {
		t.Errorf("delete: %v", err)
	}
}

// V55, C31: an identity is one account's and an account has one identity at a provider, also when many link at once.
func TestParallelLinksMakeOne(t *testing.T) {
	s := newSSOFixture(t)
	var people []account.Account
	for i := range 6 {
		people = append(people, s.create(t, fmt.Sprintf("person%d", i), nil))
	}
	race := func(link func(i int) error) (won int) {
		t.Helper()
		var wait sync.WaitGroup
		outcomes := make([]error, len(people))
		for i := range people {
			wait.Go(func() { outcomes[i] = link(i) })
		}
		wait.Wait()
		for _, err := range outcomes {
			switch {
			case err == nil:
				won++
			case !fault.Is(err, fault.Conflict):
				t.Errorf("lost with %v", err)
			}
		}
		return won
	}
	if won := race(func(i int) error {
		_, err := s.links.Link(t.Context(), s.admin, people[i].ID, s.provider.ID, "the-one")
		return err
	}); won != 1 {
		t.Errorf("one identity was linked to %d accounts", won)
	}
	other := s.create(t, "other", nil)
	if won := race(func(i int) error {
		_, err := s.links.Link(t.Context(), s.admin, other.ID, s.provider.ID, fmt.Sprintf("o-%d", i))
		return err
	}); won != 1 {
		t.Errorf("one account was linked to %d identities", won)
	}
	if of, err := s.links.List(t.Context(), s.admin, other.ID); err != nil || len(of) != 1 {
		t.Errorf("%+v, %v", of, err)
	}
}

func TestALinkGoesWithItsAccount(t *testing.T) {
	s := newSSOFixture(t)
	ctx := t.Context()
	a := s.create(t, "walkerp", nil)
	if _, err := s.links.Link(ctx, s.admin, a.ID, s.provider.ID, "o-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.links.Link(ctx, s.admin, a.ID, s.provider.ID, " o-1 "); err != nil {
		t.Errorf("a second click: %v", err)
	}
	// A rename takes the mark along.
	now, err := s.accounts.Get(ctx, s.admin, a.ID)
	if err != nil || !now.LinkedTo(s.provider.ID) {
		t.Fatalf("%v, %v", now.LinkedProviders, err)
	}
	renamed, err := s.accounts.Change(ctx, s.admin, a.ID, now.Version, field.Patch{"username": "walkerq"})
	if err != nil {
		t.Fatal(err)
	}
	if now, err = s.accounts.Get(ctx, s.admin, a.ID); err != nil || !now.LinkedTo(s.provider.ID) {
		t.Errorf("after the rename: %v, %v", now.LinkedProviders, err)
	}
	// C42, V65: with the account its link is gone, and whoever gets the name has none.
	if err := s.accounts.Delete(ctx, s.admin, a.ID, renamed.Version); err != nil {
		t.Fatal(err)
	}
	whose, err := s.store.IdentitiesByObjectID(ctx, env, s.provider.ID, []string{"o-1"})
	if err != nil || len(whose) != 0 {
		t.Errorf("left over: %+v, %v", whose, err)
	}
	again := s.create(t, "walkerq", nil)
	if of, err := s.links.List(ctx, s.admin, again.ID); err != nil || len(of) != 0 {
		t.Errorf("inherited: %+v, %v", of, err)
	}
	if _, err := s.links.Link(ctx, s.admin, again.ID, s.provider.ID, "o-1"); err != nil {
		t.Errorf("the identity is not free again: %v", err)
	}
}

func TestLinkAllSaysWhatBecameOfEach(t *testing.T) {
	s := newSSOFixture(t)
	ctx := t.Context()
	for i := range 40 {
		s.create(t, fmt.Sprintf("p%02d", i), nil)
	}
	busy := s.create(t, "busy", nil)
	if _, err := s.links.Link(ctx, s.admin, busy.ID, s.provider.ID, "busy-1"); err != nil {
		t.Fatal(err)
	}
	var pairs []sso.Pair
	for i := range 40 {
		pairs = append(pairs, sso.Pair{Email: fmt.Sprintf(" P%02d@Example.com", i), ObjectID: fmt.Sprintf("o-%02d", i)})
	}
	pairs = append(pairs,
		sso.Pair{Email: "busy@example.com", ObjectID: "busy-1"}, sso.Pair{Email: "busy@example.com", ObjectID: "busy-1"},
		sso.Pair{Email: "nobody@example.com", ObjectID: "o-n"}, sso.Pair{Email: "no email", ObjectID: "o-x"},
		sso.Pair{Email: "p01@example.com", ObjectID: "o-01"})
	want := func(out []sso.MatchResult, first sso.Outcome) {
		t.Helper()
		for i := range 40 {
			if out[i].Outcome != first || out[i].Username != fmt.Sprintf("p%02d", i) {
				t.Errorf("%d: %+v", i, out[i])
			}
		}
		for i, o := range []sso.Outcome{sso.AlreadyLinked, sso.AlreadyLinked, sso.NoSuchEmail, sso.Unusable} {
			if out[40+i].Outcome != o {
				t.Errorf("%d: %+v, want %s", 40+i, out[40+i], o)
			}
		}
	}
	before, err := s.links.Match(ctx, s.admin, s.provider, pairs)
	if err != nil {
		t.Fatal(err)
	}
	want(before, sso.Linkable)
	if whose, err := s.store.IdentitiesByObjectID(ctx, env, s.provider.ID, []string{"o-00"}); err != nil ||
		len(whose) > 0 {
		t.Errorf("a preview linked: %v, %v", whose, err)
	}
	done, err := s.links.LinkAll(ctx, s.admin, s.provider, pairs)
	if err != nil {
		t.Fatal(err)
	}
	want(done, sso.LinkedNow)
	again, err := s.links.LinkAll(ctx, s.admin, s.provider, pairs)
	if err != nil {
		t.Fatal(err)
	}
	want(again, sso.AlreadyLinked)
}

// V51, C31: a state is good for one return, also of two at once.
func TestAnAttemptIsTakenOnce(t *testing.T) {
	s := newSSOFixture(t)
	a := sso.AuthRequest{StateHash: []byte{1, 2}, BrowserHash: []byte{3}, Purpose: sso.ToSignIn, ProviderID: "p",
		Params: sso.AuthParams{Nonce: "n", Verifier: "v"}, Expires: time.Now().UTC().Truncate(time.Millisecond)}
	requests := authrequests.Store{Table: s.table}
	if err := requests.SaveAuthRequest(t.Context(), env, a); err != nil {
		t.Fatal(err)
	}
	if _, err := requests.ConsumeAuthRequest(t.Context(), "other", a.StateHash); !fault.Is(err, fault.NotFound) {
		t.Errorf("another environment took it: %v", err)
	}
	var wait sync.WaitGroup
	got := make(chan sso.AuthRequest, 8)
	for range 8 {
		wait.Go(func() {
			if taken, err := requests.ConsumeAuthRequest(t.Context(), env, a.StateHash); err == nil {
				got <- taken
			}
		})
	}
	wait.Wait()
	close(got)
	var all []sso.AuthRequest
	for one := range got {
		all = append(all, one)
	}
	if len(all) != 1 || all[0].Params.Verifier != "v" || !all[0].Expires.Equal(a.Expires) ||
		all[0].Purpose != sso.ToSignIn {
		t.Errorf("%+v", all)
	}
}

// V09, C07: somebody who comes by a provider is not kept out by a temporary password that is over, and is by a block.
func TestProvidersSignInTakesNoPassword(t *testing.T) {
	s := newSSOFixture(t)
	ctx := t.Context()
	a := s.create(t, "walkerp", nil)
	if _, err := s.accounts.SetPassword(ctx, s.admin, a.ID, 0,
		account.NewPasswordRequest{Password: "a long enough secret", ForceChange: true, Unlock: true}); err != nil {
		t.Fatal(err)
	}
	auth := s.signin.clone()
	auth.usePasswords(sessions.OwnPasswords{Table: s.table})
	auth.useFactors(factors.Store{Table: s.table})
	auth.Now = func() time.Time { return time.Now().Add(365 * 24 * time.Hour) }
	if got, err := auth.LoginWithProvider(ctx, a.ID, false, signin.ClientInfo{}); err != nil || got.Next != session.Done {
		t.Errorf("a year later: %+v, %v", got, err)
	}
	if _, err := s.accounts.Block(ctx, s.admin, a.ID, 0, "left"); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.LoginWithProvider(ctx, a.ID, false, signin.ClientInfo{}); !fault.HasCode(err, "signInRefused") {
		t.Errorf("blocked: %v", err)
	}
}

// Two links removed at once, each only while the other is there: one stays.
func TestLinksDependOnEachOther(t *testing.T) {
	s := newSSOFixture(t)
	ctx := t.Context()
	second, err := s.providers.Create(ctx, s.admin,
		sso.Draft{Patch: field.Patch{"name": "B", "kind": "google", "clientId": "c", "enabled": true}})
	if err != nil {
		t.Fatal(err)
	}
	both := []string{s.provider.ID, second.ID}
	for round := range 5 {
		a := s.create(t, fmt.Sprintf("both%d", round), nil)
		for _, p := range both {
			if _, err := s.links.Link(ctx, s.admin, a.ID, p, fmt.Sprint("o-", round)); err != nil {
				t.Fatal(err)
			}
		}
		of, err := s.store.IdentitiesOf(ctx, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		if a, err = s.fixture.store.Account(ctx, s.currentScope(t).Env, a.ID); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		outcomes := make([]error, len(of))
		for i, l := range of {
			wait.Go(func() {
				outcomes[i] = s.store.WriteIdentities(ctx, []sso.IdentityWrite{{
					Env: env, Identity: l, DirectoryKey: a.DirectoryKey(), Delete: true, ExpectedAccount: &a,
					Event: auditlog.Event{ID: token.NewIDString(), At: time.Now(), Kind: auditlog.IdentityUnlinked},
				}})
			})
		}
		wait.Wait()
		left, err := s.store.IdentitiesOf(ctx, a.ID)
		if err != nil || len(left) != 1 || !errors.Is(errors.Join(outcomes...), sso.ErrConcurrentChange) {
			t.Errorf("%d left, %v, %v", len(left), outcomes, err)
		}
	}
}

// V92: many links are made and removed in one transaction each; the caller's own account among them is left out.
func TestLinksOfTheCallerAmongMany(t *testing.T) {
	s := newSSOFixture(t)
	ctx := t.Context()
	self := s.admin.Caller.AccountID
	var pairs []sso.Pair
	var ids []string
	for i := range 18 {
		id := self
		if i != 3 {
			id = s.create(t, fmt.Sprintf("many%02d", i), nil).ID
		}
		ids = append(ids, id)
		pairs = append(pairs, sso.Pair{AccountID: id, ObjectID: fmt.Sprintf("o-%02d", i)})
	}
	linked, err := s.links.LinkAll(ctx, s.admin, s.provider, pairs)
	if err != nil || len(linked) != len(ids) {
		t.Fatal(err)
	}
	for i, m := range linked {
		if want := map[bool]sso.Outcome{false: sso.LinkedNow, true: sso.NotAllowed}[i == 3]; m.Outcome != want {
			t.Errorf("%d: %+v, want %s", i, m, want)
		}
	}
	// One was removed by somebody else; one is asked for twice.
	if err := s.links.Unlink(ctx, s.admin, ids[0], s.provider.ID); err != nil {
		t.Fatal(err)
	}
	gone, err := s.links.RemoveAll(ctx, s.admin, s.provider, append(ids, ids[5], "01JZ0000000000000000000001"))
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range gone {
		want := sso.Removed
		switch i {
		case 0, 18:
			want = sso.NotLinked
		case 3:
			want = sso.NotAllowed
		case 19:
			want = sso.NoSuchAccount
		}
		if m.Outcome != want {
			t.Errorf("%d: %+v", i, m)
		}
	}
	for _, id := range ids {
		if of, err := s.store.IdentitiesOf(ctx, id); err != nil || len(of) != 0 {
			t.Errorf("%s keeps %v, %v", id, of, err)
		}
	}
}

// Each link's mail is written in its transaction, as many together as there can be: who is linked gets one, with a line
// in the log; who is not, because somebody else was faster, gets none.
func TestLinksTellTheirOwnersInOneTransaction(t *testing.T) {
	s := newSSOFixture(t)
	table := s.table.WithOutbox(localtest.Outbox(t))
	p := &interleavedStore{IdentityStore: dynamo.NewSSO(table)}
	links := *s.links
	links.Store, links.Mail = p, &mail.Composer{NewID: token.NewIDString}
	var pairs []sso.Pair
	var ids []string
	for i := range sso.MaxPerTransaction {
		id := s.create(t, fmt.Sprintf("told%02d", i), nil).ID
		ids, pairs = append(ids, id), append(pairs, sso.Pair{AccountID: id, ObjectID: fmt.Sprintf("o-%02d", i)})
	}
	waiting := func() (told []string) {
		t.Helper()
		found, _, err := dynamo.NewOutbox(table).LogEntries(t.Context(), env, "", false, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found {
			told = append(told, string(m.Kind)+" "+m.AccountID)
		}
		return told
	}
	// The whole transaction is refused for the one that was linked meanwhile, and with it every mail.
	p.between = func() {
		if _, err := s.links.Link(t.Context(), s.admin, ids[0], s.provider.ID, "o-other"); err != nil {
			t.Error(err)
		}
		p.between = func() {
			if told := waiting(); len(told) != 0 {
				t.Errorf("told before anything was written: %q", told)
			}
		}
	}
	linked, err := links.LinkAll(t.Context(), s.admin, s.provider, pairs)
	if err != nil || linked[0].Outcome != sso.LinkedToAnother || linked[1].Outcome != sso.LinkedNow {
		t.Fatalf("%+v, %v", linked, err)
	}
	told := waiting()
	if len(told) != len(ids)-1 || slices.Contains(told, "linkAdded "+ids[0]) ||
		!slices.Contains(told, "linkAdded "+ids[1]) {
		t.Errorf("told %q", told)
	}
	writes := 0
	p.between = func() { writes++; p.between = func() { writes++ } }
	gone, err := links.RemoveAll(t.Context(), s.admin, s.provider, ids)
	if err != nil || gone[0].Outcome != sso.Removed || writes != 1 {
		t.Errorf("%+v in %d transactions, %v", gone, writes, err)
	}
	if told := waiting(); len(told) != 2*len(ids)-1 {
		t.Errorf("told %d times: %q", len(told), told)
	}
	timeline, _, err := accountlog.Store{Table: table}.Events(t.Context(), s.currentScope(t).Env, ids[1], "", 10)
	mailed := 0
	for _, e := range timeline {
		if e.Kind == auditlog.MailSent {
			mailed++
		}
	}
	if err != nil || mailed != 2 {
		t.Errorf("%d lines about mails, %v", mailed, err)
	}
}
