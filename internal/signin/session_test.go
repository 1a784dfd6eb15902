package signin_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/fault"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

func renew(t *testing.T, w *fakeStore, given token.Token) signin.Result {
	t.Helper()
	got, err := w.services().Refresh(context.Background(), given.Reveal(), signin.ClientInfo{Address: "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// V41: whoever lost the answer gets the same one again for ten seconds, and nothing is written for it.
func TestALostAnswerComesAgain(t *testing.T) {
	w := newFakeStore(doej())
	in := login(t, w)
	first := renew(t, w, in.Refresh)
	stored := w.sessions[in.Session.ID]
	w.now = noon.Add(session.RefreshGrace - time.Millisecond)
	if again := renew(t, w, in.Refresh); again.Access != first.Access || again.Refresh != first.Refresh {
		t.Error("another successor")
	}
	if !reflect.DeepEqual(w.sessions[in.Session.ID], stored) {
		t.Error("the session was changed")
	}
	if _, err := w.services().Authenticate(context.Background(), first.Access.Reveal()); err != nil {
		t.Error(err)
	}
	if first.Access == in.Access || first.Refresh == in.Refresh { // V38
		t.Error("the tokens did not change")
	}
	if _, err := w.services().Authenticate(context.Background(), in.Access.Reveal()); !fault.HasCode(err, "session") {
		t.Errorf("the former access token: %v", err)
	}
}

// V41: after the grace, or once the successor was used, a former token of any generation closes the session, for both
// of its holders, and the log hears from where.
func TestAFormerTokenClosesTheSession(t *testing.T) {
	for name, c := range map[string]struct {
		rotations int
		later     time.Duration
	}{
		"the one before, when the grace is over": {1, session.RefreshGrace},
		"the one before, much later":             {1, 20 * time.Minute},
		"two rotations back, at once":            {2, 0},
		"five rotations back":                    {5, time.Minute},
	} {
		w := newFakeStore(doej())
		in := login(t, w)
		last := signin.Result{Refresh: in.Refresh}
		for range c.rotations {
			last = renew(t, w, last.Refresh)
		}
		w.now = noon.Add(c.later)
		if _, err := w.services().Refresh(context.Background(), in.Refresh.Reveal(),
			signin.ClientInfo{Address: "198.51.100.6"}); !fault.HasCode(err, "session") {
			t.Errorf("%s: %v", name, err)
		}
		if s := w.sessions[in.Session.ID]; s.Closed.IsZero() || s.Reason != session.RefreshReused ||
			s.ClosedFrom != "198.51.100.6" {
			t.Errorf("%s: %+v", name, s)
		}
		if _, err := w.services().Authenticate(context.Background(), last.Access.Reveal()); !fault.HasCode(err, "session") {
			t.Errorf("%s: the last access token: %v", name, err)
		}
		if _, err := w.services().Refresh(context.Background(), last.Refresh.Reveal(),
			signin.ClientInfo{}); !fault.HasCode(err, "session") {
			t.Errorf("%s: the last refresh token: %v", name, err)
		}
	}
}

// Who only knows a session's ids, or another session's token, closes nothing (C35).
func TestAGuessedRefreshTokenClosesNothing(t *testing.T) {
	w := newFakeStore(doej())
	in := login(t, w)
	guess, err := token.Issue(strings.NewReader(strings.Repeat("x", 64)), token.Refresh, in.Refresh.Account, in.Refresh.ID)
	if err != nil {
		t.Fatal(err)
	}
	other := login(t, w)
	posing := other.Refresh
	posing.ID = in.Refresh.ID
	for name, given := range map[string]token.Token{"guessed": guess, "of another session": posing} {
		if _, err := w.services().Refresh(context.Background(), given.Reveal(), signin.ClientInfo{}); !fault.HasCode(err,
			"session") || !w.sessions[in.Session.ID].Closed.IsZero() {
			t.Errorf("%s: %v, %+v", name, err, w.sessions[in.Session.ID])
		}
	}
	renew(t, w, in.Refresh)
}

// V42: of two refreshes with one token at the same instant both get the one successor.
func TestTwoRefreshesAtOnceGetOneSuccessor(t *testing.T) {
	w := newFakeStore(doej())
	in := login(t, w)
	var won signin.Result
	w.beforeWrite = func() {
		w.beforeWrite = nil
		won = renew(t, w, in.Refresh)
	}
	if got := renew(t, w, in.Refresh); got.Access != won.Access || got.Refresh != won.Refresh {
		t.Error("there are two branches")
	}
	if _, err := w.services().Authenticate(context.Background(), won.Access.Reveal()); err != nil {
		t.Errorf("the session: %v", err)
	}
}

// V84: what fails renews nothing, and leaves the token good.
func TestRefreshFailsClosed(t *testing.T) {
	for _, method := range []string{"FindSession", "Renew"} {
		w := newFakeStore(doej())
		in := login(t, w)
		w.fail[method] = errors.New("down")
		if _, err := w.services().Refresh(context.Background(), in.Refresh.Reveal(), signin.ClientInfo{}); !errors.Is(err,
			w.fail[method]) {
			t.Errorf("%s: %v", method, err)
		}
		w.fail = map[string]error{}
		renew(t, w, in.Refresh)
	}
	w := newFakeStore(doej())
	in := login(t, w)
	renew(t, w, in.Refresh)
	w.now = noon.Add(time.Minute)
	w.fail["Close"] = errors.New("down")
	if _, err := w.services().Refresh(context.Background(), in.Refresh.Reveal(), signin.ClientInfo{}); !errors.Is(err,
		w.fail["Close"]) {
		t.Errorf("a reuse that could not close: %v", err)
	}
}

// C35: a session that a page keeps as cookies is renewed by its cookie alone, any other by its token alone. Who comes
// the other way is told what everybody is who has no session, and changes nothing.
func TestARefreshTokenIsBoundToHowItWasGiven(t *testing.T) {
	for _, web := range []bool{true, false} {
		w := newFakeStore(doej())
		in, err := w.services().Login(context.Background(), "doej", secret, signin.ClientInfo{Web: web})
		if err != nil || in.Session.ByCookie != web {
			t.Fatalf("%+v %v", in.Session, err)
		}
		if _, err := w.services().Refresh(context.Background(), in.Refresh.Reveal(),
			signin.ClientInfo{Web: !web}); !fault.HasCode(err, "session") {
			t.Errorf("begun by cookie %v, the other way: %v", web, err)
		}
		got, err := w.services().Refresh(context.Background(), in.Refresh.Reveal(), signin.ClientInfo{Web: web})
		if err != nil || got.Session.ByCookie != web {
			t.Errorf("begun by cookie %v, the same way: %v", web, err)
		}
	}
}
