package dynamofake_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// What DynamoDB refuses before it looks at an item, the fake refuses as well.
func TestFakeRefusesWhatDynamoDBRefuses(t *testing.T) {
	p := newPair(t)
	put := func(condition string, item attributes, values attributes) any {
		in := &dynamodb.PutItemInput{TableName: &p.table, Item: item, ExpressionAttributeValues: values}
		if condition != "" {
			in.ConditionExpression = &condition
		}
		return in
	}
	update := func(update string, values attributes) any {
		return &dynamodb.UpdateItemInput{
			TableName: &p.table, Key: key("a", "b"), UpdateExpression: &update, ExpressionAttributeValues: values,
		}
	}
	one, twice := attributes{":v": n(1)}, &types.AttributeValueMemberSS{Value: []string{"x", "x"}}
	for name, c := range map[string]struct {
		input   any
		refused bool
	}{
		"fine":                    {put("attribute_not_exists(aa)", key("a", "b"), nil), false},
		"no sort key":             {put("", attributes{"PK": s("a")}, nil), true},
		"an empty key":            {put("", key("a", ""), nil), true},
		"a key of another type":   {put("", attributes{"PK": n(1), "SK": s("b")}, nil), true},
		"a long sort key":         {put("", key("a", strings.Repeat("x", 1025)), nil), true},
		"an empty set":            {put("", withAttribute(key("a", "b"), &types.AttributeValueMemberSS{}), nil), true},
		"a set with a double":     {put("", withAttribute(key("a", "b"), twice), nil), true},
		"no number":               {put("", withAttribute(key("a", "b"), n("x")), nil), true},
		"an item of 400 kB":       {put("", withAttribute(key("a", "b"), s(strings.Repeat("x", 400<<10))), nil), true},
		"an item just below":      {put("", withAttribute(key("a", "b"), s(strings.Repeat("x", 400<<10-8))), nil), false},
		"an unused value":         {put("attribute_not_exists(zz)", key("c", "d"), one), true},
		"an unknown value":        {put("zz = :v", key("c", "d"), nil), true},
		"an unknown function":     {put("exists(zz)", key("c", "d"), nil), true},
		"a reserved word":         {put("attribute_not_exists(name)", key("c", "d"), nil), true},
		"no condition":            {put("zz", key("c", "d"), nil), true},
		"half a condition":        {put("zz = :v AND", key("c", "d"), one), true},
		"a wrong BETWEEN":         {put("zz BETWEEN :v AND :w", key("c", "d"), attributes{":v": n(2), ":w": n(1)}), true},
		"overlapping paths":       {update("SET mm.x = :v, mm = :v", one), true},
		"one path twice":          {update("SET aa = :v, aa = :v", one), true},
		"a clause twice":          {update("SET aa = :v SET bb = :v", one), true},
		"a key that changes":      {update("SET SK = :v", one), true},
		"nothing to add to":       {update("SET zz = zz + :v", one), true},
		"an addition of a text":   {update("ADD zz :v", attributes{":v": s("x")}), true},
		"a path into nothing":     {update("SET yy.x = :v", one), true},
		"an unknown clause":       {update("UPSERT aa = :v", one), true},
		"a key with more":         {get(p.table, withAttribute(key("a", "b"), n(1))), true},
		"a query without the key": {query(p.table, "SK = :v", attributes{":v": s("x")}, 1), true},
		"a query by OR":           {query(p.table, "PK = :v OR SK = :v", attributes{":v": s("x")}, 1), true},
		"a query without a limit": {query(p.table, "PK = :v", attributes{":v": s("x")}, 0), true},
		"another attribute":       {query(p.table, "PK = :v AND aa = :v", attributes{":v": s("x")}, 1), true},
		"a table that is not":     {get("no-such-table", key("a", "b")), true},
		"101 keys":                {batchGet(p.table, 101), true},
		"100 keys":                {batchGet(p.table, 100), false},
		"26 writes":               {batchWrite(p.table, 26, 0), true},
		"25 writes":               {batchWrite(p.table, 25, 0), false},
		"one item twice":          {batchWrite(p.table, 2, 1), true},
		"a transaction of 101":    {transaction(p.table, 101, 0, 1), true},
		"a transaction of 100":    {transaction(p.table, 100, 0, 1), false},
		"an item twice in one":    {transaction(p.table, 2, 1, 1), true},
		"a transaction of 5 MB":   {transaction(p.table, 50, 0, 100<<10), true},
	} {
		t.Run(name, func(t *testing.T) {
			out := p.same(t, c.input)
			if refused := strings.HasSuffix(out, "Exception"); refused != c.refused {
				t.Errorf("DynamoDB Local says %s", out)
			}
		})
	}
}

func withAttribute(item attributes, v types.AttributeValue) attributes {
	item["aa"] = v
	return item
}

func get(table string, key attributes) any {
	return &dynamodb.GetItemInput{TableName: &table, Key: key}
}

func query(table, condition string, values attributes, limit int32) any {
	return &dynamodb.QueryInput{
		TableName: &table, KeyConditionExpression: &condition, ExpressionAttributeValues: values, Limit: &limit,
	}
}

func batchGet(table string, count int) any {
	keys := make([]map[string]types.AttributeValue, count)
	for i := range keys {
		keys[i] = key("many", fmt.Sprint(i))
	}
	return &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: {Keys: keys}}}
}

// batchWrite writes so many items, the last of them again so many times.
func batchWrite(table string, count, doubles int) any {
	requests := make([]types.WriteRequest, count)
	for i := range requests {
		requests[i].PutRequest = &types.PutRequest{Item: key("many", fmt.Sprint(min(i, count-1-doubles)))}
	}
	return &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: requests}}
}

func transaction(table string, count, doubles, size int) any {
	writes := make([]types.TransactWriteItem, count)
	for i := range writes {
		item := withAttribute(key("many", fmt.Sprint(min(i, count-1-doubles))), s(strings.Repeat("x", size)))
		writes[i].Put = &types.Put{TableName: &table, Item: item}
	}
	return &dynamodb.TransactWriteItemsInput{TransactItems: writes}
}

// Every word of the fake's list is reserved, and what this product calls its attributes without a placeholder is not.
func TestReservedWordsAreThoseOfDynamoDB(t *testing.T) {
	p := newPair(t)
	list, err := os.ReadFile("reserved.txt")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(list))
	if len(words) < 500 {
		t.Fatalf("only %d words", len(words))
	}
	// Reserved by the list, and let through by DynamoDB Local.
	words = slices.DeleteFunc(words, func(word string) bool { return word == "CONVERT" || word == "SIZE" })
	for i, word := range append(words, "epoch", "tries", "refresh", "version") {
		condition := "attribute_not_exists(" + strings.ToLower(word) + ")"
		out := p.same(t, &dynamodb.PutItemInput{TableName: &p.table, Item: key("a", "b"), ConditionExpression: &condition})
		if refused := out == "ValidationException"; refused != (i < len(words)) {
			t.Errorf("%s: %s", word, out)
		}
	}
}

// Pages of queries go on where the one before ended, also when the key there is gone.
func TestPagesGoOnBehindAKeyThatIsGone(t *testing.T) {
	p := newPair(t)
	p.same(t, batchWrite(p.table, 20, 0))
	p.same(t, &dynamodb.DeleteItemInput{TableName: &p.table, Key: key("many", "5")})
	for _, backwards := range []bool{false, true} {
		in := query(p.table, "PK = :v", attributes{":v": s("many")}, 4).(*dynamodb.QueryInput)
		in.ScanIndexForward = aws.Bool(!backwards)
		for _, after := range []string{"5", "0", "9", "19", "99"} {
			in.ExclusiveStartKey = key("many", after)
			p.same(t, in)
		}
	}
}
