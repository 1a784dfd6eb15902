package auditlog

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/environment"
)

// merger merges events and sessions into one timeline, a line at a time. Both are read downwards by the ids they are
// stored under. A line is settled once neither can still bring a greater one, that is when both were read lookAhead
// below it.
type merger struct {
	reader *Reader
	env    environment.Environment
	owner  Owner
	filter Filter
	now    time.Time
	// start is the position that lines must be before, floor the time that they must not be.
	start  Position
	oldest int64

	streams [2]stream
	buffer  []Entry // in order
	scanned int
	// unlimited walks stop only at the end.
	unlimited    bool
	creationDone bool
	// stoppedAt is where a walk stopped that is not at its end.
	stoppedAt *Position
}

// stream is one of the two sources.
type stream struct {
	// reached is the time of the id read last; before that id goes the next read.
	reached int64
	before  string
	ended   bool
	fetch   func(ctx context.Context, before string) ([]Entry, string, error)
}

func (l *Reader) newMerger(env environment.Environment, owner Owner, f Filter, after *Position) *merger {
	now := l.Now()
	w := &merger{reader: l, env: env, owner: owner, filter: f, now: now, start: Position{At: now.Add(skew).UnixMilli()}}
	if !f.To.IsZero() {
		w.limit(Position{At: f.To.UnixMilli() + 1})
	}
	if after != nil {
		w.limit(*after)
	}
	w.oldest = now.Add(-Retention(env.Settings.LogRetentionDays)).UnixMilli()
	if !f.From.IsZero() {
		w.oldest = max(w.oldest, f.From.UnixMilli())
	}
	w.streams[0].fetch, w.streams[1].fetch = w.fetchEvents, w.fetchSessions
	top := max(0, w.start.At) + skew.Milliseconds()
	for i := range w.streams {
		w.streams[i].reached, w.streams[i].before = top, idBefore(top)
	}
	return w
}

func (w *merger) limit(p Position) {
	if p.before(w.start) {
		w.start = p
	}
}

// next returns the next line that the filter wants; false at the end, or where the walk stopped short.
func (w *merger) next(ctx context.Context) (Entry, bool, error) {
	for {
		watermark := w.watermark()
		for len(w.buffer) > 0 && w.buffer[0].position.At > watermark {
			entry := w.buffer[0]
			w.buffer = w.buffer[1:]
			if entry.position.before(w.start) && entry.position.At >= w.oldest && w.filter.matches(entry) {
				return entry, true, nil
			}
		}
		if watermark == math.MinInt64 || watermark < w.oldest {
			return w.creation(ctx)
		}
		if w.scanned >= maxScanned && watermark < w.start.At-1 && !w.unlimited {
			w.stoppedAt = &Position{At: watermark + 1}
			return Entry{}, false, nil
		}
		if err := w.fetchMore(ctx); err != nil {
			return Entry{}, false, err
		}
	}
}

// watermark is the latest time that a line can have that was not read yet.
func (w *merger) watermark() int64 {
	watermark := int64(math.MinInt64)
	for _, s := range w.streams {
		if !s.ended {
			watermark = max(watermark, s.reached+lookAhead.Milliseconds())
		}
	}
	return watermark
}

// fetchMore reads on in the source that was read least far down.
func (w *merger) fetchMore(ctx context.Context) error {
	s := &w.streams[0]
	if s.ended || !w.streams[1].ended && w.streams[1].reached > s.reached {
		s = &w.streams[1]
	}
	entries, before, err := s.fetch(ctx, s.before)
	if err != nil {
		return err
	}
	w.scanned += batchSize
	s.before, s.ended = before, before == ""
	if !s.ended {
		s.reached = idTime(before)
	}
	w.buffer = append(w.buffer, entries...)
	slices.SortStableFunc(w.buffer, func(a, b Entry) int {
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

func (w *merger) fetchEvents(ctx context.Context, before string) ([]Entry, string, error) {
	events, next, err := w.reader.Store.Events(ctx, w.env, w.owner.ID, before, batchSize)
	entries := make([]Entry, len(events))
	for i, e := range events {
		entries[i] = eventEntry(e)
	}
	return entries, next, err
}

func (w *merger) fetchSessions(ctx context.Context, before string) ([]Entry, string, error) {
	sessions, next, err := w.reader.Store.Sessions(ctx, w.owner.ID, before, batchSize)
	var entries []Entry
	for _, s := range sessions {
		entries = append(entries, sessionEntries(s, w.owner, w.now)...)
	}
	return entries, next, err
}

// creation returns the birth record, once. It belongs to the account rather than to what is kept for a time, so it has
// no floor.
func (w *merger) creation(ctx context.Context) (Entry, bool, error) {
	if w.creationDone || !creationPosition.before(w.start) {
		return Entry{}, false, nil
	}
	w.creationDone = true
	e, seen, err := w.reader.Store.CreationEvent(ctx, w.env, w.owner.ID)
	entry := Entry{Event: e, position: creationPosition}
	return entry, err == nil && seen && w.filter.matches(entry), err
}

// idBefore returns an id that all of that time or later come after, and none of earlier.
func idBefore(ms int64) string {
	var id ulid.ULID
	if err := id.SetTime(uint64(ms)); err != nil { //nolint:gosec // never negative
		_ = id.SetTime(ulid.MaxTime())
	}
	return id.String()
}

// idTime returns the time that an id was given, in milliseconds; 0 for what is no id.
func idTime(text string) int64 {
	id, err := ulid.ParseStrict(text)
	if err != nil {
		return 0
	}
	return int64(id.Time()) //nolint:gosec // 48 bits
}
