package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/apikey"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// APIKeys keeps API keys. They are in the partition of their account, whose anchor names the environment.
type APIKeys struct {
	*table.Table
}

var (
	_ apikey.Store       = APIKeys{}
	_ signin.KeySessions = APIKeys{}
)

// Keys implements apikey.Store.
func (s APIKeys) Keys(ctx context.Context, accountID, after string, limit int) ([]session.APIKey, string, error) {
	p := table.Query{PK: schema.AccountPK(accountID), Prefix: schema.APIKeySK, Backwards: true, Limit: limit}
	if after != "" {
		p.After = schema.APIKeySK + after
	}
	items, more, err := s.Query(ctx, p)
	if err != nil {
		return nil, "", err
	}
	out := make([]session.APIKey, len(items))
	for i, it := range items {
		out[i] = schema.APIKeyOf(accountID, it)
	}
	if !more || len(out) == 0 {
		return out, "", nil
	}
	return out, out[len(out)-1].ID, nil
}

// CountActive implements apikey.Store. The number of keys ever created is read first, so that a key which is created
// while the others are read raises it.
func (s APIKeys) CountActive(ctx context.Context, accountID string, now time.Time) (int, int64, error) {
	counted, err := s.Get(ctx, schema.APIKeyCountKey(accountID))
	if err != nil {
		return 0, 0, err
	}
	items, err := s.QueryAll(ctx, table.Query{PK: schema.AccountPK(accountID), Prefix: schema.APIKeySK})
	if err != nil {
		return 0, 0, err
	}
	active := 0
	for _, it := range items {
		if schema.APIKeyOf(accountID, it).State(now) == session.KeyActive {
			active++
		}
	}
	return active, table.Int(counted, "made"), nil
}

// Create implements apikey.Store.
func (s APIKeys) Create(ctx context.Context, c apikey.NewKey) error {
	event, err := schema.Event(c.Key.AccountID, c.Event)
	if err != nil {
		return err
	}
	var tx table.Transaction
	tx.Put(s.Table, schema.APIKey(c.Key), schema.ConcurrentChange)
	tx.Put(s.Table, keyExpiryItem(c.Env, c.Key), schema.ConcurrentChange)
	tx.Put(s.Table, event, schema.ConcurrentChange)
	counted := &types.Update{
		TableName: &s.Name, Key: schema.APIKeyCountKey(c.Key.AccountID).Attributes(),
		UpdateExpression:          aws.String("SET made = :next"),
		ConditionExpression:       aws.String("attribute_not_exists(PK)"),
		ExpressionAttributeValues: table.Item{":next": table.N(c.CreatedCount + 1)},
	}
	if c.CreatedCount > 0 {
		counted.ConditionExpression = aws.String("made = :made")
		counted.ExpressionAttributeValues[":made"] = table.N(c.CreatedCount)
	}
	tx = append(tx, table.Update(counted, schema.ConcurrentChange))
	mails, err := schema.Mails(s.Table, c.Mails)
	if err != nil {
		return err
	}
	tx = append(tx, mails...)
	tx = append(tx, Accounts(s).callerUnchanged(c.Event.ByID, c.CallerEpoch))
	if c.Event.ByID != c.Key.AccountID { // a transaction takes an item once
		tx = append(tx, table.Check(&types.ConditionCheck{
			TableName: &s.Name, Key: schema.AnchorKey(c.Key.AccountID).Attributes(),
			ConditionExpression: aws.String(notTombstoned),
		}, func(table.Item) error { return AccountNotFound() }))
	}
	return s.Commit(ctx, tx)
}

// Key implements apikey.Store.
func (s APIKeys) Key(ctx context.Context, accountID, id string) (session.APIKey, error) {
	it, err := s.Get(ctx, schema.APIKeyKey(accountID, id))
	if err != nil {
		return session.APIKey{}, err
	}
	if it == nil {
		return session.APIKey{}, fault.New(fault.NotFound, "notFound", "The account has no such key.")
	}
	return schema.APIKeyOf(accountID, it), nil
}

// Lock implements apikey.Store.
func (s APIKeys) Lock(ctx context.Context, k session.APIKey, e auditlog.Event, mails []mail.Message) error {
	event, err := schema.Event(k.AccountID, e)
	if err != nil {
		return err
	}
	told, err := schema.Mails(s.Table, mails)
	if err != nil {
		return err
	}
	var tx table.Transaction
	tx.Put(s.Table, event, schema.ConcurrentChange)
	tx = append(tx, table.Update(&types.Update{
		TableName: &s.Name, Key: schema.APIKeyKey(k.AccountID, k.ID).Attributes(),
		UpdateExpression:          aws.String("SET locked = :at, lockedBy = :by"),
		ConditionExpression:       aws.String("attribute_exists(PK) AND attribute_not_exists(locked)"),
		ExpressionAttributeValues: table.Item{":at": table.Timestamp(k.Locked), ":by": table.S(k.LockedBy)},
	}, schema.ConcurrentChange))
	return s.Commit(ctx, append(tx, told...))
}

// OpenKeySession implements signin.KeySessions.
func (s APIKeys) OpenKeySession(ctx context.Context, k session.APIKey, opened session.Session, e auditlog.Event) error {
	event, err := schema.Event(opened.AccountID, e)
	if err != nil {
		return err
	}
	var tx table.Transaction
	tx.Put(s.Table, schema.Session(opened), schema.ConcurrentChange)
	tx.Put(s.Table, event, schema.ConcurrentChange)
	if k.UseDue(opened.Start) {
		tx = append(tx, table.Update(&types.Update{
			TableName: &s.Name, Key: schema.APIKeyKey(k.AccountID, k.ID).Attributes(),
			UpdateExpression:          aws.String("SET used = :now"),
			ConditionExpression:       aws.String("attribute_exists(PK)"),
			ExpressionAttributeValues: table.Item{":now": table.Timestamp(opened.Start)},
		}, schema.ConcurrentChange))
	}
	return s.Transact(ctx, tx.Items())
}
