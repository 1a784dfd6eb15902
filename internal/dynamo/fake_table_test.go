package dynamo_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// fakeTable is a DynamoDB table in memory, as far as imports, undos and those who edit meanwhile ask something of one.
// It reads the same expressions, so that schedules by the hundred thousand run the code that runs against the real
// table. What it answers is held against DynamoDB Local by TestMemoryAnswersAsTheTable. It refuses what it does not
// know.
type fakeTable struct {
	mu    sync.Mutex
	items map[itemKey]attributes // never changed in place
	// call, where it is not nil, is told of each call and does it, unless the process that makes it is dead by then. It
	// reports whether the answer arrives.
	call func(ctx context.Context, do func()) bool
	// mutant, where it is not nil, changes conditions: the mutants that have to be found.
	mutant func(condition string) string
}

type (
	itemKey    struct{ pk, sk string }
	attributes = map[string]types.AttributeValue
)

// client is a client of the table.
func (m *fakeTable) client() *dynamodb.Client {
	return dynamodb.New(
		dynamodb.Options{Region: "nowhere", APIOptions: []func(*middleware.Stack) error{func(s *middleware.Stack) error {
			s.Initialize.Clear()
			s.Serialize.Clear()
			s.Build.Clear()
			s.Finalize.Clear()
			s.Deserialize.Clear()
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("memory", func(
				ctx context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler,
			) (out middleware.InitializeOutput, md middleware.Metadata, err error) {
				do := func() { out.Result, err = m.answer(in.Parameters) }
				if m.call == nil {
					do()
				} else if !m.call(ctx, do) {
					return out, md, errProcessDied
				}
				return out, md, err
			}), middleware.Before)
		}}})
}

func itemKeyOf(k attributes) itemKey {
	return itemKey{k["PK"].(*types.AttributeValueMemberS).Value, k["SK"].(*types.AttributeValueMemberS).Value}
}

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, args...)}
}

func (m *fakeTable) answer(parameters any) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch in := parameters.(type) {
	case *dynamodb.GetItemInput:
		return &dynamodb.GetItemOutput{Item: maps.Clone(m.items[itemKeyOf(in.Key)])}, nil
	case *dynamodb.BatchGetItemInput:
		return m.batchGet(in)
	case *dynamodb.QueryInput:
		return m.query(in)
	case *dynamodb.ScanInput:
		out := &dynamodb.ScanOutput{}
		for _, it := range m.items {
			out.Items = append(out.Items, maps.Clone(it))
		}
		return out, nil
	case *dynamodb.PutItemInput:
		_, err := m.write(types.TransactWriteItem{Put: &types.Put{Item: in.Item, ConditionExpression: in.ConditionExpression,
			ExpressionAttributeNames: in.ExpressionAttributeNames, ExpressionAttributeValues: in.ExpressionAttributeValues}})
		return &dynamodb.PutItemOutput{}, err
	case *dynamodb.DeleteItemInput:
		_, err := m.write(
			types.TransactWriteItem{Delete: &types.Delete{Key: in.Key, ConditionExpression: in.ConditionExpression,
				ExpressionAttributeNames: in.ExpressionAttributeNames, ExpressionAttributeValues: in.ExpressionAttributeValues}})
		return &dynamodb.DeleteItemOutput{}, err
	case *dynamodb.UpdateItemInput:
		now, err := m.write(
			types.TransactWriteItem{Update: &types.Update{Key: in.Key, ConditionExpression: in.ConditionExpression,
				UpdateExpression: in.UpdateExpression, ReturnValuesOnConditionCheckFailure: in.ReturnValuesOnConditionCheckFailure,
				ExpressionAttributeNames: in.ExpressionAttributeNames, ExpressionAttributeValues: in.ExpressionAttributeValues}})
		out := &dynamodb.UpdateItemOutput{}
		if in.ReturnValues == types.ReturnValueAllNew {
			out.Attributes = maps.Clone(now)
		}
		return out, err
	case *dynamodb.TransactWriteItemsInput:
		return &dynamodb.TransactWriteItemsOutput{}, m.transact(in.TransactItems)
	}
	return nil, fmt.Errorf("memory does not know %T", parameters)
}

func (m *fakeTable) batchGet(in *dynamodb.BatchGetItemInput) (any, error) {
	out := &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{}}
	for table, wanted := range in.RequestItems {
		asked := map[itemKey]bool{}
		for _, k := range wanted.Keys {
			at := itemKeyOf(k)
			if asked[at] || len(wanted.Keys) > 100 {
				return nil, invalid("a key twice, or more than 100")
			}
			asked[at] = true
			if it, ok := m.items[at]; ok {
				out.Responses[table] = append(out.Responses[table], maps.Clone(it))
			}
		}
	}
	return out, nil
}

func (m *fakeTable) query(in *dynamodb.QueryInput) (any, error) {
	if in.FilterExpression != nil || in.ProjectionExpression != nil || in.IndexName != nil {
		return nil, invalid("memory does not know such a query")
	}
	value := func(name string) string {
		if v, ok := in.ExpressionAttributeValues[name].(*types.AttributeValueMemberS); ok {
			return v.Value
		}
		return ""
	}
	switch *in.KeyConditionExpression {
	case "PK = :pk", "PK = :pk AND begins_with(SK, :prefix)":
	default:
		return nil, invalid("memory does not know the query %s", *in.KeyConditionExpression)
	}
	var found []itemKey
	backwards := in.ScanIndexForward != nil && !*in.ScanIndexForward
	after := ""
	if in.ExclusiveStartKey != nil {
		after = itemKeyOf(in.ExclusiveStartKey).sk
	}
	for at := range m.items {
		behind := after == "" || !backwards && at.sk > after || backwards && at.sk < after
		if at.pk == value(":pk") && strings.HasPrefix(at.sk, value(":prefix")) && behind {
			found = append(found, at)
		}
	}
	slices.SortFunc(found, func(a, b itemKey) int {
		if backwards {
			a, b = b, a
		}
		return cmp.Compare(a.sk, b.sk)
	})
	out := &dynamodb.QueryOutput{}
	if limit := int(aws.ToInt32(in.Limit)); limit > 0 && len(found) >= limit {
		found = found[:limit]
		out.LastEvaluatedKey = attributes{"PK": m.items[found[limit-1]]["PK"], "SK": m.items[found[limit-1]]["SK"]}
	}
	for _, at := range found {
		out.Items = append(out.Items, maps.Clone(m.items[at]))
	}
	return out, nil
}

// write does one write for itself, and returns the item as it is then.
func (m *fakeTable) write(w types.TransactWriteItem) (attributes, error) {
	at, held, now, err := m.evaluate(w)
	if err != nil {
		return nil, err
	}
	if !held {
		failed := &types.ConditionalCheckFailedException{Message: aws.String("The conditional request failed")}
		if u := w.Update; u != nil &&
			u.ReturnValuesOnConditionCheckFailure == types.ReturnValuesOnConditionCheckFailureAllOld {
			failed.Item = maps.Clone(m.items[at])
		}
		return nil, failed
	}
	m.set(at, now)
	return now, nil
}

func (m *fakeTable) set(at itemKey, now attributes) {
	if now == nil {
		delete(m.items, at)
		return
	}
	m.items[at] = now
}

// transact does all writes or none.
func (m *fakeTable) transact(writes []types.TransactWriteItem) error {
	if len(writes) > 100 {
		return invalid("more than 100 items")
	}
	reasons, failed := make([]types.CancellationReason, len(writes)), false
	to := map[itemKey]attributes{}
	for i, w := range writes {
		at, held, now, err := m.evaluate(w)
		if err != nil {
			return err
		}
		if _, twice := to[at]; twice {
			return invalid("two writes of %v", at)
		}
		to[at] = now
		reasons[i].Code = aws.String("None")
		if !held {
			failed = true
			reasons[i].Code = aws.String("ConditionalCheckFailed")
			if old, wanted := m.items[at], returnsOld(w); wanted && old != nil {
				reasons[i].Item = maps.Clone(old)
			}
		}
	}
	if failed {
		return &types.TransactionCanceledException{CancellationReasons: reasons}
	}
	for at, now := range to {
		m.set(at, now)
	}
	return nil
}

func returnsOld(w types.TransactWriteItem) bool {
	const all = types.ReturnValuesOnConditionCheckFailureAllOld
	switch {
	case w.Put != nil:
		return w.Put.ReturnValuesOnConditionCheckFailure == all
	case w.Update != nil:
		return w.Update.ReturnValuesOnConditionCheckFailure == all
	case w.ConditionCheck != nil:
		return w.ConditionCheck.ReturnValuesOnConditionCheckFailure == all
	}
	return w.Delete.ReturnValuesOnConditionCheckFailure == all
}

// evaluate returns where a write goes, whether its condition holds, and what the item would be; nil for none.
func (m *fakeTable) evaluate(w types.TransactWriteItem) (at itemKey, held bool, now attributes, err error) {
	var (
		condition *string
		e         expression
	)
	switch {
	case w.Put != nil:
		at, now, condition = itemKeyOf(w.Put.Item), maps.Clone(w.Put.Item), w.Put.ConditionExpression
		e = expression{names: w.Put.ExpressionAttributeNames, values: w.Put.ExpressionAttributeValues}
	case w.Delete != nil:
		at, condition = itemKeyOf(w.Delete.Key), w.Delete.ConditionExpression
		e = expression{names: w.Delete.ExpressionAttributeNames, values: w.Delete.ExpressionAttributeValues}
	case w.ConditionCheck != nil:
		at, condition = itemKeyOf(w.ConditionCheck.Key), w.ConditionCheck.ConditionExpression
		now = m.items[at]
		e = expression{names: w.ConditionCheck.ExpressionAttributeNames, values: w.ConditionCheck.ExpressionAttributeValues}
	default:
		at, condition = itemKeyOf(w.Update.Key), w.Update.ConditionExpression
		e = expression{names: w.Update.ExpressionAttributeNames, values: w.Update.ExpressionAttributeValues}
	}
	e.item, held = m.items[at], true
	if condition != nil {
		said := *condition
		if m.mutant != nil {
			said = m.mutant(said)
		}
		if held, err = e.holds(said); err != nil || !held {
			return at, false, nil, err
		}
	}
	if w.Update != nil {
		now, err = e.updated(*w.Update.UpdateExpression, w.Update.Key)
	}
	return at, held, now, err
}

// compareValues compares two values of one kind; false if they are not.
func compareValues(a, b types.AttributeValue) (int, bool) {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		if !ok {
			return 0, false
		}
		return cmp.Compare(a.Value, b.Value), true
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		if !ok {
			return 0, false
		}
		return cmp.Compare(integer(a), integer(b)), true
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		if !ok {
			return 0, false
		}
		return bytes.Compare(a.Value, b.Value), true
	}
	return cmp.Compare(textOfValue(a), textOfValue(b)), fmt.Sprintf("%T", a) == fmt.Sprintf("%T", b)
}
