package dynamo

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/journal"
	"useraccounts/internal/session"
)

// Timeline reads the logs of accounts and writes notes into them.
type Timeline struct {
	*Table
}

var (
	_ journal.Source    = Timeline{}
	_ account.NoteStore = Timeline{}
)

// Events implements journal.Source.
func (s Timeline) Events(ctx context.Context, env environment.Environment, accountID, before string, limit int) ([]journal.Event, string, error) {
	p := page{pk: accountPK(accountID), prefix: eventSK, backwards: true, limit: int32(limit)} //nolint:gosec // limits are small
	if before != "" {
		p.after = eventSK + before
	}
	items, more, err := s.query(ctx, p)
	if err != nil {
		return nil, "", err
	}
	out, down := make([]journal.Event, 0, len(items)), ""
	for _, it := range items {
		e := eventOf(it)
		down = e.ID
		if env.Imports.Sees(number(it, attrImport)) {
			out = append(out, e)
		}
	}
	if !more {
		down = ""
	}
	return out, down, nil
}

// Sessions implements journal.Source.
func (s Timeline) Sessions(ctx context.Context, accountID, before string, limit int) ([]session.Session, string, error) {
	return Sessions(s).Sessions(ctx, accountID, before, limit)
}

// Born implements journal.Source. An anchor without a former image was made by the import that marks it, if one does.
func (s Timeline) Born(ctx context.Context, env environment.Environment, accountID string) (journal.Event, bool, error) {
	it, err := s.get(ctx, anchorKey(accountID))
	if err != nil {
		return journal.Event{}, false, err
	}
	born := within(it, attrBorn)
	if born == nil || text(it, "env") != env.ID || within(it, attrFormer) == nil && !env.Imports.Sees(number(it, attrImport)) {
		return journal.Event{}, false, nil
	}
	e := eventOf(born)
	if e.ID == "" {
		e.ID = accountID
	}
	return e, true, nil
}

// Note implements account.NoteStore.
func (s Timeline) Note(ctx context.Context, env environment.Environment, accountID string, e journal.Event) error {
	event, err := eventItem(accountID, e)
	if err != nil {
		return err
	}
	var p parts
	p.put(s.Table, event, raced)
	p = append(p, part{types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &s.Name, Key: anchorKey(accountID).attributes(), ConditionExpression: aws.String("env = :env"),
		ExpressionAttributeValues: item{":env": str(env.ID)},
	}}, func(item) error { return notFound() }})
	return s.transactParts(ctx, p)
}

// attrTabs of an anchor counts the writes of the account's tabs, so that a deletion which did not see one fails.
const attrTabs = "tabs"

// onAccount writes the parts and the event that tells of them together, if the environment has the account.
func (t *Table) onAccount(ctx context.Context, env environment.Environment, accountID string, p parts, e journal.Event) error {
	event, err := eventItem(accountID, e)
	if err != nil {
		return err
	}
	p.put(t, event, raced)
	p = append(p, part{types.TransactWriteItem{Update: &types.Update{
		TableName: &t.Name, Key: anchorKey(accountID).attributes(), UpdateExpression: aws.String("ADD tabs :one"),
		ConditionExpression: aws.String("env = :env AND attribute_not_exists(gone)"), ExpressionAttributeValues: item{":env": str(env.ID), ":one": num(1)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, func(current item) error {
		if flag(current, attrGone) {
			return beingUndone()
		}
		return notFound()
	}})
	return t.transactParts(ctx, p)
}

// subjectSince returns the events of a part of an account that made versions after the given one, oldest first.
func (t *Table) subjectSince(ctx context.Context, accountID, subject string, version int64) ([]journal.Event, error) {
	var out []journal.Event
	p := page{pk: accountPK(accountID), prefix: eventSK, backwards: true, limit: 200}
	for seen := 0; seen < lookedAt; {
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
