package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/apikey"
	"useraccounts/internal/fault"
	"useraccounts/internal/journal"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// Keys keeps API keys. They stand beside what else belongs to their account, whose anchor says of which environment it is.
type Keys struct {
	*Table
}

var (
	_ apikey.Store       = Keys{}
	_ signin.KeySessions = Keys{}
)

func apiKeyItem(k session.Key) item {
	at := apiKeyKey(k.AccountID, k.ID)
	return item{
		"PK": str(at.pk), "SK": str(at.sk), attrID: str(k.ID), "hash": bin(k.Hash), "description": str(k.Description),
		"created": when(k.Created), "by": str(k.CreatedBy), "expires": when(k.Expires),
	}
}

func apiKeyOf(accountID string, it item) session.Key {
	return session.Key{
		AccountID: accountID, ID: text(it, attrID), Hash: blob(it, "hash"), Description: text(it, "description"),
		Created: instant(it, "created"), CreatedBy: text(it, "by"), Expires: instant(it, "expires"),
		LastUsed: instant(it, "used"), Locked: instant(it, "locked"), LockedBy: text(it, "lockedBy"),
	}
}

// Keys implements apikey.Store.
func (s Keys) Keys(ctx context.Context, accountID, after string, limit int) ([]session.Key, string, error) {
	p := page{pk: accountPK(accountID), prefix: apiKeySK, backwards: true, limit: int32(limit)} //nolint:gosec // limits are small
	if after != "" {
		p.after = apiKeySK + after
	}
	items, more, err := s.query(ctx, p)
	if err != nil {
		return nil, "", err
	}
	out := make([]session.Key, len(items))
	for i, it := range items {
		out[i] = apiKeyOf(accountID, it)
	}
	if !more || len(out) == 0 {
		return out, "", nil
	}
	return out, out[len(out)-1].ID, nil
}

// Active implements apikey.Store. The count of keys made is read first: one made while the keys are read raises it.
func (s Keys) Active(ctx context.Context, accountID string, now time.Time) (int, int64, error) {
	counted, err := s.get(ctx, apiKeysKey(accountID))
	if err != nil {
		return 0, 0, err
	}
	items, err := s.queryAll(ctx, page{pk: accountPK(accountID), prefix: apiKeySK})
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
func (s Keys) Create(ctx context.Context, c apikey.Creation) error {
	event, err := eventItem(c.Key.AccountID, c.Event)
	if err != nil {
		return err
	}
	var p parts
	p.put(s.Table, apiKeyItem(c.Key), raced)
	p.put(s.Table, keyExpiryItem(c.Env, c.Key), raced)
	p.put(s.Table, event, raced)
	counted := &types.Update{
		TableName: &s.Name, Key: apiKeysKey(c.Key.AccountID).attributes(), UpdateExpression: aws.String("SET made = :next"),
		ConditionExpression: aws.String("attribute_not_exists(PK)"), ExpressionAttributeValues: item{":next": num(c.Made + 1)},
	}
	if c.Made > 0 {
		counted.ConditionExpression = aws.String("made = :made")
		counted.ExpressionAttributeValues[":made"] = num(c.Made)
	}
	p = append(p, part{types.TransactWriteItem{Update: counted}, raced})
	p = append(p, Accounts(s).callerUnchanged(c.Event.ByID, c.CallerEpoch))
	if c.Event.ByID != c.Key.AccountID { // a transaction looks at an item once
		p = append(p, part{types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &s.Name, Key: anchorKey(c.Key.AccountID).attributes(), ConditionExpression: aws.String(isThere),
		}}, func(item) error { return notFound() }})
	}
	return refusedBy(p, s.transact(ctx, p.items()))
}

// refusedBy returns what it means that a transaction did not happen.
func refusedBy(p parts, err error) error {
	var cancelled *errCancelled
	if errors.As(err, &cancelled) {
		i := cancelled.failed()
		return p[i].refused(cancelled.reasons[i].Item)
	}
	return err
}

// Key implements apikey.Store.
func (s Keys) Key(ctx context.Context, accountID, id string) (session.Key, error) {
	it, err := s.get(ctx, apiKeyKey(accountID, id))
	if err != nil {
		return session.Key{}, err
	}
	if it == nil {
		return session.Key{}, fault.New(fault.NotFound, "notFound", "The account has no such key.")
	}
	return apiKeyOf(accountID, it), nil
}

// Lock implements apikey.Store.
func (s Keys) Lock(ctx context.Context, k session.Key, e journal.Event) error {
	event, err := eventItem(k.AccountID, e)
	if err != nil {
		return err
	}
	var p parts
	p.put(s.Table, event, raced)
	p = append(p, part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: apiKeyKey(k.AccountID, k.ID).attributes(),
		UpdateExpression:          aws.String("SET locked = :at, lockedBy = :by"),
		ConditionExpression:       aws.String("attribute_exists(PK) AND attribute_not_exists(locked)"),
		ExpressionAttributeValues: item{":at": when(k.Locked), ":by": str(k.LockedBy)},
	}}, raced})
	return refusedBy(p, s.transact(ctx, p.items()))
}

// OpenByKey implements signin.KeySessions.
func (s Keys) OpenByKey(ctx context.Context, k session.Key, opened session.Session, e journal.Event) error {
	event, err := eventItem(opened.AccountID, e)
	if err != nil {
		return err
	}
	var p parts
	p.put(s.Table, sessionItem(opened), raced)
	p.put(s.Table, event, raced)
	if k.UseIsDue(opened.Start) {
		p = append(p, part{types.TransactWriteItem{Update: &types.Update{
			TableName: &s.Name, Key: apiKeyKey(k.AccountID, k.ID).attributes(), UpdateExpression: aws.String("SET used = :now"),
			ConditionExpression: aws.String("attribute_exists(PK)"), ExpressionAttributeValues: item{":now": when(opened.Start)},
		}}, raced})
	}
	return s.transact(ctx, p.items())
}

// CheckKey implements signin.Checks: one round trip for key, anchor, environment and, where there is one, session.
func (c Checks) CheckKey(ctx context.Context, env, accountID, keyID, sessionID string) (signin.Keyed, error) {
	keys := []key{apiKeyKey(accountID, keyID), anchorKey(accountID), headKey(env)}
	if sessionID != "" {
		keys = append(keys, sessionKey(accountID, sessionID))
	}
	items, err := c.Sessions.getAll(ctx, keys)
	if err != nil {
		return signin.Keyed{}, err
	}
	missing := fault.New(fault.NotFound, "session", "There is no such key.")
	if items[0] == nil || items[1] == nil || text(items[1], "env") != env {
		return signin.Keyed{}, missing
	}
	head, err := headOf(env, items[2])
	if err != nil {
		return signin.Keyed{}, err
	}
	anchor, ok := anchorOf(items[1], asSeen(head.Imports, items[1]))
	if !ok {
		return signin.Keyed{}, missing
	}
	out := signin.Keyed{Key: apiKeyOf(accountID, items[0]), Anchor: anchor, Env: head}
	if sessionID != "" {
		if items[3] == nil {
			return signin.Keyed{}, missing
		}
		out.Session = sessionOf(accountID, items[3])
	}
	return out, nil
}

// NoteUse implements signin.Checks.
func (c Checks) NoteUse(ctx context.Context, accountID, keyID string, at time.Time) error {
	_, err := c.Sessions.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &c.Sessions.Name, Key: apiKeyKey(accountID, keyID).attributes(), UpdateExpression: aws.String("SET used = :at"),
		ConditionExpression:       aws.String("attribute_exists(PK) AND (attribute_not_exists(used) OR used <= :before)"),
		ExpressionAttributeValues: item{":at": when(at), ":before": when(at.Add(-session.KeyUseNoted))},
	})
	_, _, err = conditionHeld(err)
	return err
}
