package dynamo

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/resource"
	"useraccounts/internal/transfer"
)

// Resources implements transfer.Resources.
func (s Imports) Resources(ctx context.Context, env environment.Environment, mark int64, codes []string) (map[string]transfer.FoundResource, error) {
	keys := make([]key, len(codes))
	for i, code := range codes {
		keys[i] = resourceKey(env.ID, code)
	}
	items, err := s.getAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make(map[string]transfer.FoundResource, len(items))
	for i, it := range items {
		if it == nil {
			continue
		}
		imp := number(it, attrImport)
		own, seen := mark != 0 && imp == mark, env.Imports.Sees(imp)
		gone := flag(it, attrGone)
		f := transfer.FoundResource{Staged: own, Busy: !own && (!seen || gone), Leaving: !own && seen && gone}
		is := asSeen(env.Imports, it)
		if own {
			is = former
			f.Written, _ = resourceOf(it, newest)
		} else if was, ok := resourceOf(it, former); ok {
			f.Former = &was
		}
		f.Resource, f.Exists = resourceOf(it, is)
		out[codes[i]] = f
	}
	return out, nil
}

// Reserve implements transfer.Resources: the counter of numbers and the job that has the block are one transaction, so no
// number is given twice, whoever dies when. A block has no holes; numbers that were taken by hand are passed over, and those
// of an import that comes to nothing are not given again.
func (s Imports) Reserve(ctx context.Context, j transfer.Job, n int) (transfer.Job, error) {
	for attempt := 1; ; attempt++ {
		counter, err := s.get(ctx, resourceNumberKey(j.Env))
		if err != nil {
			return transfer.Job{}, err
		}
		last := number(counter, "latest")
		first, err := s.freeBlock(ctx, j.Env, last+1, n)
		if err != nil {
			return transfer.Job{}, err
		}
		reserved := j
		reserved.FirstNumber, reserved.Numbers = first, n
		set, values, err := bodyAndState(reserved)
		if err != nil {
			return transfer.Job{}, err
		}
		values[":writing"] = str(string(transfer.Writing))
		err = s.run(ctx, parts{
			s.jobPart(reserved, set, "#state = :writing AND attribute_not_exists(cancel)", values),
			Resources{s.Table}.countNumber(j.Env, last, first+int64(n)-1),
		})
		if !errors.Is(err, transfer.ErrOvertaken) || attempt == numberTries {
			return reserved, err
		}
		if err := pause(ctx, min(attempt, 3)); err != nil {
			return transfer.Job{}, err
		}
	}
}

// freeBlock returns the first number from which on n in a row are no resource's code.
func (s Imports) freeBlock(ctx context.Context, env string, first int64, n int) (int64, error) {
	for at := first; at < first+int64(n); {
		keys := make([]key, min(int64(maxBatchGet), first+int64(n)-at))
		for i := range keys {
			keys[i] = resourceKey(env, strconv.FormatInt(at+int64(i), 10))
		}
		items, err := s.getAll(ctx, keys)
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

// stageResource is the item of a resource as an import stages it.
func (s Imports) stageResource(j transfer.Job, row transfer.Staged) part {
	w := row.Staff
	k := resourceKey(j.Env, w.After.Key())
	image := nested(resourceImage(w.After))
	if w.Before == nil {
		it := item{"PK": str(k.pk), "SK": str(k.sk), attrImage: image, attrImport: num(j.Import)}
		if row.Named {
			it[attrNamed] = num(1) // by resources that count when it does: its deletion has to look for them
		}
		return part{types.TransactWriteItem{Put: &types.Put{
			TableName: &s.Name, Item: it, ConditionExpression: aws.String("attribute_not_exists(PK)"),
		}}, overtaken}
	}
	values := item{":v": image, ":mark": num(j.Import)}
	condition := resourceAsRead(w.Before, values)
	update := stagedOver(w.Before.Stored.Import, w.Before.Stored.Former)
	if w.Deleted {
		delete(values, ":v")
		values[":yes"], update = yes(true), goneOver
		condition += unnamedSince(w.Before, values)
	}
	return part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: k.attributes(), UpdateExpression: &update,
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	}}, overtaken}
}

// stageResourceEvent adds the line of the account's log, which counts with the import.
func (s Imports) stageResourceEvent(p *parts, j transfer.Job, w *resource.Write) error {
	if w.Event.Kind == "" {
		return nil
	}
	event, err := eventItem(w.After.AccountID, w.Event)
	if err != nil {
		return err
	}
	event[attrImport] = num(j.Import)
	p.put(s.Table, event, overtaken)
	return nil
}

// named adds that resources were named as managers, each once for the transaction: to the item that the transaction writes
// anyway, since it may hold one item once only, or by an item of its own.
func (s Imports) named(p parts, naming map[key]int64) parts {
	for i := range p {
		u := p[i].write.Update
		if u == nil {
			continue
		}
		k := key{text(u.Key, "PK"), text(u.Key, "SK")}
		if n, ok := naming[k]; ok {
			u.UpdateExpression = aws.String(*u.UpdateExpression + " ADD named :named")
			u.ExpressionAttributeValues[":named"] = num(n)
			delete(naming, k)
		}
	}
	for k, n := range naming {
		p = append(p, part{types.TransactWriteItem{Update: &types.Update{
			TableName: &s.Name, Key: k.attributes(), UpdateExpression: aws.String("ADD named :named"),
			ConditionExpression: aws.String(isThere), ExpressionAttributeValues: item{":named": num(n)},
		}}, overtaken})
	}
	return p
}

// takeBackResources undoes what was staged of resources: those of codes and numbers that the rows asked for, and those of the
// rows' accounts.
func (s Imports) takeBackResources(ctx context.Context, j transfer.Job, codes []string) error {
	for n := range j.Numbers {
		codes = append(codes, strconv.FormatInt(j.FirstNumber+int64(n), 10))
	}
	keys := make([]key, len(codes))
	for i, code := range codes {
		keys[i] = resourceKey(j.Env, catalogue.Fold(code))
	}
	items, err := s.getAll(ctx, keys)
	if err != nil {
		return err
	}
	for i, it := range items {
		if it == nil || number(it, attrImport) != j.Import {
			continue
		}
		if within(it, attrFormer) != nil {
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

// Uses implements resource.Uses: an import that has not ended may name a resource too, and readers do not see that.
func (s Resources) Uses(ctx context.Context, env environment.Environment, r resource.Resource) ([]string, error) {
	var out []string
	for p := (page{pk: resourcePK(env.ID)}); ; {
		items, more, err := s.query(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			staged, _ := resourceOf(it, newest)
			if !env.Imports.Sees(number(it, attrImport)) && catalogue.Fold(staged.Manager) == r.Key() {
				out = append(out, "the resource "+staged.Code+", as its manager, by an import")
			}
			p.after = text(it, "SK")
		}
		if !more {
			return out, nil
		}
	}
}
