package dynamofake

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func (s *Server) getItem(in *dynamodb.GetItemInput) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	k, err := t.keyOf(in.Key, true)
	if err != nil {
		return nil, err
	}
	sc := newScope(in.ExpressionAttributeNames, nil)
	paths, err := sc.projection(in.ProjectionExpression)
	if err != nil {
		return nil, err
	}
	if err := sc.allUsed(); err != nil {
		return nil, err
	}
	return &dynamodb.GetItemOutput{Item: project(t.get(k), paths)}, nil
}

func (s *Server) batchGetItem(in *dynamodb.BatchGetItemInput) (any, error) {
	out := &dynamodb.BatchGetItemOutput{
		Responses: map[string][]map[string]types.AttributeValue{}, UnprocessedKeys: map[string]types.KeysAndAttributes{},
	}
	count := 0
	for name, wanted := range in.RequestItems {
		t, err := s.table(&name)
		if err != nil {
			return nil, err
		}
		sc := newScope(wanted.ExpressionAttributeNames, nil)
		paths, err := sc.projection(wanted.ProjectionExpression)
		if err != nil {
			return nil, err
		}
		out.Responses[name] = []map[string]types.AttributeValue{}
		seen := map[itemKey]bool{}
		for _, key := range wanted.Keys {
			k, err := t.keyOf(key, true)
			if err != nil {
				return nil, err
			}
			if seen[k] {
				return nil, invalid("Provided list of item keys contains duplicates")
			}
			seen[k] = true
			if found := t.get(k); found != nil {
				out.Responses[name] = append(out.Responses[name], project(found, paths))
			}
			count++
		}
	}
	if count < 1 || count > maxBatchGet {
		return nil, invalid("Too many items requested for the BatchGetItem call")
	}
	return out, nil
}

// project returns a copy of an item, or of what is at some paths of it.
func project(of item, paths []path) item {
	if of == nil || paths == nil {
		return maps.Clone(of)
	}
	out := item{}
	for _, at := range paths {
		v := at.in(of)
		if v == nil {
			continue
		}
		into := out
		for _, s := range at[:len(at)-1] {
			inner, ok := into[s.name].(*types.AttributeValueMemberM)
			if !ok {
				inner = &types.AttributeValueMemberM{Value: item{}}
				into[s.name] = inner
			}
			into = inner.Value
		}
		into[at[len(at)-1].name] = v
	}
	return out
}

// keyRange is what a key condition asks for: one partition, and some of its sort keys.
type keyRange struct {
	partition string
	sort      *condition // over the sort key alone, nil for all
}

// keyCondition parses a key condition: the partition, and at most one condition on the sort key.
func (s *scope) keyCondition(text *string, t *table) (keyRange, error) {
	if text == nil {
		return keyRange{}, invalid(
			"Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
		)
	}
	c, err := s.condition(text)
	if err != nil {
		return keyRange{}, err
	}
	var (
		out   keyRange
		found bool
	)
	for _, one := range conjuncts(c) {
		switch name := one.subject(); {
		case name == t.partition && one.operator == "=":
			v, ok := one.operands[1].value.(*types.AttributeValueMemberS)
			if !ok || found {
				return out, invalid("Query condition missed key schema element: %s", t.partition)
			}
			out.partition, found = v.Value, true
		case name == t.sort && name != "" && out.sort == nil &&
			slices.Contains([]string{"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"}, one.operator):
			out.sort = one
		default:
			return out, invalid("Invalid KeyConditionExpression: the fake or DynamoDB does not know %s", *text)
		}
	}
	if !found {
		return out, invalid("Query condition missed key schema element: %s", t.partition)
	}
	return out, nil
}

// conjuncts are the conditions that AND joins.
func conjuncts(c *condition) []*condition {
	if c.operator == "AND" {
		return append(conjuncts(c.of[0]), conjuncts(c.of[1])...)
	}
	return []*condition{c}
}

// subject is the name of the attribute that a condition is about; empty for another condition.
func (c *condition) subject() string {
	if len(c.operands) < 2 || len(c.operands[0].at) != 1 {
		return ""
	}
	for _, o := range c.operands[1:] {
		if o.value == nil {
			return ""
		}
	}
	return c.operands[0].at[0].name
}

func (s *Server) query(in *dynamodb.QueryInput) (any, error) {
	if in.IndexName != nil || in.KeyConditions != nil || in.QueryFilter != nil || len(in.AttributesToGet) > 0 {
		return nil, invalid("the fake knows no indexes and no legacy parameters")
	}
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	sc := newScope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err := sc.validValues(); err != nil {
		return nil, err
	}
	wanted, err := sc.keyCondition(in.KeyConditionExpression, t)
	if err != nil {
		return nil, err
	}
	r := reading{
		table: t, scope: sc, limit: in.Limit, after: in.ExclusiveStartKey, count: in.Select == types.SelectCount,
		backwards: in.ScanIndexForward != nil && !*in.ScanIndexForward,
	}
	if err := r.parse(in.FilterExpression, in.ProjectionExpression); err != nil {
		return nil, err
	}
	keys, err := t.sortKeys(wanted, sc)
	if err != nil {
		return nil, err
	}
	r.bound = wanted.bound(r.backwards)
	if err := r.run(keys); err != nil {
		return nil, err
	}
	return &dynamodb.QueryOutput{Items: r.items, Count: r.matched, ScannedCount: r.scanned, LastEvaluatedKey: r.last}, nil
}

// bound is the sort key at which a range ends if it ends at one that belongs to it: a page that ends there is the last,
// as DynamoDB Local has it.
func (r keyRange) bound(backwards bool) string {
	if r.sort == nil {
		return ""
	}
	at := -1
	switch operator := r.sort.operator; {
	case operator == "<=" && !backwards, operator == ">=" && backwards, operator == "BETWEEN" && backwards:
		at = 1
	case operator == "BETWEEN":
		at = 2
	}
	if at < 0 {
		return ""
	}
	text, _ := r.sort.operands[at].value.(*types.AttributeValueMemberS)
	if text == nil {
		return ""
	}
	return text.Value
}

// sortKeys returns the keys of a range in their order.
func (t *table) sortKeys(of keyRange, s *scope) ([]itemKey, error) {
	p := t.partitions[of.partition]
	if p == nil {
		return nil, nil
	}
	from := 0
	if of.sort != nil { // where the range can begin; its end is found by the condition
		if low, ok := of.sort.operands[1].value.(*types.AttributeValueMemberS); ok &&
			!strings.HasPrefix(of.sort.operator, "<") {
			from, _ = slices.BinarySearch(p.sortKeys, low.Value)
		}
	}
	var out []itemKey
	for _, sortKey := range p.sortKeys[from:] {
		held, err := of.sort.holds(s.on(item{t.sort: &types.AttributeValueMemberS{Value: sortKey}}))
		if err != nil {
			return nil, err
		}
		if held {
			out = append(out, itemKey{partition: of.partition, sort: sortKey})
		} else if len(out) > 0 {
			break
		}
	}
	return out, nil
}

func (s *Server) scan(in *dynamodb.ScanInput) (any, error) {
	if in.IndexName != nil || in.ScanFilter != nil || len(in.AttributesToGet) > 0 || in.TotalSegments != nil {
		return nil, invalid("the fake knows no indexes, no segments and no legacy parameters")
	}
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	sc := newScope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err := sc.validValues(); err != nil {
		return nil, err
	}
	r := reading{table: t, scope: sc, limit: in.Limit, after: in.ExclusiveStartKey, count: in.Select == types.SelectCount}
	if err := r.parse(in.FilterExpression, in.ProjectionExpression); err != nil {
		return nil, err
	}
	var keys []itemKey
	for _, name := range slices.Sorted(maps.Keys(t.partitions)) {
		for _, sortKey := range t.partitions[name].sortKeys {
			keys = append(keys, itemKey{partition: name, sort: sortKey})
		}
	}
	if err := r.run(keys); err != nil {
		return nil, err
	}
	return &dynamodb.ScanOutput{Items: r.items, Count: r.matched, ScannedCount: r.scanned, LastEvaluatedKey: r.last}, nil
}

// reading is a page of a query or scan.
type reading struct {
	table            *table
	scope            *scope
	filter           *condition
	paths            []path
	limit            *int32
	after            item
	backwards, count bool
	bound            string // the sort key behind which the range holds none; empty for no such key

	items            []map[string]types.AttributeValue
	matched, scanned int32
	last             item
}

func (r *reading) parse(filter, projection *string) (err error) {
	if r.filter, err = r.scope.condition(filter); err != nil {
		return err
	}
	if r.paths, err = r.scope.projection(projection); err != nil {
		return err
	}
	if r.limit != nil && *r.limit < 1 {
		return invalid("Limit must be greater than or equal to 1")
	}
	return r.scope.allUsed()
}

// run reads the items of keys, which come in their order, as far as one page goes.
func (r *reading) run(keys []itemKey) error {
	if r.backwards {
		keys = slices.Clone(keys)
		slices.Reverse(keys)
	}
	keys, err := r.behind(keys)
	if err != nil {
		return err
	}
	size := 0
	for _, k := range keys {
		of := r.table.get(k)
		size += sizeOf(of)
		held, err := r.filter.holds(r.scope.on(of))
		if err != nil {
			return err
		}
		r.scanned++
		if held {
			r.matched++
			if !r.count {
				r.items = append(r.items, project(of, r.paths))
			}
		}
		if r.limit != nil && r.scanned == *r.limit || size > maxPageSize {
			if k.sort != r.bound || r.bound == "" {
				r.last = r.table.keyAttributes(k)
			}
			return nil
		}
	}
	return nil
}

// behind returns the keys after the one that a page begins behind, which need not be there any more.
func (r *reading) behind(keys []itemKey) ([]itemKey, error) {
	if r.after == nil {
		return keys, nil
	}
	start, err := r.table.keyOf(r.after, true)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(keys, func(k itemKey) bool {
		by := strings.Compare(k.partition, start.partition)
		if by == 0 {
			by = strings.Compare(k.sort, start.sort)
		}
		return by > 0 != r.backwards && by != 0
	})
	if at < 0 {
		return nil, nil
	}
	return keys[at:], nil
}
