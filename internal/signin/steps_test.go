package signin_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

const newPassword = "a password of my own"

// withForcedChange is a fake store in which doej has to change the password, and the ticket for it.
func withForcedChange(t *testing.T) (*fakeStore, token.Token) {
	t.Helper()
	w := newFakeStore(doejWith(func(a *account.Account) { a.ForcePasswordChange = true }))
	return w, login(t, w).Ticket
}

func TestChangePasswordOpensTheSessionAndEndsEveryOther(t *testing.T) {
	w, ticket := withForcedChange(t)
	if stored := w.tickets[ticket.ID.String()]; !stored.Expires.Equal(noon.Add(session.TicketLife)) ||
		stored.Epoch != 7 || stored.Step != session.ChangePassword {
		t.Errorf("%+v", stored)
	}
	got, err := w.services().ChangePassword(context.Background(), ticket.Reveal(), newPassword,
		signin.ClientInfo{UserAgent: "ua", Address: "192.0.2.9", Client: "forged"})
	if err != nil {
		t.Fatal(err)
	}
	a := w.accounts["doej"]
	if a.PasswordHash != "hash of "+newPassword || a.ForcePasswordChange || a.Epoch != 8 || a.Version != 4 {
		t.Errorf("%+v", a)
	}
	if s := got.Session; got.Next != session.Done || s.Epoch != 8 || s.Client != "curl" || s.Address != "192.0.2.9" {
		t.Errorf("%+v", got)
	}
	if _, err := w.services().Authenticate(context.Background(), got.Access.Reveal()); err != nil {
		t.Errorf("the new session is not open: %v", err)
	}
}

// The event names the field that changed, and never a password (C50).
func TestChangePasswordWritesItsEvent(t *testing.T) {
	w, ticket := withForcedChange(t)
	s := w.services()
	recorder := &stepRecorder{fakeStore: w}
	s.Sessions = recorder
	if _, err := s.ChangePassword(context.Background(), ticket.Reveal(), newPassword,
		signin.ClientInfo{Address: "192.0.2.9"}); err != nil {
		t.Fatal(err)
	}
	e := recorder.write.Event
	if e.Kind != auditlog.PasswordChanged || e.By != "DoeJ" || e.Version != 4 || e.Address != "192.0.2.9" || e.ID == "" ||
		!e.At.Equal(noon) || !recorder.write.ClearTries {
		t.Errorf("%+v", e)
	}
	if len(e.Changes) != 1 || e.Changes[0].Field != "forcePasswordChange" {
		t.Errorf("changes %+v", e.Changes)
	}
}

// stepRecorder keeps the write of the last completed step.
type stepRecorder struct {
	*fakeStore
	write account.Write
}

func (r *stepRecorder) CompleteStep(ctx context.Context, env environment.Environment, m signin.StepTransition) error {
	r.write = *m.Write
	return r.fakeStore.CompleteStep(ctx, env, m)
}

// C31: once; C07, V34: not after anything ended the account's access, nor after five minutes.
func TestATicketIsGoodOnceAndOnlyWhileNothingChanged(t *testing.T) {
	var first error
	for name, spoil := range map[string]func(*fakeStore, token.Token){
		"used": func(w *fakeStore, tk token.Token) {
			_, _ = w.services().ChangePassword(context.Background(), tk.Reveal(), newPassword, signin.ClientInfo{})
		},
		"over": func(w *fakeStore, _ token.Token) { w.now = w.now.Add(session.TicketLife) },
		"blocked": func(w *fakeStore, _ token.Token) {
			w.change("doej", func(a *account.Account) { a.AccessLocked = true; a.Epoch++ })
		},
		"epoch":  func(w *fakeStore, _ token.Token) { w.change("doej", func(a *account.Account) { a.Epoch++ }) },
		"locked": func(w *fakeStore, _ token.Token) { w.change("doej", func(a *account.Account) { a.Active = false }) },
		"out of dates": func(w *fakeStore,
			_ token.Token,
		) {
			w.change("doej", func(a *account.Account) { a.DateTo = yesterday })
		},
		"no password": func(w *fakeStore,
			_ token.Token,
		) {
			w.change("doej", func(a *account.Account) { a.PasswordHash = "" })
		},
		"blocked by tries": func(w *fakeStore, _ token.Token) {
			w.change("doej", func(a *account.Account) { a.TriesBlockedAt = noon })
		},
		"changed just before": func(w *fakeStore, _ token.Token) {
			w.beforeWrite = func() { w.change("doej", func(a *account.Account) { a.Version++ }) }
		},
		"used just before": func(w *fakeStore,
			tk token.Token,
		) {
			w.beforeWrite = func() { delete(w.tickets, tk.ID.String()) }
		},
		"another step": func(w *fakeStore, tk token.Token) {
			s := w.tickets[tk.ID.String()]
			s.Step = session.Done
			w.tickets[tk.ID.String()] = s
		},
		"another secret": func(w *fakeStore, tk token.Token) {
			s := w.tickets[tk.ID.String()]
			s.Hash = tk.Hash()[1:]
			w.tickets[tk.ID.String()] = s
		},
		"gone": func(w *fakeStore, tk token.Token) { delete(w.tickets, tk.ID.String()) },
	} {
		w, ticket := withForcedChange(t)
		spoil(w, ticket)
		sessions := len(w.sessions)
		got, err := w.services().ChangePassword(context.Background(), ticket.Reveal(), newPassword+" again",
			signin.ClientInfo{})
		if first == nil {
			first = err
		}
		if !fault.HasCode(err, "ticket") || !reflect.DeepEqual(err, first) || !reflect.DeepEqual(got, signin.Result{}) ||
			len(w.sessions) != sessions {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

// C12, C17: no other token is a ticket, and a ticket is no other token.
func TestTicketsAndTokensDoNotPassForEachOther(t *testing.T) {
	w, ticket := withForcedChange(t)
	s := w.services()
	if _, err := s.Authenticate(context.Background(), ticket.Reveal()); !fault.HasCode(err, "session") {
		t.Errorf("the ticket as an access token: %v", err)
	}
	if _, err := s.Refresh(context.Background(), ticket.Reveal(), signin.ClientInfo{}); !fault.HasCode(err, "session") {
		t.Errorf("the ticket as a refresh token: %v", err)
	}
	other := newFakeStore(doej())
	login(t, other)
	in := login(t, other)
	for _, text := range []string{
		"", "x", in.Access.Reveal(), in.Refresh.Reveal(),
		strings.Replace(in.Access.Reveal(), "uas_", "uat_", 1),
	} {
		if _, err := s.ChangePassword(context.Background(), text, newPassword, signin.ClientInfo{}); !fault.HasCode(err,
			"ticket") {
			t.Errorf("%.8s as a ticket: %v", text, err)
		}
	}
}

// A password that the policy refuses leaves the ticket good.
func TestChangePasswordRefusesAPasswordAndKeepsTheTicket(t *testing.T) {
	w, ticket := withForcedChange(t)
	for given, code := range map[string]string{"short": "tooShort", "John Doe": "personal", secret: "same"} {
		_, err := w.services().ChangePassword(context.Background(), ticket.Reveal(), given, signin.ClientInfo{})
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Code != code {
			t.Errorf("%s: %v", given, err)
		}
	}
	if _, err := w.services().ChangePassword(context.Background(), ticket.Reveal(), newPassword,
		signin.ClientInfo{}); err != nil {
		t.Errorf("the ticket is no longer good: %v", err)
	}
}

func TestChangePasswordFailsClosed(t *testing.T) {
	for _, method := range []string{"Ticket", "Hash", "CompleteStep"} {
		w, ticket := withForcedChange(t)
		w.fail[method] = errors.New("down")
		if _, err := w.services().ChangePassword(context.Background(), ticket.Reveal(), newPassword,
			signin.ClientInfo{}); !errors.Is(err, w.fail[method]) {
			t.Errorf("%s: %v", method, err)
		}
		if w.accounts["doej"].PasswordHash != "hash of "+secret || len(w.sessions) > 0 {
			t.Errorf("%s: something was done", method)
		}
	}
	w, ticket := withForcedChange(t)
	s := w.services()
	s.Steps.Random = strings.NewReader("")
	if _, err := s.ChangePassword(context.Background(), ticket.Reveal(), newPassword, signin.ClientInfo{}); err == nil ||
		len(w.tickets) != 1 {
		t.Errorf("without random bytes: %v", err)
	}
}

// V38, V41: each refresh gives two new tokens, and the old ones open nothing.
func TestRefreshRotatesBothTokens(t *testing.T) {
	w := newFakeStore(doej())
	in := login(t, w)
	w.now = noon.Add(29 * time.Minute)
	got, err := w.services().Refresh(context.Background(), in.Refresh.Reveal(), signin.ClientInfo{})
	if err != nil || got.Next != session.Done || got.Access == in.Access || got.Refresh == in.Refresh {
		t.Fatalf("%+v %v", got, err)
	}
	if got.Session.ID != in.Session.ID || !got.Session.RefreshDue.Equal(noon.Add(59*time.Minute)) ||
		!got.Session.HardEnd.Equal(in.Session.HardEnd) {
		t.Errorf("%+v", got.Session)
	}
	if _, err := w.services().Authenticate(context.Background(), in.Access.Reveal()); !fault.HasCode(err, "session") {
		t.Errorf("the old access token: %v", err)
	}
	if _, err := w.services().Authenticate(context.Background(), got.Access.Reveal()); err != nil {
		t.Errorf("the new access token: %v", err)
	}
}

// V39, V40, C27: the reasons for which a session is over, each at its next request and its next refresh.
func TestASessionIsOverAtTheNextRequest(t *testing.T) {
	for name, end := range map[string]func(*fakeStore, string){
		"not refreshed": func(w *fakeStore, _ string) { w.now = noon.Add(30 * time.Minute) },
		"hard end": func(w *fakeStore, id string) {
			s := w.sessions[id]
			s.RefreshDue = s.HardEnd.Add(time.Hour)
			w.sessions[id] = s
			w.now = noon.Add(12 * time.Hour)
		},
		"blocked": func(w *fakeStore, _ string) { w.change("doej", func(a *account.Account) { a.Epoch++ }) },
		"last day passed": func(w *fakeStore,
			_ string,
		) {
			w.change("doej", func(a *account.Account) { a.DateTo = yesterday })
		},
		"not yet begun": func(w *fakeStore,
			_ string,
		) {
			w.change("doej", func(a *account.Account) { a.DateFrom = tomorrow })
		},
		"deleted": func(w *fakeStore, _ string) { delete(w.accounts, "doej") },
		"closed": func(w *fakeStore, id string) {
			_, _ = w.Close(context.Background(), "", id, session.End{At: noon, Reason: session.ClosedByAdmin})
		},
		"swept":                              func(w *fakeStore, id string) { delete(w.sessions, id) },
		"its licence is for API clients now": func(w *fakeStore, _ string) { w.apiOnly = true },
	} {
		w := newFakeStore(doej())
		in := login(t, w)
		end(w, in.Session.ID)
		if _, err := w.services().Authenticate(context.Background(), in.Access.Reveal()); !fault.HasCode(err, "session") {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := w.services().Refresh(context.Background(), in.Refresh.Reveal(),
			signin.ClientInfo{}); !fault.HasCode(err, "session") || !reflect.DeepEqual(got, signin.Result{}) {
			t.Errorf("%s, refreshed: %v", name, err)
		}
	}
}

// V40: midnight UTC ends the last day, also within a session.
func TestTheLastDayEndsAtMidnightUTC(t *testing.T) {
	w := newFakeStore(doej())
	w.now = time.Date(2026, 1, 5, 23, 59, 59, 0, time.UTC)
	in := login(t, w)
	if _, err := w.services().Authenticate(context.Background(), in.Access.Reveal()); err != nil {
		t.Error(err)
	}
	w.now = w.now.Add(time.Second)
	if _, err := w.services().Authenticate(context.Background(), in.Access.Reveal()); !fault.HasCode(err, "session") {
		t.Errorf("%v", err)
	}
}

func TestLogoutClosesTheCallersSession(t *testing.T) {
	w := newFakeStore(doej())
	in := login(t, w)
	scope, err := w.services().Authenticate(context.Background(), in.Access.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	want := access.Caller{
		AccountID: doej().ID, SessionID: in.Session.ID, Username: "DoeJ", Epoch: 7,
		Permissions: access.Set{access.AccountRead: {}}, AuthenticatedAt: noon,
	}
	if !reflect.DeepEqual(scope.Caller, want) || scope.Env.ID != envID || scope.Catalogue == nil {
		t.Errorf("%+v", scope.Caller)
	}
	for range 2 { // closing a closed one is no fault
		if err := w.services().Logout(context.Background(), scope, signin.ClientInfo{Address: "192.0.2.9"}); err != nil {
			t.Error(err)
		}
	}
	if _, err := w.services().Authenticate(context.Background(), in.Access.Reveal()); !fault.HasCode(err, "session") ||
		w.sessions[in.Session.ID].Reason != session.SignedOut || w.sessions[in.Session.ID].ClosedBy != "DoeJ" ||
		w.sessions[in.Session.ID].ClosedFrom != "192.0.2.9" {
		t.Errorf("%v", err)
	}
}

// C30, C33: whatever is changed in a token, it opens nothing, and no claim of it is used.
func TestNoChangedTokenOpensAnything(t *testing.T) {
	w := newFakeStore(doej())
	in := login(t, w)
	text := in.Access.Reveal()
	var first error
	for n := range len(text) {
		b := []byte(text)
		b[n] ^= 1
		for _, changed := range []string{string(b), text[:n]} {
			scope, err := w.services().Authenticate(context.Background(), changed)
			if first == nil {
				first = err
			}
			if !reflect.DeepEqual(err, first) || scope.Caller.AccountID != "" || !fault.Is(err, fault.Unauthenticated) {
				t.Fatalf("%s: %+v %v", changed, scope.Caller, err)
			}
		}
	}
	for _, method := range []string{"FindSession", "Catalogue"} {
		w.fail = map[string]error{method: errors.New("down")}
		if scope, err := w.services().Authenticate(context.Background(), text); !errors.Is(err, w.fail[method]) ||
			scope.Caller.AccountID != "" {
			t.Errorf("%s: %v", method, err)
		}
	}
}
