// Package eventsource stands in for Lambda's poller of SQS: it receives from a queue, invokes the function with each
// batch, deletes what succeeded and leaves the rest to the queue, which counts the deliveries and redrives to the dead
// letters.
//
// It differs from the real poller in one way, on purpose. Lambda leaves a failed message invisible for the rest of the
// queue's visibility timeout, and one that a crashed poller held too: an hour and a half with this template. Here a
// failed message comes back after Retry, and a held one is kept invisible by renewing a short lease, so that a runner
// that is killed costs half a minute. Neither is ever longer than the template's visibility timeout.
package eventsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// maximumLease is how long a message stays invisible if nobody renews its lease.
const maximumLease = 30 * time.Second

// longestWait is how long a receive waits for a message, and so how long a stop can wait for a receive.
const longestWait = time.Second

// QueuePoller feeds one function from one queue.
type QueuePoller struct {
	Client                 *sqs.Client
	QueueURL, QueueARN     string
	Region                 string
	Function               string
	BatchSize              int
	ReportsPartialFailures bool
	Visibility             time.Duration // the queue's
	Retry                  time.Duration // how soon a failed message comes back
	Pollers                int           // so many batches at once; a FIFO queue gives no two of one group
	Invoke                 func(ctx context.Context, payload []byte) ([]byte, error)
	Log                    *slog.Logger

	// receiving is held for reading by each receive that is under way.
	receiving sync.RWMutex
}

// Run feeds until the context ends, and then waits for the invocations at work. Their messages are given back at once
// if they fail.
func (f *QueuePoller) Run(ctx context.Context) {
	var all sync.WaitGroup
	for range max(1, f.Pollers) {
		all.Go(func() { f.poll(ctx) })
	}
	all.Wait()
}

func (f *QueuePoller) poll(ctx context.Context) {
	for ctx.Err() == nil {
		messages, err := f.receive(ctx)
		if err != nil && ctx.Err() == nil {
			f.Log.Error("receiving from the queue", "function", f.Function, "error", err.Error())
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
		if len(messages) > 0 {
			f.deliver(ctx, messages)
		}
	}
}

func (f *QueuePoller) receive(ctx context.Context) ([]types.Message, error) {
	f.receiving.RLock()
	defer f.receiving.RUnlock()
	// It is not stopped by the context: the local queue would hand a message to a receive that nobody waits for any more.
	got, err := f.Client.ReceiveMessage(context.WithoutCancel(ctx), &sqs.ReceiveMessageInput{
		QueueUrl:                    &f.QueueURL,
		MaxNumberOfMessages:         int32(f.BatchSize), //nolint:gosec // at most 10
		WaitTimeSeconds:             seconds(longestWait),
		VisibilityTimeout:           seconds(f.lease()),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil {
		return nil, fmt.Errorf("receiving: %w", err)
	}
	return got.Messages, nil
}

func (f *QueuePoller) lease() time.Duration { return min(maximumLease, f.Visibility) }

// deliver invokes the function with one batch and settles each message. It is not stopped by the context: what was
// received is to be settled.
func (f *QueuePoller) deliver(ctx context.Context, messages []types.Message) {
	settleCtx := context.WithoutCancel(ctx)
	stopRenewing := f.renew(settleCtx, messages)
	failed, err := f.invoke(settleCtx, messages)
	stopRenewing()
	retry := f.Retry
	if ctx.Err() != nil {
		// The function was stopped with the runner: the next one is to take the message at once, and no receive of this one.
		retry = 0
		f.receiving.Lock()
		defer f.receiving.Unlock()
	}
	if err != nil {
		f.Log.Error("the function failed with a batch", "function", f.Function, "messages", ids(messages), "error",
			err.Error())
	}
	for _, m := range messages {
		if failed[*m.MessageId] {
			err = f.changeVisibility(settleCtx, m, retry)
		} else {
			err = f.remove(settleCtx, m)
		}
		if err != nil && ctx.Err() == nil {
			f.Log.Error("settling a message", "function", f.Function, "message", *m.MessageId, "error", err.Error())
		}
	}
}

// invoke returns the messages that failed: those that the function names, or all of them.
func (f *QueuePoller) invoke(ctx context.Context, messages []types.Message) (map[string]bool, error) {
	all := map[string]bool{}
	event := events.SQSEvent{}
	for _, m := range messages {
		all[*m.MessageId] = true
		event.Records = append(event.Records, f.record(m))
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return all, fmt.Errorf("writing the event: %w", err)
	}
	response, err := f.Invoke(ctx, payload)
	if err != nil {
		return all, err
	}
	if !f.ReportsPartialFailures {
		return nil, nil
	}
	failed, err := parseBatchFailures(response, all)
	if err != nil {
		return all, err
	}
	return failed, nil
}

// renew keeps the messages invisible until its result is called.
func (f *QueuePoller) renew(ctx context.Context, messages []types.Message) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		every := time.NewTicker(f.lease() / 3)
		defer every.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-every.C:
			}
			for _, m := range messages {
				if err := f.changeVisibility(ctx, m, f.lease()); err != nil && ctx.Err() == nil {
					f.Log.Error("renewing the lease of a message", "function", f.Function, "message", *m.MessageId, "error",
						err.Error())
				}
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

func (f *QueuePoller) remove(ctx context.Context, m types.Message) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := f.Client.DeleteMessage(ctx,
		&sqs.DeleteMessageInput{QueueUrl: &f.QueueURL, ReceiptHandle: m.ReceiptHandle}); err != nil {
		return fmt.Errorf("deleting: %w", err)
	}
	return nil
}

// changeVisibility makes a message visible after a while, though not later than the template says.
func (f *QueuePoller) changeVisibility(ctx context.Context, m types.Message, after time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := f.Client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &f.QueueURL, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds(min(after, f.Visibility)),
	})
	if err != nil {
		return fmt.Errorf("changing the visibility: %w", err)
	}
	return nil
}

// parseBatchFailures reads a partial batch response as Lambda does: nothing, null or an empty list is success, and
// whatever cannot be understood, or names a message that was not in the batch, is failure of the whole batch.
func parseBatchFailures(payload []byte, batch map[string]bool) (map[string]bool, error) {
	if len(payload) == 0 {
		return nil, nil
	}
	var response *struct {
		BatchItemFailures []struct {
			ItemIdentifier *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if string(payload) == `""` {
		return nil, nil
	}
	if err := json.Unmarshal(payload, &response); err != nil {
		return nil, fmt.Errorf("the partial batch response is not one: %w", err)
	}
	if response == nil {
		return nil, nil
	}
	failed := map[string]bool{}
	for _, item := range response.BatchItemFailures {
		if item.ItemIdentifier == nil || *item.ItemIdentifier == "" {
			return nil, errors.New("the partial batch response names no message")
		}
		if !batch[*item.ItemIdentifier] {
			return nil, fmt.Errorf("the partial batch response names %q, which is not in the batch", *item.ItemIdentifier)
		}
		failed[*item.ItemIdentifier] = true
	}
	return failed, nil
}

func seconds(d time.Duration) int32 {
	return int32(d.Round(time.Second) / time.Second) //nolint:gosec // at most 12 hours
}

func ids(messages []types.Message) []string {
	var all []string
	for _, m := range messages {
		all = append(all, *m.MessageId)
	}
	return all
}
