package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

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
		out, err := handler{worker: &got, deadLetters: "dead",
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
