package dynamofake_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"useraccounts/internal/local/dynamofake"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/local/services"
)

// pair is the fake over HTTP and DynamoDB Local, each with a table of the same name.
type pair struct {
	fake, local *dynamodb.Client
	table       string
}

func newPair(t *testing.T) *pair {
	t.Helper()
	server := httptest.NewServer(&dynamofake.Server{})
	t.Cleanup(server.Close)
	endpoints := localtest.DynamoDBLocal(t)
	fakeEndpoints := services.Endpoints{DynamoDB: server.URL, Region: endpoints.Region, AccessKey: "x", SecretKey: "x"}
	p := &pair{
		fake:  fakeEndpoints.DynamoDBClient(),
		local: endpoints.DynamoDBClient(),
		table: "contract-" + strings.ToLower(t.Name()),
	}
	for _, c := range []*dynamodb.Client{p.fake, p.local} {
		_, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: &p.table, BillingMode: types.BillingModePayPerRequest,
			KeySchema: []types.KeySchemaElement{
				{
					AttributeName: aws.String("PK"),
					KeyType:       types.KeyTypeHash,
				}, {AttributeName: aws.String("SK"), KeyType: types.KeyTypeRange},
			},
			AttributeDefinitions: []types.AttributeDefinition{
				{AttributeName: aws.String("PK"), AttributeType: types.ScalarAttributeTypeS},
				{AttributeName: aws.String("SK"), AttributeType: types.ScalarAttributeTypeS},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := p.local.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &p.table}); err != nil {
			t.Error(err)
		}
	})
	return p
}

// same asks both the same and fails the test where the answers differ. It returns what DynamoDB Local answers.
func (p *pair) same(t *testing.T, input any) string {
	t.Helper()
	fake, local := ask(t.Context(), p.fake, input), ask(t.Context(), p.local, input)
	if fake != local {
		t.Errorf("%s\nfake:           %s\nDynamoDB Local: %s", describe(input), fake, local)
	}
	return local
}

// ask calls an operation and returns the answer as a text: what it returns, or the code of its error.
func ask(ctx context.Context, c *dynamodb.Client, input any) string {
	switch in := input.(type) {
	case *dynamodb.GetItemInput:
		out, err := c.GetItem(ctx, in)
		return answer(err, func() string { return itemText(out.Item) })
	case *dynamodb.BatchGetItemInput:
		out, err := c.BatchGetItem(ctx, in)
		return answer(err, func() string {
			var items []string
			for _, of := range out.Responses {
				for _, it := range of {
					items = append(items, itemText(it))
				}
			}
			slices.Sort(items) // they come in any order
			return strings.Join(items, " ")
		})
	case *dynamodb.QueryInput:
		out, err := c.Query(ctx, in)
		return answer(err, func() string { return page(out.Items, out.Count, out.ScannedCount, out.LastEvaluatedKey, false) })
	case *dynamodb.ScanInput:
		out, err := c.Scan(ctx, in)
		return answer(err, func() string { return page(out.Items, out.Count, out.ScannedCount, nil, true) })
	case *dynamodb.PutItemInput:
		out, err := c.PutItem(ctx, in)
		return answer(err, func() string { return itemText(out.Attributes) })
	case *dynamodb.UpdateItemInput:
		out, err := c.UpdateItem(ctx, in)
		return answer(err, func() string { return itemText(out.Attributes) })
	case *dynamodb.DeleteItemInput:
		out, err := c.DeleteItem(ctx, in)
		return answer(err, func() string { return itemText(out.Attributes) })
	case *dynamodb.BatchWriteItemInput:
		_, err := c.BatchWriteItem(ctx, in)
		return answer(err, func() string { return "written" })
	case *dynamodb.TransactWriteItemsInput:
		_, err := c.TransactWriteItems(ctx, in)
		return answer(err, func() string { return "written" })
	}
	return fmt.Sprintf("no way to ask %T", input)
}

func answer(err error, text func() string) string {
	var (
		cancelled *types.TransactionCanceledException
		failed    *types.ConditionalCheckFailedException
		coded     smithy.APIError
	)
	switch {
	case err == nil:
		return text()
	case errors.As(err, &cancelled):
		out := "cancelled"
		for _, r := range cancelled.CancellationReasons {
			if aws.ToString(r.Code) == "ValidationError" {
				// A write that does not fit its item refuses all. Which reasons are given beside it differs between the two.
				return "ValidationException"
			}
			out += " " + aws.ToString(r.Code) + itemText(r.Item)
		}
		return out
	case errors.As(err, &failed):
		return "condition failed" + itemText(failed.Item)
	case errors.As(err, &coded):
		return coded.ErrorCode()
	}
	return err.Error()
}

func page(
	items []map[string]types.AttributeValue,
	count, scanned int32,
	last map[string]types.AttributeValue,
	anyOrder bool,
) string {
	texts := make([]string, len(items))
	for i, it := range items {
		texts[i] = itemText(it)
	}
	if anyOrder {
		slices.Sort(texts)
	}
	return fmt.Sprint(texts, " ", count, " of ", scanned, " then ", itemText(last))
}

func itemText(it map[string]types.AttributeValue) string {
	if it == nil {
		return "{}"
	}
	return valueText(&types.AttributeValueMemberM{Value: it})
}

func valueText(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("%q", v.Value)
	case *types.AttributeValueMemberN:
		// DynamoDB brings numbers into one form, and so does the fake; DynamoDB Local does for some.
		if rat, ok := new(big.Rat).SetString(v.Value); ok {
			return rat.RatString()
		}
		return v.Value
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("b%x", v.Value)
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	case *types.AttributeValueMemberNULL:
		return "null"
	case *types.AttributeValueMemberSS:
		return fmt.Sprintf("ss%q", slices.Sorted(slices.Values(v.Value)))
	case *types.AttributeValueMemberL:
		texts := make([]string, len(v.Value))
		for i, one := range v.Value {
			texts[i] = valueText(one)
		}
		return fmt.Sprint(texts)
	case *types.AttributeValueMemberM:
		var texts []string
		for name, one := range v.Value {
			texts = append(texts, name+":"+valueText(one))
		}
		slices.Sort(texts)
		return "{" + strings.Join(texts, " ") + "}"
	}
	return fmt.Sprintf("%T", v)
}

// describe is what was asked, for the message of a difference.
func describe(input any) string {
	texts := func(e expressions) string {
		return fmt.Sprintf(
			" condition %q update %q names %v values %s",
			aws.ToString(e.condition),
			aws.ToString(e.update),
			e.names,
			itemText(e.values),
		)
	}
	switch in := input.(type) {
	case *dynamodb.PutItemInput:
		return "put " + itemText(in.Item) + texts(expressions{
			condition: in.ConditionExpression, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		})
	case *dynamodb.UpdateItemInput:
		return "update " + itemText(in.Key) + texts(expressions{
			condition: in.ConditionExpression, update: in.UpdateExpression,
			names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		})
	case *dynamodb.DeleteItemInput:
		return "delete " + itemText(in.Key) + texts(expressions{
			condition: in.ConditionExpression, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		})
	case *dynamodb.QueryInput:
		return fmt.Sprintf("query %q filter %q projection %q %v %s limit %d after %s",
			aws.ToString(in.KeyConditionExpression), aws.ToString(in.FilterExpression),
			aws.ToString(in.ProjectionExpression), in.ExpressionAttributeNames,
			itemText(in.ExpressionAttributeValues), aws.ToInt32(in.Limit), itemText(in.ExclusiveStartKey))
	case *dynamodb.TransactWriteItemsInput:
		out := "transaction"
		for _, w := range in.TransactItems {
			switch {
			case w.Put != nil:
				out += "\n  put " + itemText(w.Put.Item) + " " + aws.ToString(w.Put.ConditionExpression)
			case w.Update != nil:
				out += "\n  update " + itemText(w.Update.Key) + " " + aws.ToString(w.Update.UpdateExpression) +
					" if " + aws.ToString(w.Update.ConditionExpression)
			case w.Delete != nil:
				out += "\n  delete " + itemText(w.Delete.Key) + " " + aws.ToString(w.Delete.ConditionExpression)
			case w.ConditionCheck != nil:
				out += "\n  check " + itemText(w.ConditionCheck.Key) + " " + aws.ToString(w.ConditionCheck.ConditionExpression)
			}
		}
		return out
	}
	return fmt.Sprintf("%T %+v", input, input)
}

func s(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }
func n(v any) types.AttributeValue       { return &types.AttributeValueMemberN{Value: fmt.Sprint(v)} }

type attributes = map[string]types.AttributeValue

func key(pk, sk string) attributes { return attributes{"PK": s(pk), "SK": s(sk)} }

// generator makes operations of all kinds on few items with few attributes, so that they meet.
type generator struct {
	*rand.Rand
	table string
}

// expressions are the expressions of one call, with the placeholders that they use.
type expressions struct {
	condition, update *string
	names             map[string]string
	values            attributes
}

func (g *generator) key() attributes {
	return key(fmt.Sprint("p", g.IntN(2)), fmt.Sprint("s", g.IntN(5)))
}

func (g *generator) value() types.AttributeValue {
	switch g.IntN(9) {
	case 0, 1:
		return s([]string{"", "a", "ab", "b", "ü"}[g.IntN(5)])
	case 2, 3, 4:
		return n([]any{0, 1, 2, -3, 10, "1.50", "1e2"}[g.IntN(7)])
	case 5:
		return &types.AttributeValueMemberSS{Value: [][]string{{"a"}, {"a", "b"}, {"c"}}[g.IntN(3)]}
	case 6:
		return &types.AttributeValueMemberBOOL{Value: g.IntN(2) == 0}
	case 7:
		return &types.AttributeValueMemberM{Value: attributes{"x": n(g.IntN(3)), "y": s("in")}}
	}
	return &types.AttributeValueMemberL{Value: []types.AttributeValue{n(1), s("two")}}
}

func (g *generator) item() attributes {
	out := g.key()
	for _, name := range []string{"aa", "bb", "cc", "mm", "state"} {
		if g.IntN(2) == 0 {
			out[name] = g.value()
		}
	}
	if g.IntN(3) == 0 {
		out["mm"] = &types.AttributeValueMemberM{
			Value: attributes{"x": n(g.IntN(3)), "deep": &types.AttributeValueMemberM{Value: attributes{"y": s("z")}}},
		}
	}
	return out
}

// path writes a path, at times through placeholders, and now and then a reserved word.
func (g *generator) path(e *expressions) string {
	switch g.IntN(12) {
	case 0:
		return "mm.x"
	case 1:
		return "mm.deep.y"
	case 2:
		e.names["#m"] = "mm"
		return "#m.x"
	case 3, 4:
		e.names["#state"] = "state"
		return "#state"
	case 5:
		return "ll[1]"
	case 6:
		if g.IntN(10) == 0 {
			return "state"
		}
	}
	return []string{"aa", "bb", "cc", "mm", "aa", "bb", "cc", "PK"}[g.IntN(8)]
}

func (g *generator) operand(e *expressions) string {
	switch g.IntN(4) {
	case 0:
		return g.path(e)
	case 1:
		return "size(" + g.path(e) + ")"
	}
	return g.placeholder(e, g.value())
}

func (g *generator) placeholder(e *expressions, v types.AttributeValue) string {
	name := fmt.Sprint(":v", len(e.values))
	e.values[name] = v
	return name
}

func (g *generator) predicate(e *expressions, depth int) string {
	if depth > 0 && g.IntN(2) == 0 {
		a, b := g.predicate(e, depth-1), g.predicate(e, depth-1)
		switch g.IntN(4) {
		case 0:
			return "NOT " + a
		case 1:
			return "(" + a + " OR " + b + ")"
		case 2:
			return a + " AND " + b
		}
		return a + " OR " + b
	}
	switch g.IntN(8) {
	case 0:
		return "attribute_exists(" + g.path(e) + ")"
	case 1:
		return "attribute_not_exists(" + g.path(e) + ")"
	case 2:
		return "begins_with(" + g.path(e) + ", " + g.placeholder(e, s("a")) + ")"
	case 3:
		return "contains(" + g.path(e) + ", " + g.placeholder(e, s("a")) + ")"
	case 4:
		return g.path(e) + " BETWEEN " + g.placeholder(e, n(0)) + " AND " + g.placeholder(e, n(2))
	case 5:
		return g.path(e) + " IN (" + g.placeholder(e, n(1)) + ", " + g.placeholder(e, s("ab")) + ")"
	}
	return g.path(e) + " " + []string{"=", "<>", "<", "<=", ">", ">="}[g.IntN(6)] + " " + g.operand(e)
}

func (g *generator) expressions(update bool) expressions {
	e := expressions{names: map[string]string{}, values: attributes{}}
	if g.IntN(3) > 0 {
		e.condition = aws.String(g.predicate(&e, 2))
	}
	if update {
		e.update = aws.String(g.updates(&e))
	}
	if g.IntN(40) == 0 {
		e.values[":unused"] = n(1)
	}
	if len(e.names) == 0 {
		e.names = nil
	}
	if len(e.values) == 0 {
		e.values = nil
	}
	return e
}

func (g *generator) updates(e *expressions) string {
	var clauses []string
	if g.IntN(4) > 0 {
		clauses = append(clauses, "SET "+g.set(e))
		if g.IntN(2) == 0 {
			clauses[0] += ", " + g.set(e)
		}
	}
	if g.IntN(3) == 0 {
		clauses = append(clauses, "REMOVE "+g.path(e))
	}
	if g.IntN(3) == 0 {
		clauses = append(
			clauses,
			"ADD "+g.path(
				e,
			)+" "+g.placeholder(
				e,
				[]types.AttributeValue{n(1), n("2.5"), &types.AttributeValueMemberSS{Value: []string{"z"}}}[g.IntN(3)],
			),
		)
	}
	if g.IntN(6) == 0 {
		clauses = append(
			clauses,
			"DELETE "+g.path(e)+" "+g.placeholder(e, &types.AttributeValueMemberSS{Value: []string{"a"}}),
		)
	}
	if len(clauses) == 0 {
		clauses = append(clauses, "SET cc = "+g.placeholder(e, n(1)))
	}
	return strings.Join(clauses, " ")
}

func (g *generator) set(e *expressions) string {
	to := g.path(e)
	switch g.IntN(5) {
	case 0:
		return to + " = " + g.path(e)
	case 1:
		return to + " = if_not_exists(" + g.path(e) + ", " + g.placeholder(e, g.value()) + ")"
	case 2:
		return to + " = if_not_exists(" + g.path(e) + ", " + g.placeholder(e, n(5)) + ") + " + g.placeholder(e, n(1))
	case 3:
		return to + " = " + g.path(e) + " - " + g.placeholder(e, n(1))
	}
	return to + " = " + g.placeholder(e, g.value())
}

func (g *generator) returnOld() types.ReturnValuesOnConditionCheckFailure {
	if g.IntN(2) == 0 {
		return types.ReturnValuesOnConditionCheckFailureAllOld
	}
	return types.ReturnValuesOnConditionCheckFailureNone
}

func (g *generator) returnValues() types.ReturnValue {
	return []types.ReturnValue{
		types.ReturnValueAllNew, types.ReturnValueAllOld, types.ReturnValueUpdatedNew, types.ReturnValueUpdatedOld,
		types.ReturnValueNone,
	}[g.IntN(5)]
}

func (g *generator) write() types.TransactWriteItem {
	switch g.IntN(5) {
	case 0:
		e := g.expressions(false)
		return types.TransactWriteItem{Put: &types.Put{TableName: &g.table, Item: g.item(), ConditionExpression: e.condition,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
			ReturnValuesOnConditionCheckFailure: g.returnOld()}}
	case 1:
		e := g.expressions(false)
		return types.TransactWriteItem{
			Delete: &types.Delete{TableName: &g.table, Key: g.key(), ConditionExpression: e.condition,
				ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
				ReturnValuesOnConditionCheckFailure: g.returnOld()},
		}
	case 2:
		e := expressions{names: map[string]string{}, values: attributes{}}
		e.condition = aws.String(g.predicate(&e, 1))
		if len(e.names) == 0 {
			e.names = nil
		}
		if len(e.values) == 0 {
			e.values = nil
		}
		return types.TransactWriteItem{
			ConditionCheck: &types.ConditionCheck{TableName: &g.table, Key: g.key(), ConditionExpression: e.condition,
				ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
				ReturnValuesOnConditionCheckFailure: g.returnOld()},
		}
	}
	e := g.expressions(true)
	return types.TransactWriteItem{
		Update: &types.Update{TableName: &g.table, Key: g.key(), ConditionExpression: e.condition, UpdateExpression: e.update,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
			ReturnValuesOnConditionCheckFailure: g.returnOld()},
	}
}

func keyOf(w types.TransactWriteItem) attributes {
	switch {
	case w.Put != nil:
		return attributes{"PK": w.Put.Item["PK"], "SK": w.Put.Item["SK"]}
	case w.Update != nil:
		return w.Update.Key
	case w.Delete != nil:
		return w.Delete.Key
	}
	return w.ConditionCheck.Key
}

func (g *generator) query() *dynamodb.QueryInput {
	in := &dynamodb.QueryInput{
		TableName:                 &g.table,
		ExpressionAttributeValues: attributes{":pk": s(fmt.Sprint("p", g.IntN(2)))},
	}
	in.KeyConditionExpression = aws.String("PK = :pk" + []string{
		"", " AND SK = :sk", " AND SK > :sk", " AND SK <= :sk", " AND begins_with(SK, :sk)", " AND SK BETWEEN :sk AND :to",
	}[g.IntN(6)])
	if strings.Contains(*in.KeyConditionExpression, ":sk") {
		in.ExpressionAttributeValues[":sk"] = s(fmt.Sprint("s", []any{"", 1, 3}[g.IntN(3)]))
	}
	if strings.Contains(*in.KeyConditionExpression, ":to") {
		in.ExpressionAttributeValues[":to"] = s("s4")
	}
	if g.IntN(3) == 0 {
		in.FilterExpression = aws.String("attribute_exists(aa)")
	}
	if g.IntN(3) == 0 {
		in.ProjectionExpression = aws.String("SK, aa, mm.x")
	}
	if g.IntN(2) == 0 {
		in.Limit = aws.Int32(int32(1 + g.IntN(3)))
	}
	if g.IntN(2) == 0 {
		in.ScanIndexForward = aws.Bool(false)
	}
	return in
}

func (g *generator) operation() any {
	switch g.IntN(10) {
	case 0, 1:
		e := g.expressions(false)
		return &dynamodb.PutItemInput{
			TableName:                           &g.table,
			Item:                                g.item(),
			ConditionExpression:                 e.condition,
			ExpressionAttributeNames:            e.names,
			ExpressionAttributeValues:           e.values,
			ReturnValues:                        types.ReturnValueAllOld,
			ReturnValuesOnConditionCheckFailure: g.returnOld(),
		}
	case 2, 3, 4:
		e := g.expressions(true)
		return &dynamodb.UpdateItemInput{
			TableName:                           &g.table,
			Key:                                 g.key(),
			ConditionExpression:                 e.condition,
			UpdateExpression:                    e.update,
			ExpressionAttributeNames:            e.names,
			ExpressionAttributeValues:           e.values,
			ReturnValuesOnConditionCheckFailure: g.returnOld(),
			ReturnValues:                        g.returnValues(),
		}
	case 5:
		e := g.expressions(false)
		return &dynamodb.DeleteItemInput{
			TableName:                           &g.table,
			Key:                                 g.key(),
			ConditionExpression:                 e.condition,
			ExpressionAttributeNames:            e.names,
			ExpressionAttributeValues:           e.values,
			ReturnValues:                        types.ReturnValueAllOld,
			ReturnValuesOnConditionCheckFailure: g.returnOld(),
		}
	case 6:
		return g.query()
	case 7:
		var keys []map[string]types.AttributeValue
		for range 1 + g.IntN(4) {
			keys = append(keys, g.key())
		}
		return &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{g.table: {Keys: keys}}}
	}
	var writes []types.TransactWriteItem
	seen := map[string]bool{}
	for range 1 + g.IntN(3) {
		w := g.write()
		if at := itemText(keyOf(w)); !seen[at] { // two of one item are tried by themselves
			seen[at] = true
			writes = append(writes, w)
		}
	}
	return &dynamodb.TransactWriteItemsInput{TransactItems: writes}
}

// What an update removes from a map is nothing new, so that the rest of the map is not returned with UPDATED_NEW.
func TestUpdatedNewLeavesOutWhatWasRemoved(t *testing.T) {
	p := newPair(t)
	item := map[string]types.AttributeValue{
		"PK": s("p0"), "SK": s("s1"), "aa": s("q"),
		"mm": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"x": s("1"), "y": s("2")}},
	}
	for update, want := range map[string]string{
		"REMOVE mm.x": "{}", "REMOVE mm.x, aa": "{}", "REMOVE mm.x SET aa = mm.y": `{aa:"2"}`,
	} {
		p.same(t, &dynamodb.PutItemInput{TableName: &p.table, Item: item})
		got := p.same(t, &dynamodb.UpdateItemInput{
			TableName: &p.table, Key: map[string]types.AttributeValue{"PK": s("p0"), "SK": s("s1")},
			UpdateExpression: &update, ReturnValues: types.ReturnValueUpdatedNew,
		})
		if got != want {
			t.Errorf("%s returns %s, want %s", update, got, want)
		}
	}
}

// The fake answers as DynamoDB Local does, over generated operations: what is returned, which conditions hold, what of
// a transaction fails, what is refused. CONTRACT_SEED says which operations, CONTRACT_STEPS how many.
func TestFakeAnswersAsDynamoDBLocal(t *testing.T) {
	p := newPair(t)
	seed := uint64(number(t, "CONTRACT_SEED", 1))
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0)), table: p.table}
	outcomes := map[string]int{}
	for range number(t, "CONTRACT_STEPS", 600) {
		input := g.operation()
		out := p.same(t, input)
		kind, _, _ := strings.Cut(out, " ")
		if strings.HasPrefix(kind, "{") || strings.HasPrefix(kind, "[") {
			kind = "item"
		}
		outcomes[kind]++
		if t.Failed() {
			t.Fatalf("seed %d: %v", seed, outcomes)
		}
	}
	p.same(t, &dynamodb.ScanInput{TableName: &p.table})
	for _, kind := range []string{"item", "written", "condition", "cancelled", "ValidationException"} {
		if outcomes[kind] < 10 {
			t.Errorf("only %d of the operations ended with %q: %v", outcomes[kind], kind, outcomes)
		}
	}
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	var n int
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
