package dynamo

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"useraccounts/internal/account"
	"useraccounts/internal/transfer"
)

// takeBackAtOnce is how many rows are taken back at a time.
const takeBackAtOnce = 8

// TakeBack implements transfer.Staging. Nobody sees what it undoes, so the items of a row need no transaction: each is
// restored or deleted if it still has the import's number, the directory row last, because it tells where the others are.
// Run again after a crash it does what is left.
func (s Imports) TakeBack(ctx context.Context, j transfer.Job, rows []transfer.Trace) error {
	rows, err := s.orMarked(ctx, j, rows)
	if err != nil {
		return err
	}
	keys := make([]key, len(rows))
	for i, row := range rows {
		keys[i] = rowKey(j.Env, row.Username)
	}
	items, err := s.getAll(ctx, keys)
	if err != nil {
		return err
	}
	var codes []string
	for i, it := range items {
		if rows[i].Resource != "" {
			codes = append(codes, rows[i].Resource)
		}
		for _, is := range []age{newest, former} {
			if a, ok := accountOf(it, is); ok && a.Resource != "" {
				codes = append(codes, a.Resource)
			}
		}
	}
	if err := s.takeBackResources(ctx, j, codes); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(takeBackAtOnce)
	for i, it := range items {
		if rows[i].ID != "" && text(it, attrID) != rows[i].ID {
			group.Go(func() error { return s.takeBackMoved(ctx, j, rows[i]) })
			continue
		}
		if it == nil {
			continue
		}
		group.Go(func() error { return s.takeBackRow(ctx, j, rows[i], it) })
	}
	return group.Wait()
}

// takeBackMoved undoes what is left of a row whose account a person renamed or deleted meanwhile, which overtook the row itself
// and the anchor.
func (s Imports) takeBackMoved(ctx context.Context, j transfer.Job, trace transfer.Trace) error {
	if trace.Email != "" {
		if err := s.takeBackKey(ctx, j, trace.Email, trace.ID); err != nil {
			return err
		}
	}
	for _, event := range []string{j.ID, j.StaffEventID()} {
		if err := s.deleteStaged(ctx, j, eventKey(trace.ID, event)); err != nil {
			return err
		}
	}
	return nil
}

// orMarked returns the rows, or, where nobody knows them any more, those whose accounts or resources carry the import's number.
func (s Imports) orMarked(ctx context.Context, j transfer.Job, rows []transfer.Trace) ([]transfer.Trace, error) {
	if rows != nil {
		return rows, nil
	}
	found := map[string]transfer.Trace{}
	err := s.eachMarked(ctx, j, directoryPK(j.Env), func(it item) error {
		found[text(it, "SK")] = transfer.Trace{Username: text(it, "SK")}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = s.eachMarked(ctx, j, resourcePK(j.Env), func(it item) error {
		staged := within(it, attrImage)
		anchor, err := s.get(ctx, anchorKey(text(staged, "account")))
		if row := text(anchor, "row"); row != "" {
			found[row] = transfer.Trace{Username: row, Resource: text(it, "SK")}
		}
		return err
	})
	return slices.Collect(maps.Values(found)), err
}

// eachMarked calls fn for every item of a partition that carries the import's number.
func (s Imports) eachMarked(ctx context.Context, j transfer.Job, pk string, fn func(item) error) error {
	for p := (page{pk: pk}); ; {
		items, more, err := s.query(ctx, p)
		if err != nil {
			return err
		}
		for _, it := range items {
			p.after = text(it, "SK")
			if number(it, attrImport) != j.Import {
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

// takeBackRow undoes one row. A person's edit may have overtaken the directory row; the other items can still be staged.
func (s Imports) takeBackRow(ctx context.Context, j transfer.Job, trace transfer.Trace, it item) error {
	id := text(it, attrID)
	own := number(it, attrImport) == j.Import
	made := own && within(it, attrFormer) == nil
	identifiers := []string{trace.Email}
	if account.MayBeEmail(trace.Username) {
		identifiers = append(identifiers, trace.Username)
	}
	for _, is := range []age{newest, former} {
		if a, ok := accountOf(it, is); ok {
			identifiers = append(identifiers, a.LoginKeys()...)
		}
	}
	for _, identifier := range identifiers {
		if identifier == "" {
			continue
		}
		if err := s.takeBackKey(ctx, j, identifier, id); err != nil {
			return err
		}
	}
	if !made || trace.Resource != "" {
		if err := s.deleteStaged(ctx, j, eventKey(id, j.StaffEventID())); err != nil {
			return err
		}
	}
	if made {
		if err := s.deleteStaged(ctx, j, anchorKey(id)); err != nil {
			return err
		}
		return s.deleteStaged(ctx, j, rowKey(j.Env, trace.Username))
	}
	if err := s.deleteStaged(ctx, j, eventKey(id, j.ID)); err != nil {
		return err
	}
	if err := s.restore(ctx, j, anchorKey(id), nil); err != nil {
		return err
	}
	if err := s.ifStaged(ctx, j, anchorKey(id), "REMOVE gone, was, imp", " AND gone = :yes", item{":yes": yes(true)}); err != nil {
		return err
	}
	return s.restore(ctx, j, rowKey(j.Env, trace.Username), it)
}

// takeBackKey gives a login key back to its account, or deletes one that the import claimed.
func (s Imports) takeBackKey(ctx context.Context, j transfer.Job, identifier, id string) error {
	k := loginKey(j.Env, identifier)
	err := s.ifStaged(ctx, j, k, "REMOVE gone, imp", " AND gone = :yes AND id = :id", item{":yes": yes(true), ":id": str(id)})
	if err != nil {
		return err
	}
	err = s.ifStaged(ctx, j, k, "SET id = wasId, #row = wasRow REMOVE wasId, wasRow, imp", " AND attribute_exists(wasId)", item{})
	if err != nil {
		return err
	}
	_, err = s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: k.attributes(),
		ConditionExpression:       aws.String("imp = :mark AND id = :id AND attribute_not_exists(gone) AND attribute_not_exists(wasId)"),
		ExpressionAttributeValues: item{":mark": num(j.Import), ":id": str(id)},
	})
	_, _, err = conditionHeld(err)
	return err
}

// restore puts an item back as the import found it: its image, and the mark and former image of the import before, by which
// that one can still be undone. it is the item as read, nil for one of which these are not kept.
func (s Imports) restore(ctx context.Context, j transfer.Job, k key, it item) error {
	update := "SET v = was REMOVE was, imp, imp0, was0"
	switch _, marked := it[attrImport0]; {
	case flag(it, attrGone):
		update = "SET imp = imp0 REMOVE was, gone, imp0"
	case within(it, attrFormer0) != nil:
		update = "SET v = was, was = was0, imp = imp0 REMOVE was0, imp0"
	case marked:
		update = "SET v = was, imp = imp0 REMOVE was, imp0"
	}
	if it == nil {
		return s.ifStaged(ctx, j, k, update, " AND attribute_exists(was) AND attribute_not_exists(gone)", item{})
	}
	return s.ifStaged(ctx, j, k, update, " AND attribute_exists(was)", item{})
}

func (s Imports) ifStaged(ctx context.Context, j transfer.Job, k key, update, condition string, values item) error {
	values[":mark"] = num(j.Import)
	_, err := s.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: k.attributes(), UpdateExpression: &update,
		ConditionExpression: aws.String("imp = :mark" + condition), ExpressionAttributeValues: values,
		ExpressionAttributeNames: namesIn(update),
	})
	_, _, err = conditionHeld(err)
	return err
}

func (s Imports) deleteStaged(ctx context.Context, j transfer.Job, k key) error {
	_, err := s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: k.attributes(), ConditionExpression: aws.String("imp = :mark"),
		ExpressionAttributeValues: item{":mark": num(j.Import)},
	})
	_, _, err = conditionHeld(err)
	return err
}
