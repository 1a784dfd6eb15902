package dynamo

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/transfer"
)

// rollbackConcurrency is how many rows are rolled back at a time.
const rollbackConcurrency = 8

// Rollback implements transfer.Staging. Nobody sees what it rolls back, so the items of a row need no transaction:
// each is restored or deleted if it still has the import's number. The directory row is last, because it tells where
// the others are. Run again after a crash, it does what is left.
func (s Imports) Rollback(ctx context.Context, j transfer.Job, rows []transfer.RowRef) error {
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
	var codes []string
	for i, it := range items {
		if rows[i].Resource != "" {
			codes = append(codes, rows[i].Resource)
		}
		for _, is := range []schema.Generation{schema.Newest, schema.Previous} {
			if a, ok := schema.AccountOf(it, is); ok && a.Resource != "" {
				codes = append(codes, a.Resource)
			}
		}
	}
	if err := s.rollbackResources(ctx, j, codes); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(rollbackConcurrency)
	for i, it := range items {
		if rows[i].ID != "" && table.String(it, schema.AttrID) != rows[i].ID {
			group.Go(func() error { return s.rollbackMovedRow(ctx, j, rows[i]) })
			continue
		}
		if it == nil {
			continue
		}
		group.Go(func() error { return s.rollbackRow(ctx, j, rows[i], it) })
	}
	return group.Wait()
}

// rollbackMovedRow rolls back what is left of a row whose account was renamed or deleted meanwhile. That already
// discarded what was staged of the row itself and of the anchor.
func (s Imports) rollbackMovedRow(ctx context.Context, j transfer.Job, trace transfer.RowRef) error {
	if trace.Email != "" {
		if err := s.rollbackLoginKey(ctx, j, trace.Email, trace.ID); err != nil {
			return err
		}
	}
	for _, event := range []string{j.ID, j.ResourceEventID()} {
		if err := s.deleteStaged(ctx, j, schema.EventKey(trace.ID, event)); err != nil {
			return err
		}
	}
	return nil
}

// tracesOf returns the rows or, if they are not known, those whose accounts or resources have the import's number.
func (s Imports) tracesOf(ctx context.Context, j transfer.Job, rows []transfer.RowRef) ([]transfer.RowRef, error) {
	if rows != nil {
		return rows, nil
	}
	found := map[string]transfer.RowRef{}
	err := s.eachStaged(ctx, j, schema.DirectoryPK(j.Env), func(it table.Item) error {
		found[table.String(it, "SK")] = transfer.RowRef{Username: table.String(it, "SK")}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = s.eachStaged(ctx, j, schema.ResourcePK(j.Env), func(it table.Item) error {
		staged := table.Map(it, schema.AttrImage)
		anchor, err := s.Get(ctx, schema.AnchorKey(table.String(staged, "account")))
		if row := table.String(anchor, "row"); row != "" {
			found[row] = transfer.RowRef{Username: row, Resource: table.String(it, "SK")}
		}
		return err
	})
	return slices.Collect(maps.Values(found)), err
}

// eachStaged calls fn for every item of a partition that has the import's number.
func (s Imports) eachStaged(ctx context.Context, j transfer.Job, pk string, fn func(table.Item) error) error {
	for p := (table.Query{PK: pk}); ; {
		items, more, err := s.Query(ctx, p)
		if err != nil {
			return err
		}
		for _, it := range items {
			p.After = table.String(it, "SK")
			if table.Int(it, schema.AttrImportID) != j.ImportID {
				continue
			}
			if err := fn(it); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// rollbackRow rolls back one row. An edit may have discarded what was staged of the directory row; the other items
// can still be staged.
func (s Imports) rollbackRow(ctx context.Context, j transfer.Job, trace transfer.RowRef, it table.Item) error {
	id := table.String(it, schema.AttrID)
	own := table.Int(it, schema.AttrImportID) == j.ImportID
	created := own && table.Map(it, schema.AttrPrevious) == nil
	identifiers := []string{trace.Email}
	if account.MayBeEmail(trace.Username) {
		identifiers = append(identifiers, trace.Username)
	}
	for _, is := range []schema.Generation{schema.Newest, schema.Previous} {
		if a, ok := schema.AccountOf(it, is); ok {
			identifiers = append(identifiers, a.LoginKeys()...)
		}
	}
	for _, identifier := range identifiers {
		if identifier == "" {
			continue
		}
		if err := s.rollbackLoginKey(ctx, j, identifier, id); err != nil {
			return err
		}
	}
	if !created || trace.Resource != "" {
		if err := s.deleteStaged(ctx, j, schema.EventKey(id, j.ResourceEventID())); err != nil {
			return err
		}
	}
	if created {
		if err := s.deleteStaged(ctx, j, schema.AnchorKey(id)); err != nil {
			return err
		}
		return s.deleteStaged(ctx, j, schema.RowKey(j.Env, trace.Username))
	}
	if err := s.deleteStaged(ctx, j, schema.EventKey(id, j.ID)); err != nil {
		return err
	}
	if err := s.restore(ctx, j, schema.AnchorKey(id), nil); err != nil {
		return err
	}
	if err := s.updateIfStaged(ctx, j, schema.AnchorKey(id), "REMOVE gone, was, imp", " AND gone = :yes",
		table.Item{":yes": table.BOOL(true)}); err != nil {
		return err
	}
	return s.restore(ctx, j, schema.RowKey(j.Env, trace.Username), it)
}

// rollbackLoginKey gives a login key back to its account, or deletes one that the import claimed.
func (s Imports) rollbackLoginKey(ctx context.Context, j transfer.Job, identifier, id string) error {
	k := schema.LoginKey(j.Env, identifier)
	err := s.updateIfStaged(ctx, j, k, "REMOVE gone, imp", " AND gone = :yes AND id = :id",
		table.Item{":yes": table.BOOL(true), ":id": table.S(id)})
	if err != nil {
		return err
	}
	err = s.updateIfStaged(ctx, j, k, "SET id = wasId, #row = wasRow REMOVE wasId, wasRow, imp",
		" AND attribute_exists(wasId)", table.Item{})
	if err != nil {
		return err
	}
	_, err = s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: k.Attributes(),
		ConditionExpression: aws.String(
			"imp = :import AND id = :id AND attribute_not_exists(gone) AND attribute_not_exists(wasId)"),
		ExpressionAttributeValues: table.Item{":import": table.N(j.ImportID), ":id": table.S(id)},
	})
	_, _, err = table.ConditionHeld(err)
	return err
}

// restore puts an item back as the import found it: with its image, and with the number and previous image of the
// import before, by which that one can still be undone. it is the item as it was read, nil for a kind of item that
// does not keep these.
func (s Imports) restore(ctx context.Context, j transfer.Job, k table.Key, it table.Item) error {
	update := "SET v = was REMOVE was, imp, imp0, was0"
	switch _, marked := it[schema.AttrPreviousImportID]; {
	case table.Bool(it, schema.AttrTombstone):
		update = "SET imp = imp0 REMOVE was, gone, imp0"
	case table.Map(it, schema.AttrOldest) != nil:
		update = "SET v = was, was = was0, imp = imp0 REMOVE was0, imp0"
	case marked:
		update = "SET v = was, imp = imp0 REMOVE was, imp0"
	}
	if it == nil {
		return s.updateIfStaged(ctx, j, k, update, " AND attribute_exists(was) AND attribute_not_exists(gone)", table.Item{})
	}
	return s.updateIfStaged(ctx, j, k, update, " AND attribute_exists(was)", table.Item{})
}

func (s Imports) updateIfStaged(
	ctx context.Context, j transfer.Job, k table.Key, update, condition string, values table.Item,
) error {
	values[":import"] = table.N(j.ImportID)
	_, err := s.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: k.Attributes(), UpdateExpression: &update,
		ConditionExpression: aws.String("imp = :import" + condition), ExpressionAttributeValues: values,
		ExpressionAttributeNames: reservedNames(update),
	})
	_, _, err = table.ConditionHeld(err)
	return err
}

func (s Imports) deleteStaged(ctx context.Context, j transfer.Job, k table.Key) error {
	_, err := s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: k.Attributes(), ConditionExpression: aws.String("imp = :import"),
		ExpressionAttributeValues: table.Item{":import": table.N(j.ImportID)},
	})
	_, _, err = table.ConditionHeld(err)
	return err
}
