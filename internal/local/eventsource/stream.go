package eventsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// StreamPoller feeds one function from the stream of a table, as Lambda's poller does: in the order of each shard, a
// batch again until it succeeds or its retries are used up, halved where the template says so, and then on to the queue
// of failures. Where it is in a shard it knows only while it runs; a new run begins at the oldest record, so a function
// has to pass over what it has done already, which it has to on AWS too.
type StreamPoller struct {
	Client                 *dynamodbstreams.Client
	ARN                    string
	Region                 string
	Function               string
	BatchSize              int
	Retries                int
	Bisects                bool
	ReportsPartialFailures bool
	// takes word of records that failed for good; nil for nobody
	OnFailure func(ctx context.Context, body string) error
	Retry     time.Duration
	Every     time.Duration // between looks at an empty stream
	Invoke    func(ctx context.Context, payload []byte) ([]byte, error)
	Log       *slog.Logger
}

// Run feeds until the context ends.
func (f *StreamPoller) Run(ctx context.Context) {
	started := map[string]chan struct{}{}
	var all sync.WaitGroup
	defer all.Wait()
	for ctx.Err() == nil {
		described, err := f.Client.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &f.ARN})
		if err != nil && ctx.Err() == nil {
			f.Log.Error("looking at the stream", "function", f.Function, "error", err.Error())
		}
		if err == nil {
			for _, shard := range described.StreamDescription.Shards {
				if started[*shard.ShardId] != nil {
					continue
				}
				ended, parent := make(chan struct{}), started[value(shard.ParentShardId)]
				started[*shard.ShardId] = ended
				all.Go(func() {
					defer close(ended)
					if parent != nil { // what a shard holds is older than what its children do
						select {
						case <-parent:
						case <-ctx.Done():
						}
					}
					f.readShard(ctx, *shard.ShardId)
				})
			}
		}
		pause(ctx, 10*f.Every)
	}
}

// readShard reads a shard from its oldest record to its end.
func (f *StreamPoller) readShard(ctx context.Context, id string) {
	start := &dynamodbstreams.GetShardIteratorInput{StreamArn: &f.ARN, ShardId: &id,
		ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
	var iterator *string
	for ctx.Err() == nil {
		if iterator == nil {
			got, err := f.Client.GetShardIterator(ctx, start)
			if err != nil {
				f.backOff(ctx, err)
				continue
			}
			iterator = got.ShardIterator
		}
		got, err := f.Client.GetRecords(ctx,
			&dynamodbstreams.GetRecordsInput{ShardIterator: iterator,
				Limit: aws.Int32(int32(f.BatchSize))}) //nolint:gosec // at most 1000
		if err != nil {
			f.backOff(ctx, err)
			iterator = nil // it may have expired: from the last record on
			continue
		}
		if len(got.Records) > 0 {
			f.deliver(ctx, id, got.Records)
			last := got.Records[len(got.Records)-1].Dynamodb.SequenceNumber
			start.ShardIteratorType, start.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, last
		}
		if iterator = got.NextShardIterator; iterator == nil {
			return
		}
		if len(got.Records) == 0 {
			pause(ctx, f.Every)
		}
	}
}

func (f *StreamPoller) backOff(ctx context.Context, err error) {
	if ctx.Err() == nil {
		f.Log.Error("reading the stream", "function", f.Function, "error", err.Error())
		pause(ctx, time.Second)
	}
}

// deliver hands a batch to the function until it is done with it or it goes to the failures.
func (f *StreamPoller) deliver(ctx context.Context, shard string, records []types.Record) {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		remaining, err := f.invoke(context.WithoutCancel(ctx), records)
		if len(remaining) == 0 && err == nil {
			return
		}
		if err != nil {
			f.Log.Error("the function failed with a batch", "function", f.Function, "records", len(records), "error",
				err.Error())
		}
		if len(remaining) < len(records) {
			records, attempt = remaining, -1 // Lambda counts anew from where the function got to
			continue
		}
		if attempt >= f.Retries {
			f.sendToOnFailure(context.WithoutCancel(ctx), shard, records, attempt+1)
			return
		}
		if f.Bisects && len(records) > 1 {
			f.deliver(ctx, shard, records[:len(records)/2])
			f.deliver(ctx, shard, records[len(records)/2:])
			return
		}
		pause(ctx, f.Retry)
	}
}

// invoke returns the records from the first that failed on; all of them if the function failed as a whole.
func (f *StreamPoller) invoke(ctx context.Context, records []types.Record) ([]types.Record, error) {
	payload, err := json.Marshal(map[string]any{"Records": f.records(records)})
	if err != nil {
		return records, fmt.Errorf("writing the event: %w", err)
	}
	response, err := f.Invoke(ctx, payload)
	if err != nil {
		return records, err
	}
	if !f.ReportsPartialFailures {
		return nil, nil
	}
	batch := map[string]bool{}
	for _, r := range records {
		batch[*r.Dynamodb.SequenceNumber] = true
	}
	failed, err := parseBatchFailures(response, batch)
	if err != nil {
		return records, err
	}
	for i, r := range records {
		if failed[*r.Dynamodb.SequenceNumber] {
			return records[i:], errors.New("the function named a record that failed")
		}
	}
	return nil, nil
}

// records are the records as the function gets them: which item, and what was done to it. The template's reader lets no
// other stream be read.
func (f *StreamPoller) records(records []types.Record) []map[string]any {
	out := make([]map[string]any, len(records))
	for i, r := range records {
		keys := map[string]any{}
		for name, v := range r.Dynamodb.Keys {
			switch v := v.(type) {
			case *types.AttributeValueMemberS:
				keys[name] = map[string]string{"S": v.Value}
			case *types.AttributeValueMemberN:
				keys[name] = map[string]string{"N": v.Value}
			case *types.AttributeValueMemberB:
				keys[name] = map[string][]byte{"B": v.Value}
			}
		}
		out[i] = map[string]any{
			"eventID": value(r.EventID), "eventName": string(r.EventName), "eventVersion": value(r.EventVersion),
			"eventSource": "aws:dynamodb", "awsRegion": f.Region, "eventSourceARN": f.ARN,
			"dynamodb": map[string]any{
				"Keys": keys, "SequenceNumber": value(r.Dynamodb.SequenceNumber),
				"StreamViewType":              string(r.Dynamodb.StreamViewType),
				"SizeBytes":                   aws.ToInt64(r.Dynamodb.SizeBytes),
				"ApproximateCreationDateTime": aws.ToTime(r.Dynamodb.ApproximateCreationDateTime).Unix(),
			},
		}
	}
	return out
}

// sendToOnFailure tells the queue of failures which records were given up, as Lambda does: where they are, not what
// they hold.
func (f *StreamPoller) sendToOnFailure(ctx context.Context, shard string, records []types.Record, attempts int) {
	f.Log.Error("records given up", "function", f.Function, "records", len(records), "attempts", attempts)
	if f.OnFailure == nil {
		return
	}
	first, last := records[0].Dynamodb, records[len(records)-1].Dynamodb
	body, err := json.Marshal(map[string]any{
		"requestContext": map[string]any{"condition": "RetryAttemptsExhausted", "approximateInvokeCount": attempts,
			"functionArn": f.Function},
		"version": "1.0",
		"DDBStreamBatchInfo": map[string]any{
			"shardId": shard, "streamArn": f.ARN, "batchSize": len(records),
			"startSequenceNumber": value(first.SequenceNumber), "endSequenceNumber": value(last.SequenceNumber),
		},
	})
	if err == nil {
		err = f.OnFailure(ctx, string(body))
	}
	if err != nil {
		f.Log.Error("telling of records given up", "function", f.Function, "error", err.Error())
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// Scheduler runs a function again and again, as a schedule of EventBridge does. The first run is at once, so that a
// runner that is started for an hour sees a daily one too.
type Scheduler struct {
	Function string
	Rule     string
	Every    time.Duration
	Invoke   func(ctx context.Context, payload []byte) ([]byte, error)
	Log      *slog.Logger
}

// Run runs until the context ends.
func (c *Scheduler) Run(ctx context.Context) {
	for ctx.Err() == nil {
		payload, err := json.Marshal(map[string]any{
			"version": "0", "source": "aws.events", "detail-type": "Scheduled Event",
			"time":      time.Now().UTC().Format(time.RFC3339),
			"resources": []string{c.Rule}, "detail": map[string]any{},
		})
		if err == nil {
			_, err = c.Invoke(context.WithoutCancel(ctx), payload)
		}
		if err != nil && ctx.Err() == nil {
			c.Log.Error("the function failed on schedule", "function", c.Function, "error", err.Error())
		}
		pause(ctx, c.Every)
	}
}
