package dynamo

import (
	"context"
	"slices"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
)

// EnvironmentLog is the environment's own log: the changes of its settings and reference data.
type EnvironmentLog struct {
	*table.Table
}

// Events returns up to limit events, newest first, after the given id, and the id to go on from.
func (s EnvironmentLog) Events(ctx context.Context, env, after string, limit int) ([]auditlog.Event, string, error) {
	p := table.Query{PK: schema.EnvironmentLogPK(env), Prefix: schema.EventSK, Backwards: true, Limit: limit}
	if after != "" {
		p.After = schema.EventSK + after
	}
	items, more, err := s.Query(ctx, p)
	if err != nil {
		return nil, "", err
	}
	out := make([]auditlog.Event, len(items))
	for i, it := range items {
		out[i] = schema.EventOf(it)
	}
	if !more || len(out) == 0 {
		return out, "", nil
	}
	return out, out[len(out)-1].ID, nil
}

// maxEventsRead is how many events are read in search of those of one subject. Whoever asks read the subject not long
// ago.
const maxEventsRead = 2000

// EventsSince returns the events of a subject with versions after the given one, oldest first.
func (s EnvironmentLog) EventsSince(ctx context.Context, env, subject string, version int64) ([]auditlog.Event, error) {
	var out []auditlog.Event
	after := ""
	for seen := 0; seen < maxEventsRead; {
		events, next, err := s.Events(ctx, env, after, 200)
		if err != nil {
			return nil, err
		}
		seen += len(events)
		for _, e := range events {
			if e.Subject == subject && e.Version > version {
				out = append(out, e)
			}
		}
		older := slices.ContainsFunc(events,
			func(e auditlog.Event) bool { return e.Subject == subject && e.Version <= version })
		if older || next == "" {
			break
		}
		after = next
	}
	slices.Reverse(out)
	return out, nil
}

// EventsSince implements reference.Store.
func (s Reference) EventsSince(ctx context.Context, env, subject string, version int64) ([]auditlog.Event, error) {
	return s.Log.EventsSince(ctx, env, subject, version)
}
