package mail_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"useraccounts/internal/environment"
	"useraccounts/internal/mail"
)

// fakeLogStore has two lists of mails, newest first.
type fakeLogStore struct {
	waiting, ended []mail.LogEntry
	between        func(*fakeLogStore) // is called after the first half was read
}

func (s *fakeLogStore) LogEntries(_ context.Context, _, before string, ended bool, limit int) ([]mail.LogEntry, bool,
	error,
) {
	all := slices.Clone(s.waiting)
	if ended {
		all = slices.Clone(s.ended)
	}
	all = slices.DeleteFunc(all, func(r mail.LogEntry) bool { return before != "" && r.ID >= before })
	if !ended && s.between != nil {
		s.between(s)
		s.between = nil
	}
	return all[:min(limit, len(all))], len(all) > limit, nil
}

func TestCommunicationsMergePageAndFilter(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	env := environment.Environment{ID: "main", Settings: environment.Defaults()}
	var s fakeLogStore
	for i := 999; i >= 0; i-- {
		r := mail.LogEntry{
			ID: fmt.Sprintf("%04d", i), At: now.Add(time.Duration(i-1000) * time.Minute),
			Kind: mail.BlockedByTries, State: mail.Sent, AccountID: "a",
		}
		switch {
		case i%7 == 0:
			r.State = mail.Sending
			s.waiting = append(s.waiting, r)
			continue
		case i%500 == 1:
			r.Kind, r.State = mail.Welcome, mail.Failed
		}
		s.ended = append(s.ended, r)
	}
	log := &mail.CommunicationLog{Store: &s, Now: func() time.Time { return now }}
	var all []string
	for before, first := "", true; first || before != ""; first = false {
		page, next, err := log.Page(t.Context(), env, mail.Filter{}, before, 33)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			if r.State == mail.Sending {
				t.Errorf("%s is shown as %s", r.ID, r.State)
			}
			all = append(all, r.ID)
		}
		before = next
	}
	if len(all) != 1000 || !slices.IsSortedFunc(all, func(a, b string) int { return -compareText(a, b) }) {
		t.Errorf("%d lines", len(all))
	}
	for name, c := range map[string]struct {
		f    mail.Filter
		want int
	}{
		"failed": {mail.Filter{State: mail.Failed}, 2}, "kind": {mail.Filter{Kind: mail.Welcome}, 2},
		"waiting": {mail.Filter{State: mail.Queued}, 143},
		"account": {mail.Filter{AccountID: "b"}, 0}, "from": {mail.Filter{From: now.Add(-10 * time.Minute)}, 10},
		"to": {mail.Filter{To: now.Add(-991 * time.Minute)}, 10},
	} {
		got, _, err := log.Page(t.Context(), env, c.f, "", 200)
		if err != nil || len(got) != c.want {
			t.Errorf("%s: %d lines, want %d: %v", name, len(got), c.want, err)
		}
	}
	env.Settings.LogRetentionDays = 0
	later := &mail.CommunicationLog{Store: &s, Now: func() time.Time { return now.Add(731 * 24 * time.Hour) }}
	if got, next, err := later.Page(t.Context(), env, mail.Filter{}, "", 10); err != nil || len(got) != 0 || next != "" {
		t.Errorf("beyond what is kept: %d lines, %q, %v (C46)", len(got), next, err)
	}
}

// A mail that ends while the log is read is listed once.
func TestCommunicationsShowAMailOnce(t *testing.T) {
	now := time.Now()
	r := mail.LogEntry{ID: "1", At: now, State: mail.Queued}
	s := &fakeLogStore{waiting: []mail.LogEntry{r}, between: func(s *fakeLogStore) {
		s.waiting = nil
		r.State = mail.Sent
		s.ended = []mail.LogEntry{r}
	}}
	log := &mail.CommunicationLog{Store: s, Now: func() time.Time { return now }}
	got, _, err := log.Page(t.Context(), environment.Environment{}, mail.Filter{}, "", 10)
	if err != nil || len(got) != 1 || got[0].State != mail.Sent {
		t.Errorf("%+v, %v", got, err)
	}
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
