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

// RoundTrip fails requests to a provider as the calls of the table fail: before they arrive, or so that the answer is lost.
func (l lossy) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	err = l.call(func() (err error) { answer, err = l.next.RoundTrip(r); return err })
	if err != nil && answer != nil {
		_ = answer.Body.Close()
		answer = nil
	}
	return answer, err
}

type lossy struct {
	*outage
	next http.RoundTripper
}

// entrance is a provider with whom people are let in, on a network, a table and a key service with outages.
type entrance struct {
	*unreliable
	issuer   *issuertest.Server
	provider string
}

func newEntrance(t *testing.T, u *unreliable) *entrance {
	t.Helper()
	e := &entrance{unreliable: u, issuer: issuertest.Start(t)}
	secret := issuertest.Secret
	made, err := e.providers().Create(t.Context(), u.fresh(t), sso.Draft{Secret: &secret, Patch: field.Patch{
		"name": "Works", "kind": "oidc", "issuer": e.issuer.URL, "clientId": issuertest.ClientID, "enabled": true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	e.provider = made.ID
	return e
}

func (e *entrance) providers() *sso.Providers {
	return &sso.Providers{Store: dynamo.NewSignOn(e.table), Sealer: e.keys, Now: time.Now, NewID: token.NewIDText}
}

// traveller is somebody on the way to the provider and back. The client is new each time, and knows no description yet.
type traveller struct {
	*somebody
	*entrance
	flow *sso.Flow
	mine *sso.Own
}

func (e *entrance) traveller(s *somebody) *traveller {
	web := oidc.NewHTTP(true)
	web.Transport = lossy{e.outage, web.Transport}
	clock, store := func() time.Time { return s.owner.now }, dynamo.NewSignOn(e.table)
	client := &oidc.Client{HTTP: web, RedirectURL: "https://accounts.example.com/sso/callback", Now: time.Now}
	flow := &sso.Flow{Providers: e.providers(), Attempts: store, Asker: client, Now: clock}
	links := &sso.Links{Store: store, Accounts: e.accounts, Providers: flow.Providers, Mail: &mail.Desk{NewID: token.NewIDText}, Now: clock, NewID: token.NewIDText}
	return &traveller{s, e, flow, &sso.Own{Links: links, Flow: flow, Prover: &s.people, Factors: dynamo.Factors{Table: e.table}, Now: clock}}
}

// goes leads a browser to the provider, as the account's person, and back.
func (w *traveller) goes(t *testing.T, d sso.Departure) sso.Return {
	t.Helper()
	w.issuer.Person(issuertest.Claims{"sub": "sub-" + w.somebody.id})
	q := w.issuer.Follow(t, d.URL)
	return sso.Return{State: q.Get("state"), Code: q.Get("code"), Browser: d.Browser}
}

func (w *traveller) departs(t *testing.T) sso.Return {
	t.Helper()
	d, err := w.flow.Depart(t.Context(), env, w.provider, sso.Attempt{Purpose: sso.ToSignIn})
	if err != nil {
		t.Fatal(err)
	}
	return w.goes(t, d)
}

// comesBack is the whole return: who it is at the provider, whose account that is, and in.
func (w *traveller) comesBack(r sso.Return) (signin.Result, error) {
	ctx := context.Background()
	got, err := w.flow.Arrive(ctx, env, r, sso.ToSignIn)
	if err != nil {
		return signin.Result{}, err
	}
	whose, err := w.mine.Links.Owner(ctx, env, got)
	if err != nil {
		return signin.Result{}, err
	}
	return w.people.ByProvider(ctx, whose, true, signin.Device{})
}

// comesIn begins anew, and has to get in.
func (w *traveller) comesIn(t *testing.T) error {
	t.Helper()
	got, err := w.comesBack(w.departs(t))
	if err == nil && got.Next != session.Done {
		err = fmt.Errorf("leads to %q", got.Next)
	}
	return err
}

// linked is a traveller whose account is linked.
func (e *entrance) linked(t *testing.T, s *somebody) *traveller {
	t.Helper()
	w := e.traveller(s)
	if _, err := w.mine.Links.Link(t.Context(), e.fresh(t), s.id, e.provider, "sub-"+s.id); err != nil {
		t.Fatal(err)
	}
	return w
}

// whole says what of a link is there without the rest: the claim on the identity, the account's own item, the mark on its row,
// and the mails that told of it.
func (w *traveller) whole(t *testing.T) (linked bool, wrong string) {
	t.Helper()
	store := dynamo.NewSignOn(w.entrance.table)
	whose, err := store.Whose(t.Context(), env, w.provider, []string{"sub-" + w.somebody.id})
	if err != nil {
		t.Fatal(err)
	}
	of, err := store.LinksOf(t.Context(), w.somebody.id)
	if err != nil {
		t.Fatal(err)
	}
	waiting, _, err := w.entrance.outbox.Records(t.Context(), env, "", false, 1000)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, m := range waiting {
		if m.AccountID == w.somebody.id && m.Kind == mail.LinkAdded {
			told++
		}
		if m.AccountID == w.somebody.id && m.Kind == mail.LinkRemoved {
			told--
		}
	}
	linked = len(whose) == 1
	if row := w.owner.row(t).SignOn; linked != (len(of) == 1) || linked != slices.Contains(row, w.provider) || linked != (told == 1) {
		wrong = fmt.Sprintf("%d claims, %d links, the row says %q, told %d times", len(whose), len(of), row, told)
	}
	return linked, wrong
}

func (e *entrance) paths() []faultPath {
	plain := func(t *testing.T) *somebody { return e.somebody(t, nil) }
	return []faultPath{
		{"departing to a provider", plain, func(t *testing.T, s *somebody) deed {
			w := e.linked(t, s)
			var went sso.Departure
			var failed error
			return deed{do: done(func() error {
				went, failed = w.flow.Depart(context.Background(), env, e.provider, sso.Attempt{Purpose: sso.ToSignIn})
				return failed
			}), again: func() error {
				if failed == nil { // there is a way back
					if _, err := w.comesBack(w.goes(t, went)); err != nil {
						return err
					}
				}
				return w.comesIn(t)
			}}
		}},
		{"coming back from a provider", plain, func(t *testing.T, s *somebody) deed {
			w := e.linked(t, s)
			back := w.departs(t)
			return deed{next: session.Done, do: func() (signin.Result, error) { return w.comesBack(back) }, again: func() error {
				// The same return is taken once at most; whoever is told that it is over begins anew.
				if got, err := w.comesBack(back); err == nil && got.Next != session.Done || err != nil && fault.As(err) == nil {
					return fmt.Errorf("the same return: %q, %w", got.Next, err)
				}
				return w.comesIn(t)
			}}
		}},
		{"linking one's own", plain, func(t *testing.T, s *somebody) deed {
			w := e.traveller(s)
			scope := s.owner.scope(t, s.owner.login(t, ""))
			link := func(t *testing.T) error {
				d, err := w.mine.Depart(context.Background(), scope, e.provider, "")
				if err != nil {
					return err
				}
				_, err = w.mine.Return(context.Background(), scope, w.goes(t, d))
				return err
			}
			d, err := w.mine.Depart(t.Context(), scope, e.provider, "")
			if err != nil {
				t.Fatal(err)
			}
			back := w.goes(t, d)
			return deed{do: done(func() error { _, err := w.mine.Return(context.Background(), scope, back); return err }), holds: func(t *testing.T, err error) string {
				linked, wrong := w.whole(t)
				if err == nil && !linked {
					wrong = "not linked"
				}
				return wrong
			}, again: func() error {
				if err := link(t); err != nil {
					return err
				}
				if linked, wrong := w.whole(t); !linked || wrong != "" {
					return fmt.Errorf("linked %v: %s", linked, wrong)
				}
				return w.comesIn(t)
			}}
		}},
		{"unlinking one's own", plain, func(t *testing.T, s *somebody) deed {
			w := e.linked(t, s)
			scope := s.owner.scope(t, s.owner.login(t, ""))
			unlink := func() error { return w.mine.Unlink(context.Background(), scope, e.provider, "") }
			return deed{do: done(unlink), holds: func(t *testing.T, err error) string {
				linked, wrong := w.whole(t)
				if err == nil && linked {
					wrong = "still linked"
				}
				return wrong
			}, again: func() error {
				if err := unlink(); err != nil {
					return err
				}
				if linked, wrong := w.whole(t); linked || wrong != "" {
					return fmt.Errorf("linked %v: %s", linked, wrong)
				}
				if err := w.comesIn(t); !fault.HasCode(err, "signInRefused") {
					return fmt.Errorf("unlinked, and in: %w", err)
				}
				return s.getIn(t)
			}}
		}},
	}
}

// passkeyPaths are setting passkeys up and asking for them; using one is among the ways in (faultPaths).
func passkeyPaths(u *unreliable) []faultPath {
	plain := func(t *testing.T) *somebody { return u.somebody(t, nil) }
	// enters sets a passkey up if there is none, and signs in by it alone.
	enters := func(t *testing.T, s *somebody, h *holder) error {
		if !s.owner.row(t).MFAEnabled {
			h, _, _ = s.newPasskey(t, s.owner.scope(t, s.owner.login(t, "")), "Phone")
		}
		h.people, h.now = s.people, s.owner.now
		_, err := h.enter(t)
		return err
	}
	// whole says whether passkey, mark on the account and recovery codes are there together.
	whole := func(t *testing.T, s *somebody, err error) string {
		t.Helper()
		found, bad := s.people.Factors.Recall(t.Context(), s.id, "")
		codes, worse := s.people.Factors.Codes(t.Context(), s.id)
		if bad != nil || worse != nil {
			t.Fatal(bad, worse)
		}
		if on := s.owner.row(t).MFAEnabled; on != (len(found.Passkeys) == 1) || on != (len(codes) == 10) || err == nil && !on {
			return fmt.Sprintf("second factor %v, %d passkeys, %d codes", on, len(found.Passkeys), len(codes))
		}
		return ""
	}
	return []faultPath{
		{"beginning a passkey", plain, func(t *testing.T, s *somebody) deed {
			scope := s.owner.scope(t, s.owner.login(t, ""))
			var options []byte
			var failed error
			return deed{do: done(func() error { options, failed = s.own.BeginPasskey(context.Background(), scope, ""); return failed }), again: func() error {
				if failed != nil {
					return enters(t, s, nil)
				}
				h, made := s.attests(t, func() ([]byte, error) { return options, nil })
				if _, _, err := s.own.ConfirmPasskey(t.Context(), scope, made, "Phone"); err != nil {
					return err
				}
				return enters(t, s, h)
			}}
		}},
		{"confirming a passkey", plain, func(t *testing.T, s *somebody) deed {
			scope := s.owner.scope(t, s.owner.login(t, ""))
			h, made := s.attests(t, func() ([]byte, error) { return s.own.BeginPasskey(t.Context(), scope, "") })
			return deed{do: done(func() error {
				_, _, err := s.own.ConfirmPasskey(context.Background(), scope, made, "Phone")
				return err
			}),
				holds: func(t *testing.T, err error) string { return whole(t, s, err) }, again: func() error { return enters(t, s, h) }}
		}},
		{"a passkey as the set-up that is asked for", func(t *testing.T) *somebody { return u.somebody(t, field.Patch{"mfaRequired": true}) }, func(t *testing.T, s *somebody) deed {
			ticket := s.ticket(t, session.SetUpSecondFactor)
			h, made := s.attests(t, func() ([]byte, error) {
				begun, err := s.people.BeginSetUp(t.Context(), ticket, mfa.ByPasskey)
				return begun.Options, err
			})
			confirm := func() (signin.Result, error) {
				return s.people.ConfirmSetUp(context.Background(), ticket, signin.NewFactor{Credential: made, Name: "Phone"}, signin.Device{})
			}
			return deed{next: session.Done, do: confirm, holds: func(t *testing.T, err error) string { return whole(t, s, err) }, again: func() error {
				if !s.owner.row(t).MFAEnabled {
					if _, err := confirm(); err != nil {
						return err
					}
				}
				return enters(t, s, h)
			}}
		}},
		{"asking for any passkey", u.keyed, func(t *testing.T, s *somebody) deed {
			s.holder.people = s.people
			var options []byte
			var failed error
			return deed{do: done(func() error { options, failed = s.people.BeginPasskey(context.Background()); return failed }), again: func() error {
				if failed == nil {
					if _, err := s.people.ByPasskey(t.Context(), s.holder.answers(t, options), signin.Device{}); err != nil {
						return err
					}
				}
				_, err := s.holder.enter(t)
				return err
			}}
		}},
		{"asking for one's passkey", u.keyed, func(t *testing.T, s *somebody) deed {
			ticket := s.ticket(t, session.SecondFactor)
			return deed{do: done(func() error { _, err := s.people.AskPasskey(context.Background(), ticket); return err }), again: func() error {
				raw, err := s.people.AskPasskey(t.Context(), ticket)
				if err != nil {
					return err
				}
				_, err = s.step(ticket, signin.SecondFactor{Method: mfa.ByPasskey, Credential: s.holder.answers(t, raw)})
				return err
			}}
		}},
	}
}

// attests has an authenticator make a passkey of what begin returns.
func (s *somebody) attests(t *testing.T, begin func() ([]byte, error)) (*holder, []byte) {
	t.Helper()
	raw, err := begin()
	if err != nil {
		t.Fatal(err)
	}
	h := s.owner.newHolder()
	return h, h.attested(t, raw)
}

// publishedPaths are of a person who chooses a password that a service of published ones is asked about. That service alone
// may be away without keeping anybody from anything (V05).
func publishedPaths(t *testing.T, u *unreliable) []faultPath {
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
	return []faultPath{{"a password that is asked about", func(t *testing.T) *somebody { return u.somebody(t, nil) }, func(t *testing.T, s *somebody) deed {
		s.people.Breaches = known
		was := away
		d := ownPasswordDeed(t, s)
		holds := d.holds
		d.holds = func(t *testing.T, err error) string {
			if away > was && err != nil {
				return "the service of published passwords is away, and the password is refused"
			}
			return holds(t, err)
		}
		return d
	}}}
}

// V84: the table, the key service, the provider or the service of published passwords fails at any one call of setting up and
// removing the ways in. Nothing is answered as done that is not, nothing is there by half, and it goes when all is well again.
func TestAnyCallOfAWayInToBeMayFail(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("answer lost %v", after), func(t *testing.T) {
			t.Parallel()
			u := newUnreliable(t, false)
			for _, path := range slices.Concat(newEntrance(t, u).paths(), passkeyPaths(u), publishedPaths(t, u)) {
				t.Run(path.name, func(t *testing.T) { path.survives(t, after) })
			}
		})
	}
}
