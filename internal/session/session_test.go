package session_test

import (
	"testing"
	"time"

	"useraccounts/internal/session"
)

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func openSession() session.Session {
	return session.Session{
		Epoch: 3, Start: start, RefreshDue: start.Add(30 * time.Minute),
		HardEnd: start.Add(12 * time.Hour),
	}
}

// V39, C46: both limits hold by the clock, to the instant.
func TestLiveEndsAtEachLimit(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*session.Session)
		at     time.Time
		epoch  int64
		want   bool
	}{
		{"at its start", nil, start, 3, true},
		{"just before it has to be refreshed", nil, start.Add(30*time.Minute - 1), 3, true},
		{"when it has to be refreshed", nil, start.Add(30 * time.Minute), 3, false},
		{
			"just before its hard end", func(s *session.Session) { s.RefreshDue = s.HardEnd.Add(time.Hour) },
			start.Add(12*time.Hour - 1), 3, true,
		},
		{
			"at its hard end, however it was refreshed", func(s *session.Session) { s.RefreshDue = s.HardEnd.Add(time.Hour) },
			start.Add(12 * time.Hour), 3, false,
		},
		{
			"closed, even at a later time than now", func(s *session.Session) { s.Closed = start.Add(time.Hour) }, start, 3,
			false,
		},
		{"the account's epoch moved on", nil, start, 4, false},
		{"of a later epoch than the account", nil, start, 2, false},
	} {
		s := openSession()
		if c.change != nil {
			c.change(&s)
		}
		if got := s.Live(c.at, c.epoch); got != c.want {
			t.Errorf("%s: live %v", c.name, got)
		}
	}
	if (session.Session{}).Live(start, 0) {
		t.Error("the zero session is live")
	}
}

// V39: a refresh never reaches beyond the hard end.
func TestDueStopsAtTheHardEnd(t *testing.T) {
	for _, c := range []struct{ after, idle, want time.Duration }{
		{0, 30 * time.Minute, 30 * time.Minute},
		{11*time.Hour + 30*time.Minute, 30 * time.Minute, 12 * time.Hour},
		{11*time.Hour + 31*time.Minute, 30 * time.Minute, 12 * time.Hour},
		{0, 24 * time.Hour, 12 * time.Hour},
	} {
		if got := openSession().NextRefreshDue(start.Add(c.after), c.idle); !got.Equal(start.Add(c.want)) {
			t.Errorf("refreshed after %v: due after %v, want %v", c.after, got.Sub(start), c.want)
		}
	}
}

// V34: a ticket is for one step, five minutes at most, and one epoch of its account.
func TestUsable(t *testing.T) {
	ticket := session.Ticket{Step: session.ChangePassword, Epoch: 3, Expires: start.Add(session.TicketLife)}
	for _, c := range []struct {
		name  string
		step  session.Step
		at    time.Time
		epoch int64
		want  bool
	}{
		{"at once", session.ChangePassword, start, 3, true},
		{"just before its end", session.ChangePassword, start.Add(session.TicketLife - 1), 3, true},
		{"at its end", session.ChangePassword, start.Add(session.TicketLife), 3, false},
		{"for another step", session.Done, start, 3, false},
		{"after the epoch moved on", session.ChangePassword, start, 4, false},
	} {
		if got := ticket.Usable(c.step, c.at, c.epoch); got != c.want {
			t.Errorf("%s: usable %v", c.name, got)
		}
	}
	if session.TicketLife > 5*time.Minute {
		t.Error("tickets live too long")
	}
}
