package main

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"

	"useraccounts/internal/transfer"
)

// jobRunner runs jobs, and ends those that cannot be run.
type jobRunner interface {
	Run(ctx context.Context, env, id string) error
	Abandon(ctx context.Context, env, id string) error
}

// lease is after how long a message whose worker died is delivered again.
const lease = 45 * time.Second

// holder is what the handler needs of the queue.
type holder interface {
	Hold(ctx context.Context, receipt string, lease time.Duration, log *slog.Logger) (stop func())
	Return(ctx context.Context, receipt string, after time.Duration) error
}

type handler struct {
	worker jobRunner
	queue  holder
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
		stop := h.queue.Hold(ctx, record.ReceiptHandle, lease, h.log)
		err = h.worker.Run(ctx, m.Env, m.Job)
		stop()
		if err != nil {
			h.returnEarly(ctx, record)
		}
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

// returnEarly has a message that failed delivered again soon, later each time: what passes is over after seconds or
// some minutes, and what does not has to reach the dead-letter queue.
func (h handler) returnEarly(ctx context.Context, record events.SQSMessage) {
	received, _ := strconv.Atoi(record.Attributes["ApproximateReceiveCount"]) // 0 counts as the first
	delays := []time.Duration{15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute}
	after := delays[min(max(received-1, 0), len(delays)-1)]
	if err := h.queue.Return(ctx, record.ReceiptHandle, after); err != nil {
		h.log.WarnContext(ctx, "message not returned early", "message", record.MessageId, "error", err.Error())
	}
}
