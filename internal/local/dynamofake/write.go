package dynamofake

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Limits of DynamoDB.
const (
	maxItemSize         = 400 << 10
	maxTransactionItems = 100
	maxTransactionSize  = 4 << 20
	maxBatchGet         = 100
	maxBatchWrite       = 25
	maxPageSize         = 1 << 20
)

// write is one change of one item: an element of a transaction, or a call by itself.
type write struct {
	table     *string
	key       item // the whole item of a put
	put       bool
	check     bool // only the condition
	condition *string
	update    *string
	names     map[string]string
	values    item
	returnOld bool // with a condition that fails
}

// effect is what a write would do.
type effect struct {
	table          *table
	key            itemKey
	previous, next item
	holds          bool
	changed, set   []path // by an update; set are those without what it removes
	invalid        error  // why the write does not fit the item as it is
}

// evaluate returns what a write does to the tables as they are. It changes nothing.
func (s *Server) evaluate(w write) (effect, error) {
	t, err := s.table(w.table)
	if err != nil {
		return effect{}, err
	}
	k, err := t.keyOf(w.key, !w.put)
	if err != nil {
		return effect{}, err
	}
	e := effect{table: t, key: k, previous: t.get(k)}
	scope := newScope(w.names, w.values)
	if err := scope.validValues(); err != nil {
		return effect{}, err
	}
	condition, err := scope.condition(w.condition)
	if err != nil {
		return effect{}, err
	}
	changes, err := scope.update(w.update)
	if err != nil {
		return effect{}, err
	}
	if err := scope.allUsed(); err != nil {
		return effect{}, err
	}
	if w.put {
		if err := validItem(w.key); err != nil {
			return effect{}, err
		}
	}
	if e.holds, err = condition.holds(scope.on(e.previous)); err != nil || !e.holds {
		return e, err
	}
	switch {
	case w.check:
		e.next = e.previous
	case w.put:
		e.next = normalItem(w.key)
	case w.update != nil:
		e.next, e.invalid = changes.apply(e)
		e.changed, e.set = changes.paths(), changes.withoutRemovals().paths()
	}
	if e.invalid == nil && sizeOf(e.next) > maxItemSize {
		e.invalid = invalid("Item size has exceeded the maximum allowed size")
	}
	return e, nil
}

// apply stores the effects of writes.
func apply(effects ...effect) {
	for _, e := range effects {
		if e.previous == nil && e.next == nil {
			continue
		}
		e.table.set(e.key, e.next)
	}
}

// one does a write by itself.
func (s *Server) one(w write) (effect, error) {
	e, err := s.evaluate(w)
	if err != nil {
		return e, err
	}
	if !e.holds {
		failed := &types.ConditionalCheckFailedException{Message: aws.String("The conditional request failed")}
		if w.returnOld {
			failed.Item = maps.Clone(e.previous)
		}
		return e, failed
	}
	if e.invalid != nil {
		return e, e.invalid
	}
	apply(e)
	return e, nil
}

func allOld(v types.ReturnValuesOnConditionCheckFailure) bool {
	return v == types.ReturnValuesOnConditionCheckFailureAllOld
}

func (s *Server) putItem(in *dynamodb.PutItemInput) (any, error) {
	e, err := s.one(write{
		table: in.TableName, key: in.Item, put: true, condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		returnOld: allOld(in.ReturnValuesOnConditionCheckFailure),
	})
	if err != nil {
		return nil, err
	}
	out := &dynamodb.PutItemOutput{}
	if in.ReturnValues == types.ReturnValueAllOld {
		out.Attributes = maps.Clone(e.previous)
	}
	return out, nil
}

func (s *Server) deleteItem(in *dynamodb.DeleteItemInput) (any, error) {
	e, err := s.one(deletion(&types.Delete{
		TableName: in.TableName, Key: in.Key, ConditionExpression: in.ConditionExpression,
		ExpressionAttributeNames: in.ExpressionAttributeNames, ExpressionAttributeValues: in.ExpressionAttributeValues,
		ReturnValuesOnConditionCheckFailure: in.ReturnValuesOnConditionCheckFailure,
	}))
	if err != nil {
		return nil, err
	}
	out := &dynamodb.DeleteItemOutput{}
	if in.ReturnValues == types.ReturnValueAllOld {
		out.Attributes = maps.Clone(e.previous)
	}
	return out, nil
}

func (s *Server) updateItem(in *dynamodb.UpdateItemInput) (any, error) {
	update := in.UpdateExpression
	if update == nil {
		update = aws.String("")
	}
	e, err := s.one(write{
		table: in.TableName, key: in.Key, condition: in.ConditionExpression, update: update,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		returnOld: allOld(in.ReturnValuesOnConditionCheckFailure),
	})
	if err != nil {
		return nil, err
	}
	out := &dynamodb.UpdateItemOutput{}
	switch in.ReturnValues {
	case "", types.ReturnValueNone:
	case types.ReturnValueAllNew:
		out.Attributes = maps.Clone(e.next)
	case types.ReturnValueAllOld:
		out.Attributes = maps.Clone(e.previous)
	case types.ReturnValueUpdatedNew:
		out.Attributes = project(e.next, e.set)
	case types.ReturnValueUpdatedOld:
		out.Attributes = project(e.previous, e.changed)
	}
	return out, nil
}

func deletion(d *types.Delete) write {
	return write{
		table: d.TableName, key: d.Key, condition: d.ConditionExpression, names: d.ExpressionAttributeNames,
		values: d.ExpressionAttributeValues, returnOld: allOld(d.ReturnValuesOnConditionCheckFailure),
	}
}

// writeOf reads an element of a transaction.
func writeOf(w types.TransactWriteItem) (write, error) {
	switch {
	case w.Put != nil:
		return write{
			table: w.Put.TableName, key: w.Put.Item, put: true, condition: w.Put.ConditionExpression,
			names: w.Put.ExpressionAttributeNames, values: w.Put.ExpressionAttributeValues,
			returnOld: allOld(w.Put.ReturnValuesOnConditionCheckFailure),
		}, nil
	case w.Update != nil:
		return write{
			table: w.Update.TableName, key: w.Update.Key,
			condition: w.Update.ConditionExpression, update: w.Update.UpdateExpression,
			names: w.Update.ExpressionAttributeNames, values: w.Update.ExpressionAttributeValues,
			returnOld: allOld(w.Update.ReturnValuesOnConditionCheckFailure),
		}, nil
	case w.Delete != nil:
		return deletion(w.Delete), nil
	case w.ConditionCheck != nil:
		c := w.ConditionCheck
		return write{
			table: c.TableName, key: c.Key, check: true, condition: c.ConditionExpression, names: c.ExpressionAttributeNames,
			values: c.ExpressionAttributeValues, returnOld: allOld(c.ReturnValuesOnConditionCheckFailure),
		}, nil
	}
	return write{}, invalid("an element of a transaction is empty")
}

// transactWriteItems does all writes or none.
func (s *Server) transactWriteItems(in *dynamodb.TransactWriteItemsInput) (any, error) {
	if n := len(in.TransactItems); n < 1 || n > maxTransactionItems {
		return nil, invalid("Member must have length less than or equal to %d", maxTransactionItems)
	}
	type place struct {
		table *table
		key   itemKey
	}
	var (
		effects = make([]effect, len(in.TransactItems))
		reasons = make([]types.CancellationReason, len(in.TransactItems))
		seen    = map[place]bool{}
		failed  bool
		total   int
	)
	for i, element := range in.TransactItems {
		w, err := writeOf(element)
		if err != nil {
			return nil, err
		}
		e, err := s.evaluate(w)
		if err != nil {
			return nil, err
		}
		if seen[place{e.table, e.key}] {
			return nil, invalid("Transaction request cannot include multiple operations on one item")
		}
		seen[place{e.table, e.key}], effects[i] = true, e
		total += sizeOf(e.next)
		reasons[i].Code = aws.String("None")
		if !e.holds {
			failed = true
			reasons[i].Code, reasons[i].Message = aws.String(
				"ConditionalCheckFailed",
			), aws.String(
				"The conditional request failed",
			)
			if w.returnOld {
				reasons[i].Item = maps.Clone(e.previous)
			}
		}
		if e.invalid != nil {
			failed = true
			reasons[i].Code, reasons[i].Message = aws.String("ValidationError"), aws.String(e.invalid.Error())
		}
	}
	if failed {
		return nil, &types.TransactionCanceledException{
			Message: aws.String(
				"Transaction cancelled, please refer cancellation reasons for specific reasons",
			), CancellationReasons: reasons,
		}
	}
	if total > maxTransactionSize {
		return nil, invalid("Transaction payload size exceeds the maximum of 4 MB")
	}
	for i, e := range effects {
		if in.TransactItems[i].ConditionCheck == nil {
			apply(e)
		}
	}
	return &dynamodb.TransactWriteItemsOutput{}, nil
}

func (s *Server) batchWriteItem(in *dynamodb.BatchWriteItemInput) (any, error) {
	var effects []effect
	count := 0
	for name, requests := range in.RequestItems {
		seen := map[itemKey]bool{}
		for _, r := range requests {
			w := write{table: &name}
			if r.PutRequest != nil {
				w.key, w.put = r.PutRequest.Item, true
			} else {
				w.key = r.DeleteRequest.Key
			}
			e, err := s.evaluate(w)
			if err == nil {
				err = e.invalid
			}
			if err != nil {
				return nil, err
			}
			if seen[e.key] {
				return nil, invalid("Provided list of item keys contains duplicates")
			}
			seen[e.key] = true
			effects = append(effects, e)
			count++
		}
	}
	if count < 1 || count > maxBatchWrite {
		return nil, invalid("Too many items requested for the BatchWriteItem call")
	}
	apply(effects...)
	return &dynamodb.BatchWriteItemOutput{}, nil
}

// sizeOf is how many bytes an item counts as.
func sizeOf(of item) int {
	total := 0
	for name, v := range of {
		total += len(name) + valueSize(v)
	}
	return total
}

func valueSize(v types.AttributeValue) int {
	total := 0
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return (len(v.Value)+1)/2 + 1
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberSS:
		for _, one := range v.Value {
			total += len(one)
		}
	case *types.AttributeValueMemberNS:
		for _, one := range v.Value {
			total += (len(one)+1)/2 + 1
		}
	case *types.AttributeValueMemberBS:
		for _, one := range v.Value {
			total += len(one)
		}
	case *types.AttributeValueMemberL:
		total = 3
		for _, one := range v.Value {
			total += 1 + valueSize(one)
		}
	case *types.AttributeValueMemberM:
		total = 3
		for name, one := range v.Value {
			total += 1 + len(name) + valueSize(one)
		}
	default: // NULL and BOOL
		return 1
	}
	return total
}

// validItem refuses what DynamoDB does not store.
func validItem(of item) error {
	for name, v := range of {
		if err := validValue(v); err != nil {
			return err
		}
		if name == "" {
			return invalid("an attribute has no name")
		}
	}
	return nil
}

func validValue(v types.AttributeValue) error {
	switch v := v.(type) {
	case nil:
		return invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	case *types.AttributeValueMemberN:
		if _, err := parseNumber(v.Value); err != nil {
			return err
		}
	case *types.AttributeValueMemberSS:
		return validSet(v.Value)
	case *types.AttributeValueMemberNS:
		return validSet(v.Value)
	case *types.AttributeValueMemberBS:
		if len(v.Value) == 0 {
			return invalid("One or more parameter values were invalid: An binary set  may not be empty")
		}
	case *types.AttributeValueMemberL:
		for _, one := range v.Value {
			if err := validValue(one); err != nil {
				return err
			}
		}
	case *types.AttributeValueMemberM:
		return validItem(v.Value)
	}
	return nil
}

func validSet(of []string) error {
	if len(of) == 0 {
		return invalid("One or more parameter values were invalid: An string set  may not be empty")
	}
	sorted := slices.Sorted(slices.Values(of))
	if len(slices.Compact(sorted)) != len(of) {
		return invalid("One or more parameter values were invalid: Input collection contains duplicates.")
	}
	return nil
}

// normalItem is an item as DynamoDB keeps it: numbers without needless zeros, sets in an order of their own.
func normalItem(of item) item {
	out := make(item, len(of))
	for name, v := range of {
		out[name] = normal(v)
	}
	return out
}

func normal(v types.AttributeValue) types.AttributeValue {
	switch v := v.(type) {
	case *types.AttributeValueMemberN:
		if n, err := parseNumber(v.Value); err == nil {
			return &types.AttributeValueMemberN{Value: formatNumber(n)}
		}
	case *types.AttributeValueMemberSS:
		return &types.AttributeValueMemberSS{Value: slices.Sorted(slices.Values(v.Value))}
	case *types.AttributeValueMemberM:
		return &types.AttributeValueMemberM{Value: normalItem(v.Value)}
	case *types.AttributeValueMemberL:
		out := make([]types.AttributeValue, len(v.Value))
		for i, one := range v.Value {
			out[i] = normal(one)
		}
		return &types.AttributeValueMemberL{Value: out}
	}
	return v
}
