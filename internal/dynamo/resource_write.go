package dynamo

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/resource"
	"useraccounts/internal/staffing"
)

// Write implements resource.Store.
func (s Resources) Write(ctx context.Context, env environment.Environment, w resource.Write) (resource.Write, error) {
	err := s.withNumber(ctx, env, w.Before == nil && w.After.Code == "",
		func(number string) (before, own table.Transaction, err error) {
			if number != "" {
				w = w.WithCode(number)
			}
			own, err = s.resourceItems(env, w)
			return nil, own, err
		})
	return w, err
}

// WriteWithAccount implements staffing.Store.
func (s Resources) WriteWithAccount(
	ctx context.Context, env environment.Environment, w staffing.Write,
) (staffing.Write, error) {
	err := s.withNumber(ctx, env, w.Resource.After.Code == "",
		func(number string) (before, own table.Transaction, err error) {
			if number != "" {
				w = w.WithCode(number)
			}
			if before, err = Accounts(s).TransactionItems(env.ID, w.Account, 0); err != nil {
				return nil, nil, err
			}
			own, err = s.resourceItems(env, w.Resource)
			return before, own, err
		})
	return w, err
}

var errNumberTaken = errors.New("another resource got the number")

const maxNumberAttempts = 40

// withNumber does a write, with the next free number if the resource needs one. The counter and the resource are one
// transaction: the condition on the counter says that nobody else got the number, the condition on the resource that
// nobody uses it by hand. So no number is given twice, and one that was not used is not lost. The counter comes after
// the other items and before the resource: if another item has a conflict, that is the error.
func (s Resources) withNumber(ctx context.Context, env environment.Environment, needed bool,
	build func(number string) (before, own table.Transaction, err error)) error {
	if !needed {
		before, own, err := build("")
		if err != nil {
			return err
		}
		return s.Commit(ctx, append(before, own...))
	}
	taken := int64(0) // the highest number that was found in use
	for attempt := 1; attempt <= maxNumberAttempts; attempt++ {
		last, next, err := s.nextNumber(ctx, env.ID, taken)
		if err != nil {
			return err
		}
		before, own, err := build(strconv.FormatInt(next, 10))
		if err != nil {
			return err
		}
		err = s.Commit(ctx, append(append(before, s.numberCounterItem(env.ID, last, next)), own...))
		switch {
		case fault.HasCode(err, "taken"):
			taken = next
		case errors.Is(err, errNumberTaken):
			if err := table.Backoff(ctx, min(attempt, 3)); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return table.Unavailable(errNumberTaken)
}

// numberBatchSize is how many numbers are looked up at once after one that is in use.
const numberBatchSize = 100

// nextNumber returns the last number given and the next to try: the one after it, unless that is known to be in use;
// then the first number that no resource has.
func (s Resources) nextNumber(ctx context.Context, env string, taken int64) (last, next int64, err error) {
	counter, err := s.Get(ctx, schema.ResourceNumberKey(env))
	if err != nil {
		return 0, 0, err
	}
	last = table.Int(counter, "latest")
	if last >= taken {
		return last, last + 1, nil
	}
	for from := taken + 1; ; from += numberBatchSize {
		keys := make([]table.Key, numberBatchSize)
		for i := range keys {
			keys[i] = schema.ResourceKey(env, strconv.FormatInt(from+int64(i), 10))
		}
		items, err := s.BatchGet(ctx, keys)
		if err != nil {
			return 0, 0, err
		}
		for i, it := range items {
			if it == nil {
				return last, from + int64(i), nil
			}
		}
	}
}

func (s Resources) numberCounterItem(env string, last, next int64) table.Op {
	values := table.Item{":next": table.N(next)}
	condition := "attribute_not_exists(latest)"
	if last != 0 {
		condition, values[":last"] = "latest = :last", table.N(last)
	}
	return table.Update(&types.Update{
		TableName: &s.Name, Key: schema.ResourceNumberKey(env).Attributes(),
		UpdateExpression:    aws.String("SET latest = :next"),
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	}, func(table.Item) error { return errNumberTaken })
}

func resourceChanged(table.Item) error { return resource.ErrConcurrentChange }

// resourceItems returns the items of a write.
func (s Resources) resourceItems(env environment.Environment, w resource.Write) (table.Transaction, error) {
	var tx table.Transaction
	k := schema.ResourceKey(env.ID, w.After.Key())
	switch {
	case w.Before == nil:
		it := table.Item{"PK": table.S(k.PK), "SK": table.S(k.SK), schema.AttrImage: table.M(resourceImage(w.After))}
		tx.Put(s.Table, it, codeTaken)
	case w.Deleted:
		tx = append(tx, s.deleteItem(k, w), catalogueUnchangedItem(s.Table, env))
	default:
		values := table.Item{":v": table.M(resourceImage(w.After))}
		condition := resourceUnchanged(w.Before, values)
		tx = append(tx, table.Update(&types.Update{
			TableName: &s.Name, Key: k.Attributes(), UpdateExpression: aws.String("SET v = :v REMOVE " + importAttributes),
			ConditionExpression: &condition, ExpressionAttributeValues: values,
		}, resourceChanged))
	}
	if w.Before != nil && w.Before.Stored.Pending {
		tx = append(tx, table.Update(abortImport(s.Table, env.ID, w.Before.Stored.Import, w.Event.By), resourceChanged))
	}
	if w.Before == nil && catalogue.Fold(w.After.Manager) == w.After.Key() {
		return nil, resource.ErrConcurrentChange // the number is that of its manager, which was deleted meanwhile
	}
	if manager := w.After.Manager; manager != "" && !w.Deleted && (w.Before == nil || w.Before.Manager != manager) {
		tx = append(tx, resourceReferenceItem(s.Table, env.ID, manager))
	}
	if !w.Deleted && resourceAssignsCodes(w) {
		tx = append(tx, assignmentItem(s.Table, env.ID, env.CatalogueVersion))
	}
	return tx, s.addResourceEvent(&tx, env.ID, w)
}

// addResourceEvent adds the event, unless another item of the transaction tells of the change.
func (s Resources) addResourceEvent(tx *table.Transaction, env string, w resource.Write) error {
	if w.Event.Kind == "" {
		return nil
	}
	at := schema.EnvironmentLogKey(env, w.Event.ID)
	if w.After.AccountID != "" {
		at = schema.EventKey(w.After.AccountID, w.Event.ID)
	}
	event, err := schema.EventAt(at, w.Event)
	if err != nil {
		return err
	}
	tx.Put(s.Table, event, resourceChanged)
	return nil
}

func codeTaken(current table.Item) error {
	if table.Bool(current, schema.AttrTombstone) {
		return undoInProgress()
	}
	const message = "Another resource has this code, perhaps in another spelling. " +
		"Choose another code, or leave it empty to get a number."
	return fault.New(fault.Conflict, "taken",
		message).WithFields(fault.Field{Field: "code", Code: "taken", Message: message})
}

// resourceUnchanged is the condition that an item is still as the write read it.
func resourceUnchanged(r *resource.Resource, values table.Item) string {
	values[":seen"] = table.N(r.Stored.Version)
	if r.Stored.Import == 0 {
		return "v.version = :seen AND attribute_not_exists(imp)"
	}
	values[":imp"] = table.N(r.Stored.Import)
	return "v.version = :seen AND imp = :imp"
}

// deleteItem deletes a resource that nobody named since its uses were looked for.
func (s Resources) deleteItem(k table.Key, w resource.Write) table.Op {
	values := table.Item{}
	condition := resourceUnchanged(w.Before, values) + notReferencedSince(w.Before, values)
	return table.Delete(&types.Delete{
		TableName: &s.Name, Key: k.Attributes(), ConditionExpression: &condition, ExpressionAttributeValues: values,
	}, resourceChanged)
}

// notReferencedSince is the part of a condition that says that nobody named the resource since it was read.
func notReferencedSince(r *resource.Resource, values table.Item) string {
	if r.Stored.ReferenceCount == 0 {
		return " AND attribute_not_exists(named)"
	}
	values[":named"] = table.N(r.Stored.ReferenceCount)
	return " AND named = :named"
}

// catalogueUnchangedItem is the condition that reference data is still what the write was validated with. It can name
// a resource too.
func catalogueUnchangedItem(t *table.Table, env environment.Environment) table.Op {
	return table.Check(&types.ConditionCheck{
		TableName: &t.Name, Key: schema.HeadKey(env.ID).Attributes(),
		ConditionExpression:       aws.String("catalogueVersion = :version"),
		ExpressionAttributeValues: table.Item{":version": table.N(env.CatalogueVersion)},
	}, func(table.Item) error {
		return fault.New(fault.Conflict, "rulesChanged",
			"Somebody has just changed reference data, so nothing was saved. Reload, then try again.")
	})
}

// resourceReferenceItem is the item of a write that names a resource. The resource must exist, and from now on its
// deletion looks who names it.
func resourceReferenceItem(t *table.Table, env, code string) table.Op {
	return table.Update(&types.Update{
		TableName: &t.Name, Key: schema.ResourceKey(env, catalogue.Fold(code)).Attributes(),
		UpdateExpression:    aws.String("ADD named :one"),
		ConditionExpression: aws.String(notTombstoned), ExpressionAttributeValues: table.Item{":one": table.N(1)},
	}, resourceChanged)
}

// resourceAssignsCodes reports whether a write gives a resource a code of reference data that it did not have.
func resourceAssignsCodes(w resource.Write) bool {
	if w.Before == nil {
		return true
	}
	had := codesOf(*w.Before)
	for kind, codes := range codesOf(w.After) {
		if codes[0] != "" && codes[0] != had[kind][0] {
			return true
		}
	}
	return false
}
