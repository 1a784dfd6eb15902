// Package queue sends messages to an SQS FIFO queue.
package queue

import (
	"context"
	"fmt"

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
