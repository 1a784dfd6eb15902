package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/fault"
	"useraccounts/internal/sets"
)

// Sets keeps Sets: a private one with its owner, the shared ones together. Beside each group is their number, and
// beside a person's which one is their default for a grid.
type Sets struct {
	*table.Table
}

var _ sets.Store = Sets{}

// defaultAttribute is the attribute of a person's head item that has the default of a grid.
func defaultAttribute(grid string) string { return "default-" + grid }

func setOf(it table.Item) (sets.Set, error) {
	var set sets.Set
	if err := attributevalue.Unmarshal(it["set"], &set); err != nil {
		return sets.Set{}, fmt.Errorf("read a set: %w", err)
	}
	return set, nil
}

// Visible implements sets.Store.
func (s Sets) Visible(ctx context.Context, env, person string) (sets.Visible, error) {
	out := sets.Visible{Defaults: map[string]string{}}
	for _, pk := range []string{schema.OwnSetsPK(env, person), schema.SharedSetsPK(env)} {
		items, err := s.QueryAll(ctx, table.Query{PK: pk})
		if err != nil {
			return sets.Visible{}, err
		}
		for _, it := range items {
			if table.String(it, "SK") == schema.HeadSK {
				out.Defaults[sets.Accounts] = defaultOf(it, out)
				continue
			}
			set, err := setOf(it)
			if err != nil {
				return sets.Visible{}, err
			}
			out.Sets = append(out.Sets, set)
		}
	}
	return out, nil
}

// defaultOf returns the default that a head item names, or the one already known: the head of the shared Sets has
// none.
func defaultOf(head table.Item, so sets.Visible) string {
	if id := table.String(head, defaultAttribute(sets.Accounts)); id != "" {
		return id
	}
	return so.Defaults[sets.Accounts]
}

// Get implements sets.Store.
func (s Sets) Get(ctx context.Context, env, person, id string) (sets.Visible, error) {
	items, err := s.BatchGet(ctx, []table.Key{
		schema.SetKey(schema.OwnSetsPK(env, person), id), schema.SetKey(schema.SharedSetsPK(env), id),
		schema.SetsHeadKey(schema.OwnSetsPK(env, person)),
	})
	if err != nil {
		return sets.Visible{}, err
	}
	it := items[0]
	if it == nil {
		it = items[1]
	}
	if it == nil {
		return sets.Visible{}, fault.New(fault.NotFound, "notFound", "There is no such Set.")
	}
	set, err := setOf(it)
	return sets.Visible{Sets: []sets.Set{set},
		Defaults: map[string]string{sets.Accounts: table.String(items[2], defaultAttribute(sets.Accounts))}}, err
}

func setsPartition(env string, set *sets.Set) string {
	if set.Shared {
		return schema.SharedSetsPK(env)
	}
	return schema.OwnSetsPK(env, set.OwnerID)
}

// Write implements sets.Store.
func (s Sets) Write(ctx context.Context, env string, w sets.Write) error {
	var tx table.Transaction
	if err := s.addSetChange(&tx, env, w); err != nil {
		return err
	}
	heads := map[string]*setsHead{}
	head := func(pk string, most int, message string) *setsHead {
		if heads[pk] == nil {
			heads[pk] = &setsHead{max: most, message: message}
		}
		return heads[pk]
	}
	count := func(set *sets.Set, by int) {
		if set == nil {
			return
		}
		head(schema.OwnSetsPK(env, set.OwnerID), sets.MaxOwned,
			"You already have %d Sets, which is the limit. Delete one first.").delta += by
		if set.Shared {
			head(schema.SharedSetsPK(env), sets.MaxShared,
				"There are already %d shared Sets, which is the limit. Delete one or make it private first.").delta += by
		}
	}
	count(w.Before, -1)
	count(w.After, 1)
	of := w.After
	if of == nil {
		of = w.Before
	}
	if w.Default != nil {
		mine := head(schema.OwnSetsPK(env, w.PersonID), sets.MaxOwned, "%d")
		mine.setsDefault, mine.grid, mine.id = true, of.Grid, ""
		if *w.Default {
			mine.id = of.ID
		}
	}
	for pk, h := range heads {
		if h.delta != 0 || h.setsDefault {
			tx = append(tx, h.op(s.Table, pk))
		}
	}
	return s.Commit(ctx, tx)
}

// addSetChange adds the change of the Set's own item: it is written, deleted, or moved between private and shared.
func (s Sets) addSetChange(tx *table.Transaction, env string, w sets.Write) error {
	concurrentSetChange := func(table.Item) error { return sets.ErrConcurrentChange }
	at := func(set *sets.Set) table.Item { return schema.SetKey(setsPartition(env, set), set.ID).Attributes() }
	condition, values := aws.String("#set.version = :version"), table.Item{}
	names := map[string]string{"#set": "set"}
	if w.Before != nil {
		values[":version"] = table.N(w.Before.Version)
	}
	if w.Before != nil && w.After != nil && w.Before.Version == w.After.Version {
		*tx = append(*tx, table.Check(&types.ConditionCheck{
			TableName: &s.Name, Key: at(w.Before), ConditionExpression: condition, ExpressionAttributeValues: values,
			ExpressionAttributeNames: names,
		}, concurrentSetChange))
		return nil
	}
	samePartition := w.Before != nil && w.After != nil && setsPartition(env, w.Before) == setsPartition(env, w.After)
	if w.Before != nil && !samePartition {
		*tx = append(*tx, table.Delete(&types.Delete{
			TableName: &s.Name, Key: at(w.Before), ConditionExpression: condition, ExpressionAttributeValues: values,
			ExpressionAttributeNames: names,
		}, concurrentSetChange))
	}
	if w.After == nil {
		return nil
	}
	document, err := attributevalue.Marshal(w.After)
	if err != nil {
		return fmt.Errorf("write a set: %w", err)
	}
	it := at(w.After)
	it["set"] = document
	if !samePartition {
		tx.Put(s.Table, it, concurrentSetChange)
		return nil
	}
	*tx = append(*tx, table.Put(&types.Put{
		TableName: &s.Name, Item: it, ConditionExpression: condition, ExpressionAttributeValues: values,
		ExpressionAttributeNames: names,
	}, concurrentSetChange))
	return nil
}

// setsHead is a change of the head item of a group of Sets.
type setsHead struct {
	delta, max  int
	message     string
	setsDefault bool
	grid, id    string
}

func (h *setsHead) op(t *table.Table, pk string) table.Op {
	u := &types.Update{TableName: &t.Name, Key: schema.SetsHeadKey(pk).Attributes()}
	values, update := table.Item{}, ""
	if h.setsDefault {
		u.ExpressionAttributeNames = map[string]string{"#default": defaultAttribute(h.grid)}
		if update = "REMOVE #default"; h.id != "" {
			update = "SET #default = :id"
			values[":id"] = table.S(h.id)
		}
	}
	if h.delta != 0 {
		update += " ADD held :by"
		values[":by"] = table.N(int64(h.delta))
	}
	if h.delta > 0 {
		u.ConditionExpression = aws.String("attribute_not_exists(held) OR held < :most")
		values[":most"] = table.N(int64(h.max))
	}
	u.UpdateExpression = &update
	if len(values) > 0 {
		u.ExpressionAttributeValues = values
	}
	return table.Update(u, func(table.Item) error {
		return fault.New(fault.Conflict, "tooManySets", h.message, h.max)
	})
}
