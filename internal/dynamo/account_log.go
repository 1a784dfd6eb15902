package dynamo

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/session"
)

// AccountLog reads the logs of accounts and writes notes into them.
type AccountLog struct {
	*Table
}

var (
	_ auditlog.Store    = AccountLog{}
	_ account.NoteStore = AccountLog{}
)

// Events implements auditlog.Store.
func (s AccountLog) Events(ctx context.Context, env environment.Environment, accountID, before string,
	limit int) ([]auditlog.Event, string, error) {
	p := pageQuery{pk: accountPK(accountID), prefix: eventSK, backwards: true,
		limit: int32(limit)} //nolint:gosec // limits are small
	if before != "" {
		p.after = eventSK + before
	}
	items, more, err := s.query(ctx, p)
	if err != nil {
		return nil, "", err
	}
	out, down := make([]auditlog.Event, 0, len(items)), ""
	for _, it := range items {
		e := eventOf(it)
		down = e.ID
		if env.Imports.Sees(number(it, attrImportID)) {
			out = append(out, e)
		}
	}
	if !more {
		down = ""
	}
	return out, down, nil
}

// Sessions implements auditlog.Store.
func (s AccountLog) Sessions(ctx context.Context, accountID, before string, limit int) ([]session.Session, string,
	error) {
	return Sessions(s).Sessions(ctx, accountID, before, limit)
}

// CreationEvent implements auditlog.Store. An anchor without a former image was made by the import that marks it, if
// one does.
func (s AccountLog) CreationEvent(ctx context.Context, env environment.Environment, accountID string) (auditlog.Event,
	bool, error) {
	it, err := s.get(ctx, anchorKey(accountID))
	if err != nil {
		return auditlog.Event{}, false, err
	}
	born := nestedMap(it, attrCreation)
	if born == nil || text(it, "env") != env.ID || nestedMap(it, attrPrevious) == nil &&
		!env.Imports.Sees(number(it, attrImportID)) {
		return auditlog.Event{}, false, nil
	}
	e := eventOf(born)
	if e.ID == "" {
		e.ID = accountID
	}
	return e, true, nil
}

// Note implements account.NoteStore.
func (s AccountLog) Note(ctx context.Context, env environment.Environment, accountID string, e auditlog.Event) error {
	event, err := eventItem(accountID, e)
	if err != nil {
		return err
	}
	var p transaction
	p.put(s.Table, event, concurrentChange)
	p = append(p, op{types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &s.Name, Key: anchorKey(accountID).attributes(), ConditionExpression: aws.String("env = :env"),
		ExpressionAttributeValues: item{":env": str(env.ID)},
	}}, func(item) error { return accountNotFound() }})
	return s.commit(ctx, p)
}

// attrTabWrites of an anchor counts the writes of the account's tabs, so that a deletion which did not see one fails.
const attrTabWrites = "tabs"

// commitWithEvent writes the parts and the event that tells of them together, if the environment has the account.
func (t *Table) commitWithEvent(ctx context.Context, env environment.Environment, accountID string, p transaction,
	e auditlog.Event) error {
	event, err := eventItem(accountID, e)
	if err != nil {
		return err
	}
	p.put(t, event, concurrentChange)
	p = append(p, op{types.TransactWriteItem{Update: &types.Update{
		TableName: &t.Name, Key: anchorKey(accountID).attributes(), UpdateExpression: aws.String("ADD tabs :one"),
		ConditionExpression:                 aws.String("env = :env AND attribute_not_exists(gone)"),
		ExpressionAttributeValues:           item{":env": str(env.ID), ":one": num(1)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, func(current item) error {
		if flag(current, attrTombstone) {
			return undoInProgress()
		}
		return accountNotFound()
	}})
	return t.commit(ctx, p)
}

// subjectEventsSince returns the events of a part of an account that made versions after the given one, oldest first.
func (t *Table) subjectEventsSince(ctx context.Context, accountID, subject string, version int64) ([]auditlog.Event,
	error) {
	var out []auditlog.Event
	p := pageQuery{pk: accountPK(accountID), prefix: eventSK, backwards: true, limit: 200}
	for seen := 0; seen < maxEventsRead; {
		items, more, err := t.query(ctx, p)
		if err != nil {
			return nil, err
		}
		seen += len(items)
		older := false
		for _, it := range items {
			e := eventOf(it)
			switch {
			case e.Subject != subject:
			case e.Version > version:
				out = append(out, e)
			default:
				older = true
			}
		}
		if older || !more {
			break
		}
		p.after = text(items[len(items)-1], "SK")
	}
	slices.Reverse(out)
	return out, nil
}
