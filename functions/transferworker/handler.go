package main

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"

	"useraccounts/internal/transfer"
)

// jobRunner runs jobs, and ends those that cannot be run.
type jobRunner interface {
	Run(ctx context.Context, env, id string) error
	Abandon(ctx context.Context, env, id string) error
}

type handler struct {
	worker jobRunner
	// deadLetters is the ARN of the dead-letter queue, to which messages go that failed too often (V85).
	deadLetters string
	log         *slog.Logger
}

// handle runs the jobs of a batch of messages. A failed message and all after it go back to the queue, as the messages
// of a FIFO group must stay in order (V86).
func (h handler) handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	var out events.SQSEventResponse
	for i, record := range batch.Records {
		if err := h.handleRecord(ctx, record); err != nil {
			for _, left := range batch.Records[i:] {
				out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: left.MessageId})
			}
			return out, nil
		}
	}
	return out, nil
}

// handleRecord runs the job of one message, and logs one line. A message that cannot be read fails, and so reaches the
// dead-letter queue.
func (h handler) handleRecord(ctx context.Context, record events.SQSMessage) error {
	var m transfer.Message
	dead := record.EventSourceARN == h.deadLetters
	err := json.Unmarshal([]byte(record.Body), &m, json.RejectUnknownMembers(true))
	switch {
	case err != nil && dead: // it would come back for ever
		h.log.ErrorContext(ctx, "message dropped", "message", record.MessageId, "error", err.Error())
		return nil
	case err != nil:
	case dead:
		err = h.worker.Abandon(ctx, m.Env, m.Job)
	default:
		err = h.worker.Run(ctx, m.Env, m.Job)
	}
	attributes := []any{"message", record.MessageId, "job", m.Job, "received",
		record.Attributes["ApproximateReceiveCount"]}
	if err != nil {
		h.log.ErrorContext(ctx, "message failed", append(attributes, "error", err.Error())...)
		return err
	}
	h.log.InfoContext(ctx, "message done", attributes...)
	return nil
}
