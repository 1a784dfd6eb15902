package auditlog

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/environment"
)

// merger merges events and sessions into one log, an entry at a time. Both streams are read in descending order of ids.
// An entry can be returned once neither stream can bring a newer one, that is when both were read to lookAhead below
// it: that point is the watermark.
type merger struct {
	reader *Reader
	env    environment.Environment
	owner  Owner
	filter Filter
	now    time.Time
	// start is the position below which entries are returned, oldest the time down to which they are.
	start  Position
	oldest int64

	streams [2]stream
	buffer  []Entry // sorted
	scanned int
	// unlimited mergers stop only at the end.
	unlimited    bool
	creationDone bool
	// stoppedAt is where a merger stopped before the end.
	stoppedAt *Position
}

// stream is one of the two streams, events or sessions.
type stream struct {
	// reached is the time of the last id read; the next read starts below that id.
	reached int64
	before  string
	ended   bool
	fetch   func(ctx context.Context, before string) ([]Entry, string, error)
}

func (r *Reader) newMerger(env environment.Environment, owner Owner, f Filter, after *Position) *merger {
	now := r.Now()
	m := &merger{reader: r, env: env, owner: owner, filter: f, now: now, start: Position{At: now.Add(skew).UnixMilli()}}
	if !f.To.IsZero() {
		m.limit(Position{At: f.To.UnixMilli() + 1})
	}
	if after != nil {
		m.limit(*after)
	}
	m.oldest = now.Add(-Retention(env.Settings.LogRetentionDays)).UnixMilli()
	if !f.From.IsZero() {
		m.oldest = max(m.oldest, f.From.UnixMilli())
	}
	m.streams[0].fetch, m.streams[1].fetch = m.fetchEvents, m.fetchSessions
	top := max(0, m.start.At) + skew.Milliseconds()
	for i := range m.streams {
		m.streams[i].reached, m.streams[i].before = top, idBefore(top)
	}
	return m
}

func (m *merger) limit(p Position) {
	if p.before(m.start) {
		m.start = p
	}
}

// next returns the next entry that the filter selects; false at the end, or where the merger stopped early.
func (m *merger) next(ctx context.Context) (Entry, bool, error) {
	for {
		watermark := m.watermark()
		for len(m.buffer) > 0 && m.buffer[0].position.At > watermark {
			entry := m.buffer[0]
			m.buffer = m.buffer[1:]
			if entry.position.before(m.start) && entry.position.At >= m.oldest && m.filter.matches(entry) {
				return entry, true, nil
			}
		}
		if watermark == math.MinInt64 || watermark < m.oldest {
			return m.creation(ctx)
		}
		if m.scanned >= maxScanned && watermark < m.start.At-1 && !m.unlimited {
			m.stoppedAt = &Position{At: watermark + 1}
			return Entry{}, false, nil
		}
		if err := m.fetchMore(ctx); err != nil {
			return Entry{}, false, err
		}
	}
}

// watermark is the latest time that an entry which was not read yet can have.
func (m *merger) watermark() int64 {
	watermark := int64(math.MinInt64)
	for _, s := range m.streams {
		if !s.ended {
			watermark = max(watermark, s.reached+lookAhead.Milliseconds())
		}
	}
	return watermark
}

// fetchMore reads from the stream that is behind.
func (m *merger) fetchMore(ctx context.Context) error {
	s := &m.streams[0]
	if s.ended || !m.streams[1].ended && m.streams[1].reached > s.reached {
		s = &m.streams[1]
	}
	entries, before, err := s.fetch(ctx, s.before)
	if err != nil {
		return err
	}
	m.scanned += batchSize
	s.before, s.ended = before, before == ""
	if !s.ended {
		s.reached = idTime(before)
	}
	m.buffer = append(m.buffer, entries...)
	slices.SortStableFunc(m.buffer, func(a, b Entry) int {
		switch {
		case b.position.before(a.position):
			return -1
		case a.position.before(b.position):
			return 1
		}
		return 0
	})
	return nil
}

func (m *merger) fetchEvents(ctx context.Context, before string) ([]Entry, string, error) {
	events, next, err := m.reader.Store.Events(ctx, m.env, m.owner.ID, before, batchSize)
	entries := make([]Entry, len(events))
	for i, e := range events {
		entries[i] = eventEntry(e)
	}
	return entries, next, err
}

func (m *merger) fetchSessions(ctx context.Context, before string) ([]Entry, string, error) {
	sessions, next, err := m.reader.Store.Sessions(ctx, m.owner.ID, before, batchSize)
	var entries []Entry
	for _, s := range sessions {
		entries = append(entries, sessionEntries(s, m.owner, m.now)...)
	}
	return entries, next, err
}

// creation returns the account's creation, once. It belongs to the account, so retention does not hide it.
func (m *merger) creation(ctx context.Context) (Entry, bool, error) {
	if m.creationDone || !creationPosition.before(m.start) {
		return Entry{}, false, nil
	}
	m.creationDone = true
	e, seen, err := m.reader.Store.CreationEvent(ctx, m.env, m.owner.ID)
	entry := Entry{Event: e, position: creationPosition}
	return entry, err == nil && seen && m.filter.matches(entry), err
}

// idBefore returns the lowest id of a time in milliseconds.
func idBefore(ms int64) string {
	var id ulid.ULID
	if err := id.SetTime(uint64(ms)); err != nil { //nolint:gosec // never negative
		_ = id.SetTime(ulid.MaxTime())
	}
	return id.String()
}

// idTime returns the time of an id in milliseconds; 0 for a text that is not an id.
func idTime(text string) int64 {
	id, err := ulid.ParseStrict(text)
	if err != nil {
		return 0
	}
	return int64(id.Time()) //nolint:gosec // 48 bits
}
