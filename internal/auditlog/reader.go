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

// Store is what a timeline is made of.
type Store interface {
	// Events returns up to limit events of an account that the environment's snapshot sees, newest first, whose ids come
	// before the given one, and the id to go on from: empty at the end, else there may be more even if none are returned.
	Events(ctx context.Context, env environment.Environment, accountID, before string, limit int) ([]Event, string, error)
	// Sessions does the same with sessions.
	Sessions(ctx context.Context, accountID, before string, limit int) ([]session.Session, string, error)
	// CreationEvent returns the account's birth record, and whether the snapshot sees one.
	CreationEvent(ctx context.Context, env environment.Environment, accountID string) (Event, bool, error)
}

// Reader reads the logs of accounts.
type Reader struct {
	Store Store
	Now   func() time.Time
}

// Owner is the account of a timeline.
type Owner struct{ ID, Username string }

// Filter says which lines are wanted; zero values want all.
type Filter struct {
	Kind Kind
	// By is a username, in any case.
	By string
	// From and To bound the time, both inclusive.
	From, To time.Time
}

// Entry is an event as the timeline shows it.
type Entry struct {
	Event
	// Session, Client and UserAgent are of the sign-in that the line tells of.
	Session, Client, UserAgent string

	position Position
}

// Position is a place in a timeline. Lines stand in the order of their positions, the greatest first.
type Position struct {
	// At is in milliseconds since 1970.
	At int64  `json:"a"`
	ID string `json:"i,omitempty"`
	// End tells a session's end from its start.
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

// Page is one page of a timeline.
type Page struct {
	Entries []Entry
	// Next is where to go on after the page, nil at the end. A page can be short and still have a next: looking for rare
	// lines stops after a while, so that no request takes too long.
	Next *Position
}

const (
	// lookAhead is by how much a line can be newer than the id it is stored under. A session's end comes after its start,
	// and an import's event is stored under the id of its job, which may have waited. What is later still stands where the
	// look-ahead ends: a little too low, but never left out.
	lookAhead = 24 * time.Hour
	// skew is by how much an id can be newer than the time of its event: ids are given a moment after the clock was read.
	skew = time.Minute
	// batchSize is how many items are read at once; searched how many a page looks through before it stops short.
	batchSize, maxScanned = 200, 4000
)

// Page returns up to limit lines of an account's timeline, newest first, after a position. The last line of all is the
// account's creation. Lines older than the environment keeps its log are not shown, whether swept or not (C46).
func (l *Reader) Page(ctx context.Context, env environment.Environment, owner Owner, f Filter, after *Position,
	limit int) (Page, error) {
	w := l.newMerger(env, owner, f, after)
	var page Page
	for len(page.Entries) <= limit {
		line, ok, err := w.next(ctx)
		if err != nil {
			return Page{}, err
		}
		if !ok {
			page.Next = w.stoppedAt
			return page, nil
		}
		page.Entries = append(page.Entries, line)
	}
	page.Entries = page.Entries[:limit]
	last := page.Entries[limit-1].position
	page.Next = &last
	return page, nil
}

// matches reports whether a line is wanted.
func (f Filter) matches(l Entry) bool {
	at := time.UnixMilli(l.position.At)
	if l.position == creationPosition {
		at = l.At
	}
	return (f.Kind == "" || f.Kind == l.Kind) && (f.By == "" || catalogue.Fold(f.By) == catalogue.Fold(l.By)) &&
		(f.From.IsZero() || !at.Before(f.From)) && (f.To.IsZero() || !at.After(f.To))
}

// creationPosition is the place of an account's creation: below everything, because an import may have begun before it
// was carried out.
var creationPosition = Position{At: math.MinInt64}

// eventEntry returns the line of an event.
func eventEntry(e Event) Entry {
	stored := idTime(e.ID)
	at := max(min(e.At.UnixMilli(), stored+lookAhead.Milliseconds()), stored-skew.Milliseconds())
	if e.Count > 1 {
		e.Note = fmt.Sprintf("%s %d times within the hour.", e.Note, e.Count)
	}
	return Entry{Event: e, Client: e.Client, UserAgent: e.UserAgent, position: Position{At: at, ID: e.ID}}
}

// sessionEntries returns the lines that a session makes by now: its start, and its end. A sign-in writes no event of
// its own, so that it costs one write less; a session by an API key does, and is so short that only a deed that ends it
// is worth a line.
func sessionEntries(s session.Session, owner Owner, now time.Time) []Entry {
	entry := func(kind Kind, at time.Time, by, note string) Entry {
		e := Event{ID: s.ID, At: at, Kind: kind, By: by, Note: note, Key: s.KeyID, Address: s.Address}
		if by != "" {
			e.ByID = owner.ID
		}
		l := eventEntry(e)
		l.Session, l.Client, l.UserAgent = s.ID, s.Client, s.UserAgent
		return l
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
		end = entry(SessionExpired, s.RefreshDue, "", "It was to be refreshed by then.")
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
	end.Event.ID += ".end" // the start has the session's id
	end.Address, end.position.End = s.ClosedFrom, true
	return append(out, end)
}
