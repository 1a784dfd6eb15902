package session_test

import (
	"testing"
	"time"

	"useraccounts/internal/session"
)

// V46, C46: a key ends by the clock, to the instant, and a lock wins over everything.
func TestStateOfAKey(t *testing.T) {
	k := session.APIKey{Expires: start.AddDate(0, 0, 90)}
	for _, c := range []struct {
		at     time.Time
		locked time.Time
		want   session.KeyState
	}{
		{start, time.Time{}, session.KeyActive},
		{k.Expires.Add(-1), time.Time{}, session.KeyActive},
		{k.Expires, time.Time{}, session.KeyExpired},
		{start, start.Add(time.Hour), session.KeyLocked},
		{k.Expires, start, session.KeyLocked},
	} {
		k.Locked = c.locked
		if got := k.State(c.at); got != c.want {
			t.Errorf("at %v, locked %v: %s, want %s", c.at, c.locked, got, c.want)
		}
	}
	if (session.APIKey{}).State(start) != session.KeyExpired {
		t.Error("the zero key is active")
	}
}

func TestSessionsOfAKeyEndWithIt(t *testing.T) {
	k := session.APIKey{Expires: start.Add(time.Hour)}
	for _, c := range []struct{ after, want time.Duration }{
		{0, 30 * time.Minute},
		{30 * time.Minute, time.Hour},
		{50 * time.Minute, time.Hour},
	} {
		if got := k.SessionEnd(start.Add(c.after)); !got.Equal(start.Add(c.want)) {
			t.Errorf("opened after %v it ends after %v", c.after, got.Sub(start))
		}
	}
}

func TestUseIsDueOnceAnHour(t *testing.T) {
	k := session.APIKey{}
	if !k.UseDue(start) {
		t.Error("the first use is not due")
	}
	k.LastUsed = start
	if k.UseDue(start.Add(time.Hour-1)) || !k.UseDue(start.Add(time.Hour)) {
		t.Error("not once an hour")
	}
}
