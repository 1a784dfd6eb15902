package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"useraccounts/internal/samtemplate"
)

// Queue is a queue that was made.
type Queue struct{ URL, ARN string }

// CreateQueue makes a queue of the template under a name; deadLetters is the ARN of its dead-letter queue or empty.
func CreateQueue(ctx context.Context, client *sqs.Client, q samtemplate.Queue, name, deadLetters string) (Queue,
	error) {
	attributes, err := queueAttributes(q, deadLetters)
	if err != nil {
		return Queue{}, err
	}
	var url *string
	made, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if exists := new(types.QueueNameExists); errors.As(err, &exists) {
		url, err = changeQueue(ctx, client, name, attributes)
	} else if err == nil {
		url = made.QueueUrl
	}
	if err != nil {
		return Queue{}, fmt.Errorf("creating the queue %s: %w", name, err)
	}
	have, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return Queue{}, fmt.Errorf("asking for the ARN of the queue %s: %w", name, err)
	}
	return Queue{URL: *url, ARN: have.Attributes["QueueArn"]}, nil
}

func queueAttributes(q samtemplate.Queue, deadLetters string) (map[string]string, error) {
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
	attributes := map[string]string{
		"VisibilityTimeout": seconds(q.VisibilityTimeout), "MessageRetentionPeriod": seconds(q.Retention),
		"DelaySeconds": seconds(q.Delay), "ReceiveMessageWaitTimeSeconds": seconds(q.ReceiveWait),
	}
	if q.FIFO {
		attributes["FifoQueue"] = "true"
		attributes["ContentBasedDeduplication"] = strconv.FormatBool(q.ContentDedup)
		if q.DeduplicationScope != "" {
			attributes["DeduplicationScope"] = q.DeduplicationScope
		}
		if q.FIFOThroughputLimit != "" {
			attributes["FifoThroughputLimit"] = q.FIFOThroughputLimit
		}
	}
	if deadLetters != "" {
		policy, err := json.Marshal(map[string]any{"deadLetterTargetArn": deadLetters, "maxReceiveCount": q.MaxReceiveCount})
		if err != nil {
			return nil, fmt.Errorf("writing the redrive policy of %s: %w", q.LogicalID, err)
		}
		attributes["RedrivePolicy"] = string(policy)
	}
	return attributes, nil
}

// changeQueue brings a queue of an earlier run to what the template says now.
func changeQueue(ctx context.Context, client *sqs.Client, name string, attributes map[string]string) (*string, error) {
	found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return nil, fmt.Errorf("finding it: %w", err)
	}
	delete(attributes, "FifoQueue") // can only be said at the beginning
	if _, err := client.SetQueueAttributes(ctx,
		&sqs.SetQueueAttributesInput{QueueUrl: found.QueueUrl, Attributes: attributes}); err != nil {
		return nil, fmt.Errorf("changing it: %w", err)
	}
	return found.QueueUrl, nil
}

// DeleteQueue removes a queue; one that is gone is no error.
func DeleteQueue(ctx context.Context, client *sqs.Client, url string) error {
	_, err := client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &url})
	if gone := new(types.QueueDoesNotExist); err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("deleting the queue %s: %w", url, err)
	}
	return nil
}
