// Package table asks DynamoDB: it reads and queries items, strongly consistently, and writes transactions, again where
// another write has an item just then. It knows no item of the product; package schema does.
package table

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

// Item is the attributes of one item.
type Item = map[string]types.AttributeValue

// Table is a DynamoDB table and the client that asks it.
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

const (
	// MaxTransaction is how many writes DynamoDB takes in one transaction.
	MaxTransaction = 100
	// MaxBatchGet is how many keys it takes in one batch.
	MaxBatchGet = 100

	conditionFailed = "ConditionalCheckFailed"
)

// UpdateRetrying updates one item, again where a transaction has it just then (which the SDK does not retry): another
// sign-in of the same account must not fail this one (V14).
func (t *Table) UpdateRetrying(ctx context.Context, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	const tries = 8
	for attempt := 1; ; attempt++ {
		out, err := t.Client.UpdateItem(ctx, in)
		var conflict *types.TransactionConflictException
		if !errors.As(err, &conflict) || attempt == tries {
			return out, err
		}
		if err := Backoff(ctx, attempt); err != nil {
			return nil, err
		}
	}
}

// Backoff waits before the next try: doubling from 20 ms, with jitter so that two writers do not meet again.
func Backoff(ctx context.Context, attempt int) error {
	wait := min(20*time.Millisecond<<attempt, 2*time.Second)
	timer := time.NewTimer(wait/2 + time.Duration(RandomBelow(int(wait/2))))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// RandomBelow returns a random number from 0 to n-1, good enough for spreading load.
func RandomBelow(n int) int {
	var raw [8]byte
	_, _ = rand.Read(raw[:])                                   // never fails (crypto/rand)
	return int(binary.LittleEndian.Uint64(raw[:]) % uint64(n)) //nolint:gosec // n is small and positive
}

// Get reads one item strongly; nil if there is none.
func (t *Table) Get(ctx context.Context, k Key) (Item, error) {
	out, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &t.Name, Key: k.Attributes(), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, WrapError("read", err)
	}
	return out.Item, nil
}

// concurrentBatches is how many batches of one BatchGet are read at a time: one answer is decoded while others are
// under way.
const concurrentBatches = 4

// BatchGet reads items strongly, any number, and returns those that exist in the order of keys; a missing one is nil.
func (t *Table) BatchGet(ctx context.Context, keys []Key) ([]Item, error) {
	out := make([]Item, len(keys))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrentBatches)
	for start := 0; start < len(keys); start += MaxBatchGet {
		batch := keys[start:min(start+MaxBatchGet, len(keys))]
		group.Go(func() error {
			found := make(map[Key]Item, len(batch))
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

func (t *Table) getBatch(ctx context.Context, keys []Key, found map[Key]Item) error {
	wanted := make([]map[string]types.AttributeValue, 0, len(keys))
	asked := make(map[Key]bool, len(keys))
	for _, k := range keys {
		if !asked[k] { // BatchGetItem refuses a key given twice
			asked[k] = true
			wanted = append(wanted, k.Attributes())
		}
	}
	request := map[string]types.KeysAndAttributes{t.Name: {Keys: wanted, ConsistentRead: aws.Bool(true)}}
	for attempt := 1; len(request) > 0; attempt++ {
		out, err := t.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request})
		if err != nil {
			return WrapError("read", err)
		}
		for _, it := range out.Responses[t.Name] {
			found[NewKey(String(it, "PK"), String(it, "SK"))] = it
		}
		request = out.UnprocessedKeys
		if len(request) > 0 {
			if attempt == 8 {
				return Unavailable(errors.New("keys left unprocessed"))
			}
			if err := Backoff(ctx, attempt); err != nil {
				return err
			}
		}
	}
	return nil
}

// Query is a part of a partition: the items whose sort keys have the prefix, in their order or backwards.
type Query struct {
	PK, Prefix string
	// After is the sort key to go on from, which is not read again.
	After     string
	Backwards bool
	// Limit is how many items are read at most; 0 for as many as DynamoDB returns at once.
	Limit int
}

// Query reads one page strongly, and says whether there is more.
func (t *Table) Query(ctx context.Context, p Query) (items []Item, more bool, err error) {
	in := &dynamodb.QueryInput{
		TableName: &t.Name, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(!p.Backwards),
		KeyConditionExpression:    aws.String("PK = :pk"),
		ExpressionAttributeValues: Item{":pk": S(p.PK)},
	}
	if p.Prefix != "" {
		in.KeyConditionExpression = aws.String("PK = :pk AND begins_with(SK, :prefix)")
		in.ExpressionAttributeValues[":prefix"] = S(p.Prefix)
	}
	if p.After != "" {
		in.ExclusiveStartKey = NewKey(p.PK, p.After).Attributes()
	}
	if p.Limit > 0 {
		in.Limit = aws.Int32(int32(p.Limit)) //nolint:gosec // limits are small
	}
	out, err := t.Client.Query(ctx, in)
	if err != nil {
		return nil, false, WrapError("read", err)
	}
	return out.Items, len(out.LastEvaluatedKey) > 0, nil
}

// QueryAll reads a whole partition, or what of it has the prefix.
func (t *Table) QueryAll(ctx context.Context, p Query) ([]Item, error) {
	var all []Item
	for {
		items, more, err := t.Query(ctx, p)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if !more {
			return all, nil
		}
		p.After = String(items[len(items)-1], "SK")
	}
}

// WrapError turns an SDK error into what callers act on: throttling and the like are Unavailable, a cancelled context
// stays itself, the rest is internal.
func WrapError(operation string, err error) error {
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
		return Unavailable(err)
	}
	return fmt.Errorf("%s table: %w", operation, err)
}

// Unavailable is the fault that asks the caller to try again.
func Unavailable(cause error) error {
	return fault.New(fault.Unavailable, "busy",
		"The service is busy. Try again in a moment.").WithRetryAfter(time.Second).WithCause(cause)
}

// ConditionHeld tells a write whose condition did not hold, with the item as it is, from any other error.
func ConditionHeld(err error) (held bool, current Item, other error) {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return false, failed.Item, nil
	}
	return err == nil, nil, WrapError("write", err)
}

// Key is the primary key of one item.
type Key struct{ PK, SK string }

// NewKey returns the key of a partition and a sort key.
func NewKey(pk, sk string) Key { return Key{PK: pk, SK: sk} }

// Attributes returns the key as DynamoDB takes it.
func (k Key) Attributes() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"PK": S(k.PK), "SK": S(k.SK)}
}
