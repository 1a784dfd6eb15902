package dynamo

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
)

// attrTabWrites counts, on an anchor, the writes of the account's tabs. A deletion that did not see one of them
// fails.
const attrTabWrites = "tabs"

// commitWithEvent writes a transaction together with the event that describes it, if the environment has the account.
func commitWithEvent(ctx context.Context, t *table.Table, env environment.Environment, accountID string,
	tx table.Transaction,
	e auditlog.Event) error {
	event, err := schema.Event(accountID, e)
	if err != nil {
		return err
	}
	tx.Put(t, event, schema.ConcurrentChange)
	tx = append(tx, table.Update(&types.Update{
		TableName: &t.Name, Key: schema.AnchorKey(accountID).Attributes(), UpdateExpression: aws.String("ADD tabs :one"),
		ConditionExpression:                 aws.String("env = :env AND attribute_not_exists(gone)"),
		ExpressionAttributeValues:           table.Item{":env": table.S(env.ID), ":one": table.N(1)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, func(current table.Item) error {
		if table.Bool(current, schema.AttrTombstone) {
			return undoInProgress()
		}
		return AccountNotFound()
	}))
	return t.Commit(ctx, tx)
}

// subjectEventsSince returns the events of one part of an account with versions after the given one, oldest first.
func subjectEventsSince(
	ctx context.Context, t *table.Table, accountID, subject string, version int64,
) ([]auditlog.Event, error) {
	var out []auditlog.Event
	p := table.Query{PK: schema.AccountPK(accountID), Prefix: schema.EventSK, Backwards: true, Limit: 200}
	for seen := 0; seen < maxEventsRead; {
		items, more, err := t.Query(ctx, p)
		if err != nil {
			return nil, err
		}
		seen += len(items)
		older := false
		for _, it := range items {
			e := schema.EventOf(it)
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
		p.After = table.String(items[len(items)-1], "SK")
	}
	slices.Reverse(out)
	return out, nil
}
