package dynamo_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"useraccounts/internal/breach"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/authrequests"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/local/issuertest"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/oidc"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/sso"
	"useraccounts/internal/token"
)

// RoundTrip fails requests to a provider as the calls of the table fail: before they arrive, or so that the answer is
// lost.
func (l faultyTransport) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	err = l.call(func() (err error) { answer, err = l.next.RoundTrip(r); return err })
	if err != nil && answer != nil {
		_ = answer.Body.Close()
		answer = nil
	}
	return answer, err
}

type faultyTransport struct {
	*faultInjector
	next http.RoundTripper
}

// providerFixture is a provider with whom people are let in, on a network, a table and a key service with outages.
type providerFixture struct {
	*faultFixture
	issuer   *issuertest.Server
	provider string
}

func newProviderFixture(t *testing.T, u *faultFixture) *providerFixture {
	t.Helper()
	e := &providerFixture{faultFixture: u, issuer: issuertest.Start(t)}
	secret := issuertest.Secret
	made, err := e.providers().Create(t.Context(), u.currentScope(t), sso.Draft{Secret: &secret, Patch: field.Patch{
		"name": "Works", "kind": "oidc", "issuer": e.issuer.URL, "clientId": issuertest.ClientID, "enabled": true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	e.provider = made.ID
	return e
}

func (e *providerFixture) providers() *sso.Providers {
	return &sso.Providers{Store: dynamo.NewSSO(e.table), Sealer: e.keyService, Now: time.Now, NewID: token.NewIDString}
}

// ssoUser is a user who signs in by a provider. The client is new each time and has no discovery document yet.
type ssoUser struct {
	*user
	*providerFixture
	flow *sso.Flow
	own  *sso.SelfService
}

func (e *providerFixture) newSSOUser(s *user) *ssoUser {
	web := oidc.NewHTTP(true)
	web.Transport = faultyTransport{e.faultInjector, web.Transport}
	clock, store := func() time.Time { return s.owner.now }, dynamo.NewSSO(e.table)
	client := &oidc.Client{HTTP: web, RedirectURL: "https://accounts.example.com/sso/callback",
		Loopback: true, Now: time.Now}
	flow := &sso.Flow{Providers: e.providers(), Requests: authrequests.Store{Table: e.table}, Client: client, Now: clock}
	links := &sso.Identities{Store: store, Accounts: e.accounts, Providers: flow.Providers,
		Mail: &mail.Composer{NewID: token.NewIDString}, Now: clock, NewID: token.NewIDString}
	return &ssoUser{s, e, flow,
		&sso.SelfService{Identities: links, Flow: flow, Prover: s.auth, Factors: factors.Store{Table: e.table}, Now: clock}}
}

// authorise leads a browser to the provider, as the account's person, and back.
func (w *ssoUser) authorise(t *testing.T, d sso.AuthRedirect) sso.Callback {
	t.Helper()
	w.issuer.SetUser(issuertest.Claims{"sub": "sub-" + w.user.id})
	q := w.issuer.Authorize(t, d.URL)
	return sso.Callback{State: q.Get("state"), Code: q.Get("code"), BrowserSecret: d.BrowserSecret}
}

func (w *ssoUser) startSignIn(t *testing.T) sso.Callback {
	t.Helper()
	d, err := w.flow.Begin(t.Context(), env, w.provider, sso.AuthRequest{Purpose: sso.ToSignIn})
	if err != nil {
		t.Fatal(err)
	}
	return w.authorise(t, d)
}

// completeSignIn is the whole return: who it is at the provider, whose account that is, and in.
func (w *ssoUser) completeSignIn(r sso.Callback) (signin.Result, error) {
	ctx := context.Background()
	got, err := w.flow.Complete(ctx, env, r, sso.ToSignIn)
	if err != nil {
		return signin.Result{}, err
	}
	whose, err := w.own.Identities.Owner(ctx, env, got)
	if err != nil {
		return signin.Result{}, err
	}
	return w.auth.LoginWithProvider(ctx, whose, true, signin.ClientInfo{})
}

// signInByProvider starts again, and has to succeed.
func (w *ssoUser) signInByProvider(t *testing.T) error {
	t.Helper()
	got, err := w.completeSignIn(w.startSignIn(t))
	if err == nil && got.Next != session.Done {
		err = fmt.Errorf("leads to %q", got.Next)
	}
	return err
}

// linkedUser is a user whose account has an identity at the provider.
func (e *providerFixture) linkedUser(t *testing.T, s *user) *ssoUser {
	t.Helper()
	w := e.newSSOUser(s)
	if _, err := w.own.Identities.Link(t.Context(), e.currentScope(t), s.id, e.provider, "sub-"+s.id); err != nil {
		t.Fatal(err)
	}
	return w
}

// checkIdentity says what of a link is there without the rest: the claim on the identity, the account's own item, the
// mark on its row, and the mails that told of it.
func (w *ssoUser) checkIdentity(t *testing.T) (linked bool, wrong string) {
	t.Helper()
	store := dynamo.NewSSO(w.providerFixture.table)
	whose, err := store.IdentitiesByObjectID(t.Context(), env, w.provider, []string{"sub-" + w.user.id})
	if err != nil {
		t.Fatal(err)
	}
	of, err := store.IdentitiesOf(t.Context(), w.user.id)
	if err != nil {
		t.Fatal(err)
	}
	waiting, _, err := w.providerFixture.outbox.LogEntries(t.Context(), env, "", false, 1000)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, m := range waiting {
		if m.AccountID == w.user.id && m.Kind == mail.IdentityLinked {
			told++
		}
		if m.AccountID == w.user.id && m.Kind == mail.IdentityUnlinked {
			told--
		}
	}
	linked = len(whose) == 1
	if row := w.owner.row(t).LinkedProviders; linked != (len(of) == 1) || linked != slices.Contains(row, w.provider) ||
		linked != (told == 1) {
		wrong = fmt.Sprintf("%d claims, %d links, the row says %q, told %d times", len(whose), len(of), row, told)
	}
	return linked, wrong
}

func (e *providerFixture) paths() []faultPath {
	plain := func(t *testing.T) *user { return e.newUser(t, nil) }
	return []faultPath{
		{"departing to a provider", plain, func(t *testing.T, s *user) operation {
			w := e.linkedUser(t, s)
			var went sso.AuthRedirect
			var failed error
			return operation{do: withoutResult(func() error {
				went, failed = w.flow.Begin(context.Background(), env, e.provider, sso.AuthRequest{Purpose: sso.ToSignIn})
				return failed
			}), retry: func() error {
				if failed == nil { // there is a way back
					if _, err := w.completeSignIn(w.authorise(t, went)); err != nil {
						return err
					}
				}
				return w.signInByProvider(t)
			}}
		}},
		{"coming back from a provider", plain, func(t *testing.T, s *user) operation {
			w := e.linkedUser(t, s)
			back := w.startSignIn(t)
			return operation{next: session.Done, do: func() (signin.Result, error) { return w.completeSignIn(back) },
				retry: func() error {
					// The same return is taken once at most; whoever is told that it is over begins anew.
					if got, err := w.completeSignIn(back); err == nil && got.Next != session.Done || err != nil &&
						fault.As(err) == nil {
						return fmt.Errorf("the same return: %q, %w", got.Next, err)
					}
					return w.signInByProvider(t)
				}}
		}},
		{"linking one's own", plain, func(t *testing.T, s *user) operation {
			w := e.newSSOUser(s)
			scope := s.owner.scope(t, s.owner.login(t, ""))
			link := func(t *testing.T) error {
				d, err := w.own.BeginLink(context.Background(), scope, e.provider, "")
				if err != nil {
					return err
				}
				_, err = w.own.CompleteLink(context.Background(), scope, w.authorise(t, d))
				return err
			}
			d, err := w.own.BeginLink(t.Context(), scope, e.provider, "")
			if err != nil {
				t.Fatal(err)
			}
			back := w.authorise(t, d)
			return operation{
				do: withoutResult(func() error { _, err := w.own.CompleteLink(context.Background(), scope, back); return err }),
				check: func(t *testing.T, err error) string {
					linked, wrong := w.checkIdentity(t)
					if err == nil && !linked {
						wrong = "not linked"
					}
					return wrong
				}, retry: func() error {
					if err := link(t); err != nil {
						return err
					}
					if linked, wrong := w.checkIdentity(t); !linked || wrong != "" {
						return fmt.Errorf("linked %v: %s", linked, wrong)
					}
					return w.signInByProvider(t)
				}}
		}},
		{"unlinking one's own", plain, func(t *testing.T, s *user) operation {
			w := e.linkedUser(t, s)
			scope := s.owner.scope(t, s.owner.login(t, ""))
			unlink := func() error { return w.own.Unlink(context.Background(), scope, e.provider, "") }
			return operation{do: withoutResult(unlink), check: func(t *testing.T, err error) string {
				linked, wrong := w.checkIdentity(t)
				if err == nil && linked {
					wrong = "still linked"
				}
				return wrong
			}, retry: func() error {
				if err := unlink(); err != nil {
					return err
				}
				if linked, wrong := w.checkIdentity(t); linked || wrong != "" {
					return fmt.Errorf("linked %v: %s", linked, wrong)
				}
				if err := w.signInByProvider(t); !fault.HasCode(err, "signInRefused") {
					return fmt.Errorf("unlinked, and in: %w", err)
				}
				return s.signInAnew(t)
			}}
		}},
	}
}

// passkeyPaths are setting passkeys up and asking for them; using one is among the ways in (faultPaths).
func passkeyPaths(u *faultFixture) []faultPath {
	plain := func(t *testing.T) *user { return u.newUser(t, nil) }
	// enters sets a passkey up if there is none, and signs in by it alone.
	enters := func(t *testing.T, s *user, h *passkeyUser) error {
		if !s.owner.row(t).MFAEnabled {
			h, _, _ = s.newPasskey(t, s.owner.scope(t, s.owner.login(t, "")), "Phone")
		}
		h.auth, h.now = s.auth.clone(), s.owner.now
		_, err := h.signInByPasskey(t)
		return err
	}
	// whole says whether passkey, mark on the account and recovery codes are there together.
	whole := func(t *testing.T, s *user, err error) string {
		t.Helper()
		found, bad := s.auth.Devices.LoadFactors(t.Context(), s.id, "")
		codes, worse := s.auth.Factors.RecoveryCodes(t.Context(), s.id)
		if bad != nil || worse != nil {
			t.Fatal(bad, worse)
		}
		if on := s.owner.row(t).MFAEnabled; on != (len(found.Passkeys) == 1) || on != (len(codes) == 10) || err == nil &&
			!on {
			return fmt.Sprintf("second factor %v, %d passkeys, %d codes", on, len(found.Passkeys), len(codes))
		}
		return ""
	}
	return []faultPath{
		{"beginning a passkey", plain, func(t *testing.T, s *user) operation {
			scope := s.owner.scope(t, s.owner.login(t, ""))
			var options []byte
			var failed error
			return operation{do: withoutResult(func() error {
				options, failed = s.selfService.BeginPasskey(context.Background(), scope, "")
				return failed
			}), retry: func() error {
				if failed != nil {
					return enters(t, s, nil)
				}
				h, made := s.attest(t, func() ([]byte, error) { return options, nil })
				if _, _, err := s.selfService.ConfirmPasskey(t.Context(), scope, made, "Phone"); err != nil {
					return err
				}
				return enters(t, s, h)
			}}
		}},
		{"confirming a passkey", plain, func(t *testing.T, s *user) operation {
			scope := s.owner.scope(t, s.owner.login(t, ""))
			h, made := s.attest(t, func() ([]byte, error) { return s.selfService.BeginPasskey(t.Context(), scope, "") })
			return operation{do: withoutResult(func() error {
				_, _, err := s.selfService.ConfirmPasskey(context.Background(), scope, made, "Phone")
				return err
			}),
				check: func(t *testing.T, err error) string { return whole(t, s, err) },
				retry: func() error { return enters(t, s, h) }}
		}},
		{"a passkey as the set-up that is asked for",
			func(t *testing.T) *user { return u.newUser(t, field.Patch{"mfaRequired": true}) },
			func(t *testing.T, s *user) operation {
				ticket := s.ticket(t, session.SetUpSecondFactor)
				h, made := s.attest(t, func() ([]byte, error) {
					begun, err := s.auth.BeginEnrolment(t.Context(), ticket, mfa.PasskeyMethod)
					return begun.PasskeyOptions, err
				})
				confirm := func() (signin.Result, error) {
					return s.auth.ConfirmEnrolment(context.Background(), ticket,
						signin.EnrolmentResponse{Credential: made, Name: "Phone"}, signin.ClientInfo{})
				}
				return operation{next: session.Done, do: confirm,
					check: func(t *testing.T, err error) string { return whole(t, s, err) }, retry: func() error {
						if !s.owner.row(t).MFAEnabled {
							if _, err := confirm(); err != nil {
								return err
							}
						}
						return enters(t, s, h)
					}}
			}},
		{"asking for any passkey", u.withPasskey, func(t *testing.T, s *user) operation {
			s.passkeyUser.auth = s.auth
			var options []byte
			var failed error
			return operation{
				do: withoutResult(func() error { options, failed = s.auth.BeginPasskey(context.Background()); return failed }),
				retry: func() error {
					if failed == nil {
						if _, err := s.auth.LoginWithPasskey(t.Context(), s.passkeyUser.assertion(t, options),
							signin.ClientInfo{}); err != nil {
							return err
						}
					}
					_, err := s.passkeyUser.signInByPasskey(t)
					return err
				}}
		}},
		{"asking for one's passkey", u.withPasskey, func(t *testing.T, s *user) operation {
			ticket := s.ticket(t, session.SecondFactor)
			return operation{
				do: withoutResult(func() error { _, err := s.auth.BeginPasskeyFactor(context.Background(), ticket); return err }),
				retry: func() error {
					raw, err := s.auth.BeginPasskeyFactor(t.Context(), ticket)
					if err != nil {
						return err
					}
					_, err = s.step(ticket,
						signin.SecondFactorResponse{Method: mfa.PasskeyMethod, Credential: s.passkeyUser.assertion(t, raw)})
					return err
				}}
		}},
	}
}

// attest has an authenticator make a passkey of what begin returns.
func (s *user) attest(t *testing.T, begin func() ([]byte, error)) (*passkeyUser, []byte) {
	t.Helper()
	raw, err := begin()
	if err != nil {
		t.Fatal(err)
	}
	h := s.owner.newPasskeyUser()
	return h, h.attestation(t, raw)
}

// publishedPaths are of a person who chooses a password that a service of published ones is asked about. That service
// alone may be away without keeping anybody from anything (V05).
func publishedPaths(t *testing.T, u *faultFixture) []faultPath {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if u.call(func() error { _, err := fmt.Fprintln(w, "0018A45C4D1DEF81644B54AB7F969B88D65:1"); return err }) != nil {
			panic(http.ErrAbortHandler) // the connection ends without an answer
		}
	}))
	t.Cleanup(service.Close)
	away := 0
	known, err := breach.New(service.URL, func(error) { away++ })
	if err != nil {
		t.Fatal(err)
	}
	return []faultPath{
		{"a password that is asked about", func(t *testing.T) *user { return u.newUser(t, nil) },
			func(t *testing.T, s *user) operation {
				s.auth.SelfService.Passwords.Breaches = known
				was := away
				d := ownPasswordOperation(t, s)
				holds := d.check
				d.check = func(t *testing.T, err error) string {
					if away > was && err != nil {
						return "the service of published passwords is away, and the password is refused"
					}
					return holds(t, err)
				}
				return d
			}}}
}

// V84: the table, the key service, the provider or the service of published passwords fails at any one call of setting
// up and removing the ways in. Nothing is answered as done that is not, nothing is there by half, and it goes when all
// is well again.
func TestAnyCallOfAWayInToBeMayFail(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("answer lost %v", after), func(t *testing.T) {
			t.Parallel()
			u := newFaultFixture(t, false)
			for _, path := range slices.Concat(newProviderFixture(t, u).paths(), passkeyPaths(u), publishedPaths(t, u)) {
				t.Run(path.name, func(t *testing.T) { path.survives(t, after) })
			}
		})
	}
}
