package dynamo

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/resource"
	"useraccounts/internal/transfer"
)

// ResourcesByCode implements transfer.Resources.
func (s Imports) ResourcesByCode(
	ctx context.Context, env environment.Environment, mark int64, codes []string,
) (map[string]transfer.ResourceState, error) {
	keys := make([]table.Key, len(codes))
	for i, code := range codes {
		keys[i] = schema.ResourceKey(env.ID, code)
	}
	items, err := s.BatchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make(map[string]transfer.ResourceState, len(items))
	for i, it := range items {
		if it == nil {
			continue
		}
		imp := table.Int(it, schema.AttrImportID)
		own, seen := mark != 0 && imp == mark, env.Imports.Sees(imp)
		gone := table.Bool(it, schema.AttrTombstone)
		f := transfer.ResourceState{Staged: own, Busy: !own && (!seen || gone), BeingRemoved: !own && seen && gone}
		is := schema.VisibleAt(env.Imports, it)
		if own {
			is = schema.Previous
			f.StagedResource, _ = resourceOf(it, schema.Newest)
		} else if was, ok := resourceOf(it, schema.Previous); ok {
			f.Previous = &was
		}
		f.Resource, f.Exists = resourceOf(it, is)
		out[codes[i]] = f
	}
	return out, nil
}

// ReserveNumbers implements transfer.Resources. The counter of numbers and the job that gets the block are written in
// one transaction, so that no number is given twice, whatever crashes. A block has no gaps: it starts after numbers
// that were used by hand. The numbers of an import that fails are not given again.
func (s Imports) ReserveNumbers(ctx context.Context, j transfer.Job, n int) (transfer.Job, error) {
	for attempt := 1; ; attempt++ {
		counter, err := s.Get(ctx, schema.ResourceNumberKey(j.Env))
		if err != nil {
			return transfer.Job{}, err
		}
		last := table.Int(counter, "latest")
		first, err := s.freeBlock(ctx, j.Env, last+1, n)
		if err != nil {
			return transfer.Job{}, err
		}
		reserved := j
		reserved.FirstNumber, reserved.NumberCount = first, n
		set, values, err := jobUpdate(reserved)
		if err != nil {
			return transfer.Job{}, err
		}
		values[":writing"] = table.S(string(transfer.Writing))
		err = s.commitFenced(ctx, table.Transaction{
			s.fencedJobUpdate(reserved, set, "#state = :writing AND attribute_not_exists(cancel)", values),
			Resources{s.Table}.numberCounterItem(j.Env, last, first+int64(n)-1),
		})
		if !errors.Is(err, transfer.ErrStale) || attempt == maxNumberAttempts {
			return reserved, err
		}
		if err := table.Backoff(ctx, min(attempt, 3)); err != nil {
			return transfer.Job{}, err
		}
	}
}

// freeBlock returns the first of n numbers in a row that are no resource's code.
func (s Imports) freeBlock(ctx context.Context, env string, first int64, n int) (int64, error) {
	for at := first; at < first+int64(n); {
		keys := make([]table.Key, min(int64(table.MaxBatchGet), first+int64(n)-at))
		for i := range keys {
			keys[i] = schema.ResourceKey(env, strconv.FormatInt(at+int64(i), 10))
		}
		items, err := s.BatchGet(ctx, keys)
		if err != nil {
			return 0, err
		}
		for i, it := range items {
			if it != nil {
				first = at + int64(i) + 1
			}
		}
		at += int64(len(keys))
	}
	return first, nil
}

// stageResource is the item of a resource that an import stages.
func (s Imports) stageResource(j transfer.Job, row transfer.StagedRow) table.Op {
	w := row.Resource
	k := schema.ResourceKey(j.Env, w.After.Key())
	image := table.M(resourceImage(w.After))
	if w.Before == nil {
		it := table.Item{"PK": table.S(k.PK), "SK": table.S(k.SK), schema.AttrImage: image,
			schema.AttrImportID: table.N(j.ImportID)}
		if row.IsManager {
			it[attrReferences] = table.N(1) // by resources that become visible with it: its deletion has to look for them
		}
		return table.Put(&types.Put{
			TableName: &s.Name, Item: it, ConditionExpression: aws.String("attribute_not_exists(PK)"),
		}, resourceChanged)
	}
	values := table.Item{":v": image, ":import": table.N(j.ImportID)}
	condition := resourceUnchanged(w.Before, values)
	update := stageImage(w.Before.Stored.Import, w.Before.Stored.HasPrevious)
	if w.Deleted {
		delete(values, ":v")
		values[":yes"], update = table.BOOL(true), stageTombstone
		condition += notReferencedSince(w.Before, values)
	}
	return table.Update(&types.Update{
		TableName: &s.Name, Key: k.Attributes(), UpdateExpression: &update,
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	}, resourceChanged)
}

// stageResourceEvent adds the event of the account's log, which becomes visible with the import.
func (s Imports) stageResourceEvent(tx *table.Transaction, j transfer.Job, w *resource.Write) error {
	if w.Event.Kind == "" {
		return nil
	}
	event, err := schema.Event(w.After.AccountID, w.Event)
	if err != nil {
		return err
	}
	event[schema.AttrImportID] = table.N(j.ImportID)
	tx.Put(s.Table, event, resourceChanged)
	return nil
}

// addReferences counts that resources were named as managers. DynamoDB takes an item once in a transaction, so the
// count is added to an update that the transaction already has of the resource, or is an update of its own.
func (s Imports) addReferences(tx table.Transaction, references map[table.Key]int64) table.Transaction {
	for i := range tx {
		u := tx[i].Write.Update
		if u == nil {
			continue
		}
		k := table.NewKey(table.String(u.Key, "PK"), table.String(u.Key, "SK"))
		if n, ok := references[k]; ok {
			u.UpdateExpression = aws.String(*u.UpdateExpression + " ADD named :named")
			u.ExpressionAttributeValues[":named"] = table.N(n)
			delete(references, k)
		}
	}
	for k, n := range references {
		tx = append(tx, table.Update(&types.Update{
			TableName: &s.Name, Key: k.Attributes(), UpdateExpression: aws.String("ADD named :named"),
			ConditionExpression: aws.String(notTombstoned), ExpressionAttributeValues: table.Item{":named": table.N(n)},
		}, resourceChanged))
	}
	return tx
}

// rollbackResources rolls back what was staged of resources: those of the given codes and of the job's numbers.
func (s Imports) rollbackResources(ctx context.Context, j transfer.Job, codes []string) error {
	for n := range j.NumberCount {
		codes = append(codes, strconv.FormatInt(j.FirstNumber+int64(n), 10))
	}
	keys := make([]table.Key, len(codes))
	for i, code := range codes {
		keys[i] = schema.ResourceKey(j.Env, catalogue.Fold(code))
	}
	items, err := s.BatchGet(ctx, keys)
	if err != nil {
		return err
	}
	for i, it := range items {
		if it == nil || table.Int(it, schema.AttrImportID) != j.ImportID {
			continue
		}
		if table.Map(it, schema.AttrPrevious) != nil {
			err = s.restore(ctx, j, keys[i], it)
		} else {
			err = s.deleteStaged(ctx, j, keys[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Usages implements resource.UsageFinder: an import that has not ended may name a resource too, which readers do not
// see.
func (s Resources) Usages(ctx context.Context, sc access.Scope, r resource.Resource) ([]string, error) {
	var out []string
	for p := (table.Query{PK: schema.ResourcePK(sc.Env.ID)}); ; {
		items, more, err := s.Query(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			staged, _ := resourceOf(it, schema.Newest)
			if !sc.Env.Imports.Sees(table.Int(it, schema.AttrImportID)) && catalogue.Fold(staged.Manager) == r.Key() {
				out = append(out, "the resource "+staged.Code+", whose manager it becomes by an import")
			}
			p.After = table.String(it, "SK")
		}
		if !more {
			return out, nil
		}
	}
}
