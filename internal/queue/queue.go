// Package queue sends messages to an SQS FIFO queue, and holds those that are being worked on.
package queue

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Queue is one SQS FIFO queue.
type Queue struct {
	Client *sqs.Client
	URL    string
}

// Open returns the queue with a URL.
func Open(cfg aws.Config, url string) Queue { return Queue{Client: sqs.NewFromConfig(cfg), URL: url} }

// Send sends a message. SQS delivers the messages of a group in order, one at a time, and drops a second message with
// the same deduplication id within five minutes.
func (q Queue) Send(ctx context.Context, group, dedupID string, body []byte) error {
	_, err := q.Client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &q.URL, MessageGroupId: &group, MessageDeduplicationId: &dedupID, MessageBody: aws.String(string(body)),
	})
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}

// Hold shortens the time after which a received message is delivered again to a lease, and renews the lease until stop
// is called. Without it a message whose worker died would wait for the queue's visibility timeout, which has to be as
// long as the longest work. That the queue does not answer is logged and stops nothing: the message then comes again
// while it is worked on, which jobs allow for.
func (q Queue) Hold(ctx context.Context, receipt string, lease time.Duration, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	renew := func() {
		if err := q.Return(ctx, receipt, lease); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "message not held", "error", err.Error())
		}
	}
	renew()
	done := make(chan struct{})
	go func() {
		defer close(done)
		every := time.NewTicker(lease / 3)
		defer every.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-every.C:
				renew()
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// Return has a received message delivered again after a time, in whole seconds.
func (q Queue) Return(ctx context.Context, receipt string, after time.Duration) error {
	_, err := q.Client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.URL, ReceiptHandle: &receipt, VisibilityTimeout: int32(after.Seconds()),
	})
	if err != nil {
		return fmt.Errorf("change visibility: %w", err)
	}
	return nil
}
