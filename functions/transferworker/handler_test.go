package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// calls records the calls of the worker, and fails jobs named bad.
type calls []string

func (c *calls) record(what, id string) error {
	*c = append(*c, what+" "+id)
	if id == "bad" {
		return errors.New("down")
	}
	return nil
}

func (c *calls) Run(_ context.Context, _, id string) error     { return c.record("run", id) }
func (c *calls) Abandon(_ context.Context, _, id string) error { return c.record("abandon", id) }

// fakeQueue records for how long messages were held, and when they are to come again.
type fakeQueue struct {
	held     int
	returned []time.Duration
}

func (q *fakeQueue) Hold(context.Context, string, time.Duration, *slog.Logger) func() {
	q.held++
	return func() { q.held-- }
}

func (q *fakeQueue) Return(_ context.Context, _ string, after time.Duration) error {
	q.returned = append(q.returned, after)
	return nil
}

func message(id, queue, body string) events.SQSMessage {
	return events.SQSMessage{MessageId: id, EventSourceARN: queue, Body: body}
}

// V85, V86: a failed message goes back with all after it. A dead letter ends its job. A message that cannot be read
// fails, and is dropped from the dead-letter queue.
func TestHandle(t *testing.T) {
	for name, c := range map[string]struct {
		records []events.SQSMessage
		want    []string
		failed  []string
	}{
		"runs": {[]events.SQSMessage{message("1", "q", `{"env":"e","job":"a"}`)}, []string{"run a"}, nil},
		"none overtakes": {
			[]events.SQSMessage{message("1", "q", `{"env":"e","job":"a"}`), message("2", "q", `{"env":"e","job":"bad"}`),
				message("3", "q", `{"env":"e","job":"c"}`)}, []string{"run a", "run bad"}, []string{"2", "3"}},
		"dead": {[]events.SQSMessage{message("1", "dead", `{"env":"e","job":"a"}`)}, []string{"abandon a"}, nil},
		"dead and fails": {[]events.SQSMessage{message("1", "dead", `{"env":"e","job":"bad"}`)}, []string{"abandon bad"},
			[]string{"1"}},
		"nonsense":      {[]events.SQSMessage{message("1", "q", `{}x`)}, nil, []string{"1"}},
		"dead nonsense": {[]events.SQSMessage{message("1", "dead", `{}x`)}, nil, nil},
	} {
		var got calls
		out, err := handler{worker: &got, queue: &fakeQueue{}, deadLetters: "dead",
			log: slog.New(slog.DiscardHandler)}.handle(context.Background(), events.SQSEvent{Records: c.records})
		var failed []string
		for _, f := range out.BatchItemFailures {
			failed = append(failed, f.ItemIdentifier)
		}
		if err != nil || !slices.Equal(got, c.want) || !slices.Equal(failed, c.failed) {
			t.Errorf("%s: %v, failed %v, %v", name, got, failed, err)
		}
	}
}

// A job that met a passing error goes on within a minute, and later after each further failure, so that an outage of
// some minutes uses up no job's tries. What was held is let go.
func TestAFailedMessageComesBackSoon(t *testing.T) {
	var q fakeQueue
	for received := range 6 {
		failed := message("1", "q", `{"env":"e","job":"bad"}`)
		failed.Attributes = map[string]string{"ApproximateReceiveCount": strconv.Itoa(received)}
		if _, err := (handler{worker: &calls{}, queue: &q, log: slog.New(slog.DiscardHandler)}).handle(t.Context(),
			events.SQSEvent{Records: []events.SQSMessage{failed}}); err != nil {
			t.Fatal(err)
		}
	}
	if q.held != 0 || len(q.returned) != 6 || q.returned[1] > time.Minute || !slices.IsSorted(q.returned) ||
		q.returned[5] < 5*time.Minute {
		t.Errorf("%+v", q)
	}
}
