package auditlog

import (
	"context"
	"fmt"
	"math"
	"time"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/session"
)

// Store reads what the log is made of.
type Store interface {
	// Events returns up to limit events of an account that the environment's snapshot sees, newest first, with ids below
	// before. It also returns the id to continue from, empty at the end. A page may be empty although there are more.
	Events(ctx context.Context, env environment.Environment, accountID, before string, limit int) ([]Event, string, error)
	// Sessions does the same for sessions.
	Sessions(ctx context.Context, accountID, before string, limit int) ([]session.Session, string, error)
	// CreationEvent returns the account's creation, and whether the snapshot sees it.
	CreationEvent(ctx context.Context, env environment.Environment, accountID string) (Event, bool, error)
}

// Reader reads the logs of accounts, page by page or as a CSV export.
type Reader struct {
	Store Store
	Now   func() time.Time
}

// Owner is the account that a log belongs to.
type Owner struct{ ID, Username string }

// Filter selects entries; zero values select all.
type Filter struct {
	Kind Kind
	// By is a username, compared without case.
	By string
	// From and To bound the time, both inclusive.
	From, To time.Time
}

// Entry is an event as the log shows it.
type Entry struct {
	Event
	// Session, Client and UserAgent are those of the sign-in.
	Session, Client, UserAgent string

	position Position
}

// Position is the position of an entry in the log. Entries are sorted by it, the greatest first.
type Position struct {
	// At is Unix time in milliseconds.
	At int64  `json:"a"`
	ID string `json:"i,omitempty"`
	// End distinguishes a session's end from its start.
	End bool `json:"e,omitzero"`
}

func (p Position) before(q Position) bool {
	switch {
	case p.At != q.At:
		return p.At < q.At
	case p.ID != q.ID:
		return p.ID < q.ID
	}
	return !p.End && q.End
}

// Page is one page of a log.
type Page struct {
	Entries []Entry
	// Next is where to continue after the page, nil at the end. A short page can have a next: the search for rare entries
	// stops after maxScanned items, so that no request takes too long.
	Next *Position
}

const (
	// lookAhead is how much newer than its id an entry can be. A session's end comes after its start, and an import's
	// event is stored under the id of its job, which may have been queued. An entry that is even newer is shown at the end
	// of the look-ahead: a little too low, but never left out.
	lookAhead = 24 * time.Hour
	// skew is how much newer than its event's time an id can be: ids are made a moment after the clock was read.
	skew = time.Minute
	// batchSize is how many items are read at once; maxScanned how many a page scans before it stops early.
	batchSize, maxScanned = 200, 4000
)

// Page returns up to limit entries of an account's log, newest first, after a position. The very last entry is the
// account's creation. Entries older than the environment's retention are not shown, whether deleted or not (C46).
func (r *Reader) Page(ctx context.Context, env environment.Environment, owner Owner, f Filter, after *Position,
	limit int,
) (Page, error) {
	m := r.newMerger(env, owner, f, after)
	var page Page
	for len(page.Entries) <= limit {
		entry, ok, err := m.next(ctx)
		if err != nil {
			return Page{}, err
		}
		if !ok {
			page.Next = m.stoppedAt
			return page, nil
		}
		page.Entries = append(page.Entries, entry)
	}
	page.Entries = page.Entries[:limit]
	last := page.Entries[limit-1].position
	page.Next = &last
	return page, nil
}

// matches reports whether the filter selects an entry.
func (f Filter) matches(e Entry) bool {
	at := time.UnixMilli(e.position.At)
	if e.position == creationPosition {
		at = e.At
	}
	return (f.Kind == "" || f.Kind == e.Kind) && (f.By == "" || catalogue.Fold(f.By) == catalogue.Fold(e.By)) &&
		(f.From.IsZero() || !at.Before(f.From)) && (f.To.IsZero() || !at.After(f.To))
}

// creationPosition is the position of an account's creation: below everything, because the id of an import is older
// than what it did.
var creationPosition = Position{At: math.MinInt64}

// eventEntry returns the entry of an event.
func eventEntry(e Event) Entry {
	stored := idTime(e.ID)
	at := max(min(e.At.UnixMilli(), stored+lookAhead.Milliseconds()), stored-skew.Milliseconds())
	if e.Count > 1 {
		e.Note = fmt.Sprintf("%s %d times within the hour.", e.Note, e.Count)
	}
	return Entry{Event: e, Client: e.Client, UserAgent: e.UserAgent, position: Position{At: at, ID: e.ID}}
}

// sessionEntries returns the entries of a session: its start, and its end if it has ended. A sign-in writes no event,
// which saves a write. The start of a session of an API key is not shown, nor its expiry.
func sessionEntries(s session.Session, owner Owner, now time.Time) []Entry {
	entry := func(kind Kind, at time.Time, by, note string) Entry {
		e := Event{ID: s.ID, At: at, Kind: kind, By: by, Note: note, Key: s.KeyID, Address: s.Address}
		if by != "" {
			e.ByID = owner.ID
		}
		out := eventEntry(e)
		out.Session, out.Client, out.UserAgent = s.ID, s.Client, s.UserAgent
		return out
	}
	var out []Entry
	if s.KeyID == "" {
		out = append(out, entry(SignedIn, s.Start, owner.Username, ""))
	}
	end := Entry{}
	switch {
	case s.Closed.IsZero() && (s.KeyID != "" || now.Before(s.RefreshDue)):
		return out
	case s.Closed.IsZero():
		end = entry(SessionExpired, s.RefreshDue, "", "It was not refreshed in time.")
	case s.Reason == session.RefreshReused:
		end = entry(RefreshReused, s.Closed, "", "")
	case s.Reason == session.SignedOut:
		end = entry(SessionClosed, s.Closed, owner.Username, "Signed out.")
	case s.Reason == session.ClosedByOwner:
		end = entry(SessionClosed, s.Closed, owner.Username, "Closed by its owner.")
	default:
		end = entry(SessionClosed, s.Closed, s.ClosedBy, "Closed by an administrator.")
		end.ByID = s.ClosedByID
	}
	end.Event.ID += ".end" // the start has the plain session id
	end.Address, end.position.End = s.ClosedFrom, true
	return append(out, end)
}
