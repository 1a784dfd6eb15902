// Package dynamo keeps the product's things in one DynamoDB table.
//
// Each kind of thing has a small type here that shares a Table; keys.go makes every key. Reads are strongly consistent
// throughout: a reader takes the environment's snapshot first and must then see everything written before it.
// internal/README.md has the table of items and how imports become visible.
package dynamo

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"useraccounts/internal/fault"
)

// item is the attributes of one item.
type item = map[string]types.AttributeValue

// Table is the table that everything here shares.
type Table struct {
	Client *dynamodb.Client
	Name   string
	// Outbox is the table of mails, for those that write or send any. It is a table of its own so that the stream that the
	// mailer reads is not that of all other writes, and the mailer needs no right on anything else.
	Outbox string
}

// Open returns the table of a name.
func Open(cfg aws.Config, name string) *Table {
	return &Table{Name: name, Client: dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		// DynamoDB Local's checksums are wrong for some answers; AWS's are checked.
		o.DisableValidateResponseChecksum = cfg.BaseEndpoint != nil
	})}
}

// WithOutbox returns the table for a function that writes mails.
func (t *Table) WithOutbox(name string) *Table {
	return &Table{Client: t.Client, Name: t.Name, Outbox: name}
}

// cancelledError is a transaction that did not happen, with the reason for each of its items.
type cancelledError struct{ reasons []types.CancellationReason }

func (e *cancelledError) Error() string {
	for i, r := range e.reasons {
		if code := aws.ToString(r.Code); code != "None" {
			return fmt.Sprintf("transaction cancelled: item %d: %s: %s", i, code, aws.ToString(r.Message))
		}
	}
	return "transaction cancelled"
}

// failed returns the index of the first item whose condition did not hold, or -1.
func (e *cancelledError) failed() int {
	for i, r := range e.reasons {
		if aws.ToString(r.Code) == conditionFailed {
			return i
		}
	}
	return -1
}

const (
	conditionFailed     = "ConditionalCheckFailed"
	transactionConflict = "TransactionConflict"
	maxTransaction      = 100
	maxBatchGet         = 100
)

// transact writes all items or none. A conflict with another transaction is tried again; a condition that does not hold
// comes back as *cancelledError. The SDK makes its own retries of one call idempotent by its client request token.
func (t *Table) transact(ctx context.Context, items []types.TransactWriteItem) error {
	const tries = 8
	for attempt := 1; ; attempt++ {
		_, err := t.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
		var cancelled *types.TransactionCanceledException
		if !errors.As(err, &cancelled) {
			return storeError("write", err)
		}
		e := &cancelledError{reasons: cancelled.CancellationReasons}
		if e.failed() >= 0 {
			return e
		}
		if attempt == tries {
			return unavailable(e)
		}
		if err := backoff(ctx, attempt); err != nil {
			return err
		}
	}
}

// updateRetrying updates one item, again where a transaction has it just then (which the SDK does not retry): another
// sign-in of the same account must not fail this one (V14).
func (t *Table) updateRetrying(ctx context.Context, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	const tries = 8
	for attempt := 1; ; attempt++ {
		out, err := t.Client.UpdateItem(ctx, in)
		var conflict *types.TransactionConflictException
		if !errors.As(err, &conflict) || attempt == tries {
			return out, err
		}
		if err := backoff(ctx, attempt); err != nil {
			return nil, err
		}
	}
}

// backoff waits before the next try: doubling from 20 ms, with jitter so that two writers do not meet again.
func backoff(ctx context.Context, attempt int) error {
	wait := min(20*time.Millisecond<<attempt, 2*time.Second)
	timer := time.NewTimer(wait/2 + time.Duration(randomBelow(int(wait/2))))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// randomBelow returns a random number from 0 to n-1, good enough for spreading load.
func randomBelow(n int) int {
	var raw [8]byte
	_, _ = rand.Read(raw[:])                                   // never fails (crypto/rand)
	return int(binary.LittleEndian.Uint64(raw[:]) % uint64(n)) //nolint:gosec // n is small and positive
}

// get reads one item strongly; nil if there is none.
func (t *Table) get(ctx context.Context, k key) (item, error) {
	out, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &t.Name, Key: k.attributes(), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, storeError("read", err)
	}
	return out.Item, nil
}

// concurrentBatches is how many batches of one batchGet are read at a time: one answer is decoded while others are
// under way.
const concurrentBatches = 4

// batchGet reads items strongly, any number, and returns those that exist in the order of keys; a missing one is nil.
func (t *Table) batchGet(ctx context.Context, keys []key) ([]item, error) {
	out := make([]item, len(keys))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrentBatches)
	for start := 0; start < len(keys); start += maxBatchGet {
		batch := keys[start:min(start+maxBatchGet, len(keys))]
		group.Go(func() error {
			found := make(map[key]item, len(batch))
			if err := t.getBatch(ctx, batch, found); err != nil {
				return err
			}
			for i, k := range batch {
				out[start+i] = found[k]
			}
			return nil
		})
	}
	return out, group.Wait()
}

func (t *Table) getBatch(ctx context.Context, keys []key, found map[key]item) error {
	wanted := make([]map[string]types.AttributeValue, 0, len(keys))
	asked := make(map[key]bool, len(keys))
	for _, k := range keys {
		if !asked[k] { // BatchGetItem refuses a key given twice
			asked[k] = true
			wanted = append(wanted, k.attributes())
		}
	}
	request := map[string]types.KeysAndAttributes{t.Name: {Keys: wanted, ConsistentRead: aws.Bool(true)}}
	for attempt := 1; len(request) > 0; attempt++ {
		out, err := t.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request})
		if err != nil {
			return storeError("read", err)
		}
		for _, it := range out.Responses[t.Name] {
			found[key{text(it, "PK"), text(it, "SK")}] = it
		}
		request = out.UnprocessedKeys
		if len(request) > 0 {
			if attempt == 8 {
				return unavailable(errors.New("keys left unprocessed"))
			}
			if err := backoff(ctx, attempt); err != nil {
				return err
			}
		}
	}
	return nil
}

// pageQuery reads one page of a partition strongly, from after a sort key (exclusive), forwards or backwards.
type pageQuery struct {
	pk, prefix, after string
	backwards         bool
	limit             int32
}

func (t *Table) query(ctx context.Context, p pageQuery) (items []item, more bool, err error) {
	in := &dynamodb.QueryInput{
		TableName: &t.Name, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(!p.backwards),
		KeyConditionExpression:    aws.String("PK = :pk"),
		ExpressionAttributeValues: item{":pk": str(p.pk)},
	}
	if p.prefix != "" {
		in.KeyConditionExpression = aws.String("PK = :pk AND begins_with(SK, :prefix)")
		in.ExpressionAttributeValues[":prefix"] = str(p.prefix)
	}
	if p.after != "" {
		in.ExclusiveStartKey = key{p.pk, p.after}.attributes()
	}
	if p.limit > 0 {
		in.Limit = aws.Int32(p.limit)
	}
	out, err := t.Client.Query(ctx, in)
	if err != nil {
		return nil, false, storeError("read", err)
	}
	return out.Items, len(out.LastEvaluatedKey) > 0, nil
}

// queryAll reads a whole partition, or what of it has the prefix.
func (t *Table) queryAll(ctx context.Context, p pageQuery) ([]item, error) {
	var all []item
	for {
		items, more, err := t.query(ctx, p)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if !more {
			return all, nil
		}
		p.after = text(items[len(items)-1], "SK")
	}
}

// storeError turns an SDK error into what callers act on: throttling and the like are Unavailable, a cancelled context
// stays itself, the rest is internal.
func storeError(operation string, err error) error {
	if err == nil {
		return nil
	}
	var (
		throughput *types.ProvisionedThroughputExceededException
		limit      *types.RequestLimitExceeded
		throttled  *types.ThrottlingException
		conflict   *types.TransactionConflictException
		progress   *types.TransactionInProgressException
	)
	if errors.As(err, &throughput) || errors.As(err, &limit) || errors.As(err, &throttled) ||
		errors.As(err, &conflict) || errors.As(err, &progress) {
		return unavailable(err)
	}
	return fmt.Errorf("%s table: %w", operation, err)
}

func unavailable(cause error) error {
	return fault.New(fault.Unavailable, "busy",
		"The service is busy; try again in a moment.").WithRetryAfter(time.Second).WithCause(cause)
}

// conditionHeld tells a write whose condition did not hold, with the item as it is, from any other error.
func conditionHeld(err error) (held bool, current item, other error) {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return false, failed.Item, nil
	}
	return err == nil, nil, storeError("write", err)
}
