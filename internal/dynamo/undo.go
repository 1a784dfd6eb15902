package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/transfer"
)

var (
	_ transfer.UndoStore    = Imports{}
	_ transfer.UndoJobStore = Jobs{}
)

// importAttributes are the attributes by which an item refers to imports. A write that counts at once removes them:
// the item is then no longer what the import wrote.
const importAttributes = "was, imp, gone, was0, imp0"

// notTombstoned is the condition that an item exists and is not being taken away by an import.
const notTombstoned = "attribute_exists(PK) AND attribute_not_exists(gone)"

// stageTombstone stages that an item is taken away. Its image stays for whoever writes it meanwhile.
const stageTombstone = "SET was = v, gone = :yes, imp0 = imp, imp = :import REMOVE was0"

// stageImage is how an import stages a new image over an item. importID is the import that wrote the item before, 0
// for none; former says whether the item has a previous image.
func stageImage(importID int64, former bool) string {
	switch {
	case former && importID != 0:
		return "SET was0 = was, was = v, v = :v, imp0 = imp, imp = :import"
	case importID != 0:
		return "SET was = v, v = :v, imp0 = imp, imp = :import REMOVE was0"
	}
	return "SET was = v, v = :v, imp = :import"
}

func undoInProgress() error {
	return fault.New(fault.Conflict, "busy",
		"This is being removed, because an import is being undone. Try again in a moment.").WithRetryAfter(2 * time.Second)
}

// tombstoneItems stages that an account is taken away. Nothing may have been done with it since it was created: no
// sign-in, no tab, no API key, no identity. Its identifiers are released as by any import.
func (s Accounts) tombstoneItems(
	env string, w account.Write, importID int64, transfers keyTransfers,
) table.Transaction {
	a := w.Before
	values := table.Item{":import": table.N(importID), ":yes": table.BOOL(true)}
	condition := rowUnchanged(a, values) + " AND attribute_not_exists(lastLogin) AND attribute_not_exists(signOn)"
	tx := table.Transaction{
		table.Update(&types.Update{
			TableName: &s.Name, Key: schema.RowKey(env, a.DirectoryKey()).Attributes(),
			UpdateExpression:    aws.String(stageTombstone),
			ConditionExpression: &condition, ExpressionAttributeValues: values,
		}, schema.ConcurrentChange),
		table.Update(&types.Update{
			TableName: &s.Name, Key: schema.AnchorKey(a.ID).Attributes(),
			UpdateExpression:    aws.String("SET was = v, gone = :yes, imp = :import"),
			ConditionExpression: aws.String("v.epoch = :epoch AND attribute_not_exists(tabs)"),
			ExpressionAttributeValues: table.Item{":import": table.N(importID), ":yes": table.BOOL(true),
				":epoch": table.N(a.Epoch)},
		}, schema.ConcurrentChange),
		table.Check(&types.ConditionCheck{
			TableName: &s.Name, Key: schema.APIKeyCountKey(a.ID).Attributes(),
			ConditionExpression: aws.String("attribute_not_exists(PK)"),
		}, schema.ConcurrentChange),
	}
	s.addLoginKeyChanges(&tx, env, w, importID, transfers)
	return tx
}

// Dependents implements transfer.UndoStore: by the anchors, which count the writes of tabs and identities, and by the
// number of API keys.
func (s Imports) Dependents(ctx context.Context, ids []string) (map[string]string, error) {
	keys := make([]table.Key, 0, 2*len(ids))
	for _, id := range ids {
		keys = append(keys, schema.AnchorKey(id), schema.APIKeyCountKey(id))
	}
	items, err := s.BatchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for i, id := range ids {
		switch {
		case items[2*i+1] != nil:
			out[id] = "It has API keys."
		case table.Int(items[2*i], attrTabWrites) > 0:
			out[id] = "Its contact, delegations, second factor or single sign-on were set up."
		}
	}
	return out, nil
}

// DirectReports implements transfer.UndoStore. Those that a pending import names count as well.
func (s Imports) DirectReports(ctx context.Context, env environment.Environment) (map[string][]string, error) {
	items, err := s.QueryAll(ctx, table.Query{PK: schema.ResourcePK(env.ID)})
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, it := range items {
		for _, is := range []schema.Generation{schema.Newest, schema.Previous} {
			if r, ok := resourceOf(it, is); ok && r.Manager != "" &&
				(is == schema.Newest || !env.Imports.Sees(table.Int(it, schema.AttrImportID))) {
				out[catalogue.Fold(r.Manager)] = append(out[catalogue.Fold(r.Manager)], r.Key())
			}
		}
	}
	return out, nil
}

// PurgeTombstones implements transfer.UndoStore. Nobody sees what it removes, so each item is deleted by itself. The
// directory row is last, because it tells where the others are.
func (s Imports) PurgeTombstones(ctx context.Context, j transfer.Job, rows []transfer.RowRef) error {
	rows, err := s.tracesOf(ctx, j, rows)
	if err != nil {
		return err
	}
	keys := make([]table.Key, len(rows))
	for i, row := range rows {
		keys[i] = schema.RowKey(j.Env, row.Username)
	}
	items, err := s.BatchGet(ctx, keys)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(rollbackConcurrency)
	for i, it := range items {
		if table.Bool(it, schema.AttrTombstone) && table.Int(it, schema.AttrImportID) == j.ImportID {
			group.Go(func() error { return s.sweepRow(ctx, j, keys[i], it) })
		}
	}
	return group.Wait()
}

func (s Imports) sweepRow(ctx context.Context, j transfer.Job, row table.Key, it table.Item) error {
	a, _ := schema.AccountOf(it, schema.Previous)
	event, err := schema.EventAt(schema.EnvironmentLogKey(j.Env, deletionEventID(j, a)), auditlog.Event{
		At: j.Ended, Kind: auditlog.Deleted, By: j.By, ByID: j.ByID, Key: j.ByKey, Subject: "account/" + a.Username,
		Version: a.Version,
		Note:    a.ID, Job: j.ID, Changes: a.ClearedFields(), RetentionDays: j.RetentionDays,
	})
	if err != nil {
		return err
	}
	if _, err := s.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.Name, Item: event}); err != nil {
		return table.WrapError("write", err)
	}
	keys := []table.Key{schema.AnchorKey(a.ID)}
	for _, identifier := range a.LoginKeys() {
		keys = append(keys, schema.LoginKey(j.Env, identifier))
	}
	if a.Resource != "" {
		keys = append(keys, schema.ResourceKey(j.Env, catalogue.Fold(a.Resource)))
	}
	for _, k := range append(keys, row) {
		_, err := s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &s.Name, Key: k.Attributes(), ConditionExpression: aws.String("imp = :import AND gone = :yes"),
			ExpressionAttributeValues: table.Item{":import": table.N(j.ImportID), ":yes": table.BOOL(true)},
		})
		if _, _, err := table.ConditionHeld(err); err != nil {
			return err
		}
	}
	return nil
}

// deletionEventID is the id of the event in the environment's log. It is the same however often the event is written:
// the time of the job, and the random part of the account's id.
func deletionEventID(j transfer.Job, a account.Account) string {
	const clock = 10
	if len(j.ID) < clock || len(a.ID) < clock {
		return j.ID + a.ID
	}
	return j.ID[:clock] + a.ID[clock:]
}

// CreateUndo implements transfer.UndoJobStore. The job, its entry in the queue and the reference on the import are
// one transaction, so that two clicks make one job.
func (s Jobs) CreateUndo(ctx context.Context, undo, of transfer.Job) error {
	it, err := jobItem(undo)
	if err != nil {
		return err
	}
	condition, values := "attribute_not_exists(undoing)",
		table.Item{":undo": table.S(undo.ID), ":done": table.S(string(transfer.Done))}
	if of.UndoJobID != "" { // one that did not succeed
		condition, values[":former"] = "undoing = :former", table.S(of.UndoJobID)
	}
	err = s.Transact(ctx, []types.TransactWriteItem{
		{Put: &types.Put{TableName: &s.Name, Item: it, ConditionExpression: aws.String("attribute_not_exists(PK)")}},
		s.queueEntryItem(undo),
		{Update: &types.Update{
			TableName: &s.Name, Key: schema.JobKey(of.Env, of.ID).Attributes(),
			UpdateExpression:          aws.String("SET undoing = :undo"),
			ConditionExpression:       aws.String(condition + " AND attribute_not_exists(undone) AND #state = :done"),
			ExpressionAttributeValues: values, ExpressionAttributeNames: map[string]string{"#state": "state"},
		}},
	})
	var cancelled *table.CancelledError
	if errors.As(err, &cancelled) {
		return transfer.ErrSuperseded
	}
	return err
}

// markUndoneItem records on an import that it was undone.
func (s Imports) markUndoneItem(undo transfer.Job) table.Op {
	return table.Update(&types.Update{
		TableName: &s.Name, Key: schema.JobKey(undo.Env, undo.UndoesJobID).Attributes(),
		UpdateExpression:          aws.String("SET undone = :yes"),
		ConditionExpression:       aws.String("undoing = :undo"),
		ExpressionAttributeValues: table.Item{":yes": table.BOOL(true), ":undo": table.S(undo.ID)},
	}, func(table.Item) error { return transfer.ErrStale })
}
