package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/dynamo/schema"
)

// dispatcher is what the handler needs of mail.Dispatcher.
type dispatcher interface {
	Send(ctx context.Context, env, id string) error
	Sweep(ctx context.Context, env string) error
}

type handler struct {
	env        string
	dispatcher dispatcher
	log        *slog.Logger
}

// event is an event of the outbox's stream, with records, or of the schedule, without.
type event struct {
	Source  string `json:"source"`
	Records []struct {
		EventName string `json:"eventName"`
		DynamoDB  struct {
			Keys struct {
				PK, SK struct {
					S string `json:"S"`
				}
			} `json:"Keys"`
			SequenceNumber string `json:"SequenceNumber"`
		} `json:"dynamodb"`
	} `json:"Records"`
}

// handle sends the mails of the records or, on schedule, those that are due. The stream is ordered, so it reports the
// first record that fails, from which the stream is retried.
func (h handler) handle(ctx context.Context, raw jsontext.Value) (events.DynamoDBEventResponse, error) {
	var out events.DynamoDBEventResponse
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return out, fmt.Errorf("read event: %w", err)
	}
	if e.Source == "aws.events" {
		err := h.dispatcher.Sweep(ctx, h.env)
		if err != nil {
			h.log.ErrorContext(ctx, "sweep failed", "error", err.Error())
		}
		return out, err
	}
	for _, r := range e.Records {
		env, id, ok := schema.ParseQueuedMail(r.DynamoDB.Keys.PK.S, r.DynamoDB.Keys.SK.S)
		if !ok || env != h.env || r.EventName != string(events.DynamoDBOperationTypeInsert) {
			// A log entry, a change made by this function itself, or a mail of another environment that shares the outbox:
			// that one has a mailer of its own, with its own address and sender.
			continue
		}
		if err := h.dispatcher.Send(ctx, env, id); err != nil {
			h.log.ErrorContext(ctx, "record failed", "mail", id, "error", err.Error())
			out.BatchItemFailures = append(out.BatchItemFailures,
				events.DynamoDBBatchItemFailure{ItemIdentifier: r.DynamoDB.SequenceNumber})
			return out, nil
		}
	}
	return out, nil
}
