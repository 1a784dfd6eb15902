package journal

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/environment"
)

// walk merges events and sessions into one timeline, a line at a time. Both are read downwards by the ids they are stored
// under. A line is settled once neither can still bring a greater one, that is when both were read lookAhead below it.
type walk struct {
	log    *Log
	env    environment.Environment
	who    Whose
	filter Filter
	now    time.Time
	// from is the position that lines must be before, floor the time that they must not be.
	from  Position
	floor int64

	strands [2]strand
	waiting []Line // in order
	read    int
	// unbound walks stop only at the end.
	unbound bool
	born    bool
	// stopped is where a walk stopped that is not at its end.
	stopped *Position
}

// strand is one of the two sources.
type strand struct {
	// down is the time of the id read last; before that id goes the next read.
	down   int64
	before string
	ended  bool
	fetch  func(ctx context.Context, before string) ([]Line, string, error)
}

func (l *Log) walk(env environment.Environment, who Whose, f Filter, after *Position) *walk {
	now := l.Now()
	w := &walk{log: l, env: env, who: who, filter: f, now: now, from: Position{At: now.Add(skew).UnixMilli()}}
	if !f.To.IsZero() {
		w.limit(Position{At: f.To.UnixMilli() + 1})
	}
	if after != nil {
		w.limit(*after)
	}
	w.floor = now.Add(-Kept(env.Settings.LogRetentionDays)).UnixMilli()
	if !f.From.IsZero() {
		w.floor = max(w.floor, f.From.UnixMilli())
	}
	w.strands[0].fetch, w.strands[1].fetch = w.events, w.sessions
	top := max(0, w.from.At) + skew.Milliseconds()
	for i := range w.strands {
		w.strands[i].down, w.strands[i].before = top, idBefore(top)
	}
	return w
}

func (w *walk) limit(p Position) {
	if p.before(w.from) {
		w.from = p
	}
}

// next returns the next line that the filter wants; false at the end, or where the walk stopped short.
func (w *walk) next(ctx context.Context) (Line, bool, error) {
	for {
		horizon := w.horizon()
		for len(w.waiting) > 0 && w.waiting[0].place.At > horizon {
			line := w.waiting[0]
			w.waiting = w.waiting[1:]
			if line.place.before(w.from) && line.place.At >= w.floor && w.filter.matches(line) {
				return line, true, nil
			}
		}
		if horizon == math.MinInt64 || horizon < w.floor {
			return w.last(ctx)
		}
		if w.read >= searched && horizon < w.from.At-1 && !w.unbound {
			w.stopped = &Position{At: horizon + 1}
			return Line{}, false, nil
		}
		if err := w.extend(ctx); err != nil {
			return Line{}, false, err
		}
	}
}

// horizon is the latest time that a line can have that was not read yet.
func (w *walk) horizon() int64 {
	horizon := int64(math.MinInt64)
	for _, s := range w.strands {
		if !s.ended {
			horizon = max(horizon, s.down+lookAhead.Milliseconds())
		}
	}
	return horizon
}

// extend reads on in the source that was read least far down.
func (w *walk) extend(ctx context.Context) error {
	s := &w.strands[0]
	if s.ended || !w.strands[1].ended && w.strands[1].down > s.down {
		s = &w.strands[1]
	}
	lines, before, err := s.fetch(ctx, s.before)
	if err != nil {
		return err
	}
	w.read += fetched
	s.before, s.ended = before, before == ""
	if !s.ended {
		s.down = idTime(before)
	}
	w.waiting = append(w.waiting, lines...)
	slices.SortStableFunc(w.waiting, func(a, b Line) int {
		switch {
		case b.place.before(a.place):
			return -1
		case a.place.before(b.place):
			return 1
		}
		return 0
	})
	return nil
}

func (w *walk) events(ctx context.Context, before string) ([]Line, string, error) {
	events, next, err := w.log.Source.Events(ctx, w.env, w.who.ID, before, fetched)
	lines := make([]Line, len(events))
	for i, e := range events {
		lines[i] = lineOf(e)
	}
	return lines, next, err
}

func (w *walk) sessions(ctx context.Context, before string) ([]Line, string, error) {
	sessions, next, err := w.log.Source.Sessions(ctx, w.who.ID, before, fetched)
	var lines []Line
	for _, s := range sessions {
		lines = append(lines, linesOf(s, w.who, w.now)...)
	}
	return lines, next, err
}

// last returns the birth record, once. It belongs to the account rather than to what is kept for a time, so it has no floor.
func (w *walk) last(ctx context.Context) (Line, bool, error) {
	if w.born || !birth.before(w.from) {
		return Line{}, false, nil
	}
	w.born = true
	e, seen, err := w.log.Source.Born(ctx, w.env, w.who.ID)
	line := Line{Event: e, place: birth}
	return line, err == nil && seen && w.filter.matches(line), err
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
