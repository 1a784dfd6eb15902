package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/apikey"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// APIKeys keeps API keys. They stand beside what else belongs to their account, whose anchor says of which environment
// it is.
type APIKeys struct {
	*Table
}

var (
	_ apikey.Store       = APIKeys{}
	_ signin.KeySessions = APIKeys{}
)

func apiKeyItem(k session.APIKey) item {
	at := apiKeyKey(k.AccountID, k.ID)
	return item{
		"PK": str(at.pk), "SK": str(at.sk), attrID: str(k.ID), "hash": bin(k.Hash), "description": str(k.Description),
		"created": timestamp(k.Created), "by": str(k.CreatedBy), "expires": timestamp(k.Expires),
	}
}

func apiKeyOf(accountID string, it item) session.APIKey {
	return session.APIKey{
		AccountID: accountID, ID: text(it, attrID), Hash: blob(it, "hash"), Description: text(it, "description"),
		Created: instant(it, "created"), CreatedBy: text(it, "by"), Expires: instant(it, "expires"),
		LastUsed: instant(it, "used"), Locked: instant(it, "locked"), LockedBy: text(it, "lockedBy"),
	}
}

// Keys implements apikey.Store.
func (s APIKeys) Keys(ctx context.Context, accountID, after string, limit int) ([]session.APIKey, string, error) {
	p := pageQuery{pk: accountPK(accountID), prefix: apiKeySK, backwards: true,
		limit: int32(limit)} //nolint:gosec // limits are small
	if after != "" {
		p.after = apiKeySK + after
	}
	items, more, err := s.query(ctx, p)
	if err != nil {
		return nil, "", err
	}
	out := make([]session.APIKey, len(items))
	for i, it := range items {
		out[i] = apiKeyOf(accountID, it)
	}
	if !more || len(out) == 0 {
		return out, "", nil
	}
	return out, out[len(out)-1].ID, nil
}

// CountActive implements apikey.Store. The count of keys made is read first: one made while the keys are read raises
// it.
func (s APIKeys) CountActive(ctx context.Context, accountID string, now time.Time) (int, int64, error) {
	counted, err := s.get(ctx, apiKeyCountKey(accountID))
	if err != nil {
		return 0, 0, err
	}
	items, err := s.queryAll(ctx, pageQuery{pk: accountPK(accountID), prefix: apiKeySK})
	if err != nil {
		return 0, 0, err
	}
	active := 0
	for _, it := range items {
		if apiKeyOf(accountID, it).State(now) == session.KeyActive {
			active++
		}
	}
	return active, number(counted, "made"), nil
}

// Create implements apikey.Store.
func (s APIKeys) Create(ctx context.Context, c apikey.NewKey) error {
	event, err := eventItem(c.Key.AccountID, c.Event)
	if err != nil {
		return err
	}
	var p transaction
	p.put(s.Table, apiKeyItem(c.Key), concurrentChange)
	p.put(s.Table, keyExpiryItem(c.Env, c.Key), concurrentChange)
	p.put(s.Table, event, concurrentChange)
	counted := &types.Update{
		TableName: &s.Name, Key: apiKeyCountKey(c.Key.AccountID).attributes(),
		UpdateExpression:          aws.String("SET made = :next"),
		ConditionExpression:       aws.String("attribute_not_exists(PK)"),
		ExpressionAttributeValues: item{":next": num(c.CreatedCount + 1)},
	}
	if c.CreatedCount > 0 {
		counted.ConditionExpression = aws.String("made = :made")
		counted.ExpressionAttributeValues[":made"] = num(c.CreatedCount)
	}
	p = append(p, op{types.TransactWriteItem{Update: counted}, concurrentChange})
	p = append(p, Accounts(s).callerUnchanged(c.Event.ByID, c.CallerEpoch))
	if c.Event.ByID != c.Key.AccountID { // a transaction looks at an item once
		p = append(p, op{types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &s.Name, Key: anchorKey(c.Key.AccountID).attributes(), ConditionExpression: aws.String(notTombstoned),
		}}, func(item) error { return accountNotFound() }})
	}
	return conflictOf(p, s.transact(ctx, p.items()))
}

// conflictOf returns what it means that a transaction did not happen.
func conflictOf(p transaction, err error) error {
	var cancelled *cancelledError
	if errors.As(err, &cancelled) {
		i := cancelled.failed()
		return p[i].conflict(cancelled.reasons[i].Item)
	}
	return err
}

// Key implements apikey.Store.
func (s APIKeys) Key(ctx context.Context, accountID, id string) (session.APIKey, error) {
	it, err := s.get(ctx, apiKeyKey(accountID, id))
	if err != nil {
		return session.APIKey{}, err
	}
	if it == nil {
		return session.APIKey{}, fault.New(fault.NotFound, "notFound", "The account has no such key.")
	}
	return apiKeyOf(accountID, it), nil
}

// Lock implements apikey.Store.
func (s APIKeys) Lock(ctx context.Context, k session.APIKey, e auditlog.Event) error {
	event, err := eventItem(k.AccountID, e)
	if err != nil {
		return err
	}
	var p transaction
	p.put(s.Table, event, concurrentChange)
	p = append(p, op{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: apiKeyKey(k.AccountID, k.ID).attributes(),
		UpdateExpression:          aws.String("SET locked = :at, lockedBy = :by"),
		ConditionExpression:       aws.String("attribute_exists(PK) AND attribute_not_exists(locked)"),
		ExpressionAttributeValues: item{":at": timestamp(k.Locked), ":by": str(k.LockedBy)},
	}}, concurrentChange})
	return conflictOf(p, s.transact(ctx, p.items()))
}

// OpenKeySession implements signin.KeySessions.
func (s APIKeys) OpenKeySession(ctx context.Context, k session.APIKey, opened session.Session, e auditlog.Event) error {
	event, err := eventItem(opened.AccountID, e)
	if err != nil {
		return err
	}
	var p transaction
	p.put(s.Table, sessionItem(opened), concurrentChange)
	p.put(s.Table, event, concurrentChange)
	if k.UseDue(opened.Start) {
		p = append(p, op{types.TransactWriteItem{Update: &types.Update{
			TableName: &s.Name, Key: apiKeyKey(k.AccountID, k.ID).attributes(), UpdateExpression: aws.String("SET used = :now"),
			ConditionExpression:       aws.String("attribute_exists(PK)"),
			ExpressionAttributeValues: item{":now": timestamp(opened.Start)},
		}}, concurrentChange})
	}
	return s.transact(ctx, p.items())
}

// FindKey implements signin.CredentialStore: one round trip for key, anchor, environment and, where there is one,
// session.
func (c Checks) FindKey(ctx context.Context, env, accountID, keyID, sessionID string) (signin.KeyContext, error) {
	keys := []key{apiKeyKey(accountID, keyID), anchorKey(accountID), headKey(env)}
	if sessionID != "" {
		keys = append(keys, sessionKey(accountID, sessionID))
	}
	items, err := c.Sessions.batchGet(ctx, keys)
	if err != nil {
		return signin.KeyContext{}, err
	}
	missing := fault.New(fault.NotFound, "session", "There is no such key.")
	if items[0] == nil || items[1] == nil || text(items[1], "env") != env {
		return signin.KeyContext{}, missing
	}
	head, err := headOf(env, items[2])
	if err != nil {
		return signin.KeyContext{}, err
	}
	anchor, ok := anchorOf(items[1], visibleAt(head.Imports, items[1]))
	if !ok {
		return signin.KeyContext{}, missing
	}
	out := signin.KeyContext{Key: apiKeyOf(accountID, items[0]), Anchor: anchor, Env: head}
	if sessionID != "" {
		if items[3] == nil {
			return signin.KeyContext{}, missing
		}
		out.Session = sessionOf(accountID, items[3])
	}
	return out, nil
}

// RecordKeyUse implements signin.CredentialStore.
func (c Checks) RecordKeyUse(ctx context.Context, accountID, keyID string, at time.Time) error {
	_, err := c.Sessions.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &c.Sessions.Name, Key: apiKeyKey(accountID, keyID).attributes(),
		UpdateExpression:          aws.String("SET used = :at"),
		ConditionExpression:       aws.String("attribute_exists(PK) AND (attribute_not_exists(used) OR used <= :before)"),
		ExpressionAttributeValues: item{":at": timestamp(at), ":before": timestamp(at.Add(-session.KeyUseInterval))},
	})
	_, _, err = conditionHeld(err)
	return err
}
