// Package queue puts messages on the SQS FIFO queue that feeds the worker.
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

// Open returns the queue at an URL.
func Open(cfg aws.Config, url string) Queue { return Queue{Client: sqs.NewFromConfig(cfg), URL: url} }

// Send puts a message on the queue. Messages of one group are delivered in order, one at a time; a second message with
// the same dedup id within five minutes is dropped by the queue.
func (q Queue) Send(ctx context.Context, group, dedupID string, body []byte) error {
	_, err := q.Client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &q.URL, MessageGroupId: &group, MessageDeduplicationId: &dedupID, MessageBody: aws.String(string(body)),
	})
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}
