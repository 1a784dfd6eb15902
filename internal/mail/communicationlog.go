package mail

import (
	"context"
	"strings"
	"time"

	"useraccounts/internal/environment"
)

// LogEntry is an entry of the communication log: what was sent to whom, with which result. The text of the mail is not
// kept.
type LogEntry struct {
	ID                  string
	Kind                Kind
	State               State
	To                  string
	AccountID, Username string
	At                  time.Time
	Attempts            int64
	// Ended is when it was sent or failed, zero while it waits.
	Ended     time.Time
	MessageID string
	// Reason says why it failed, or why it still waits.
	Reason string
}

// LogStore reads what the log is made of.
type LogStore interface {
	// LogEntries returns up to limit mails with ids below before, newest first, of those that ended or of those that wait,
	// and whether there are more.
	LogEntries(ctx context.Context, env, before string, ended bool, limit int) ([]LogEntry, bool, error)
}

// Filter selects entries; zero values select all.
type Filter struct {
	Kind      Kind
	State     State
	AccountID string
	From, To  time.Time
}

// matches reports whether the filter selects an entry.
func (f Filter) matches(r LogEntry) bool {
	return (f.Kind == "" || f.Kind == r.Kind) && (f.State == "" || f.State == r.State) &&
		(f.AccountID == "" || f.AccountID == r.AccountID) && (f.From.IsZero() || !r.At.Before(f.From)) &&
		(f.To.IsZero() || !r.At.After(f.To))
}

// CommunicationLog reads the communication log.
type CommunicationLog struct {
	Store LogStore
	Now   func() time.Time
}

const (
	// batchSize is how many lines are read at once, maxScanned how many a page scans before it stops early.
	batchSize, maxScanned = 200, 4000
)

// Page returns up to limit entries with ids below before, newest first, and the id to continue from, empty at the end.
// A short page can have a next. Entries older than the environment's retention are not shown, whether deleted or not
// (C46).
func (c *CommunicationLog) Page(ctx context.Context, env environment.Environment, f Filter, before string,
	limit int,
) ([]LogEntry, string, error) {
	oldest := c.Now().Add(-retention(env.Settings.LogRetentionDays))
	if f.From.Before(oldest) {
		f.From = oldest
	}
	var out []LogEntry
	for read := 0; read < maxScanned; read += batchSize {
		entries, last, more, err := c.mergeBatch(ctx, env.ID, before)
		if err != nil {
			return nil, "", err
		}
		for _, r := range entries {
			before = r.ID
			if f.matches(r) {
				out = append(out, r)
			}
			if len(out) == limit {
				return c.pageEnd(out, before, more || r.ID != entries[len(entries)-1].ID)
			}
			if r.At.Before(f.From.Add(-clockSkew)) {
				return out, "", nil
			}
		}
		if !more {
			return out, "", nil
		}
		before = last
	}
	return out, before, nil
}

// clockSkew is how much the time of a mail can differ from that of its id.
const clockSkew = time.Minute

func (c *CommunicationLog) pageEnd(out []LogEntry, before string, more bool) ([]LogEntry, string, error) {
	if !more {
		before = ""
	}
	return out, before, nil
}

// mergeBatch reads the next batch of both halves and merges them. It reads the waiting mails first: a mail that ends in
// between is then in both halves, not in neither.
func (c *CommunicationLog) mergeBatch(ctx context.Context, env, before string) (entries []LogEntry, last string,
	more bool, err error,
) {
	waiting, moreWaiting, err := c.Store.LogEntries(ctx, env, before, false, batchSize)
	if err != nil {
		return nil, "", false, err
	}
	ended, moreEnded, err := c.Store.LogEntries(ctx, env, before, true, batchSize)
	if err != nil {
		return nil, "", false, err
	}
	// Below the last id read of one half, the other half is not merged yet.
	floor := ""
	if moreWaiting {
		floor = waiting[len(waiting)-1].ID
	}
	if moreEnded {
		floor = max(floor, ended[len(ended)-1].ID)
	}
	for len(waiting) > 0 || len(ended) > 0 {
		var next LogEntry
		switch {
		case len(ended) == 0 || len(waiting) > 0 && strings.Compare(waiting[0].ID, ended[0].ID) > 0:
			next, waiting = waiting[0], waiting[1:]
		default:
			if len(waiting) > 0 && waiting[0].ID == ended[0].ID {
				waiting = waiting[1:]
			}
			next, ended = ended[0], ended[1:]
		}
		if next.ID < floor {
			break
		}
		if next.State == Sending {
			next.State = Queued
		}
		entries = append(entries, next)
	}
	return entries, floor, moreWaiting || moreEnded, nil
}

// retention is how long the log is kept: as the setting says, or two years.
func retention(days int) time.Duration {
	if days <= 0 {
		days = 730
	}
	return time.Duration(days) * 24 * time.Hour
}
