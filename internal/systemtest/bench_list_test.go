package systemtest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// searches are queries of the list that have to look at every account.
var searches = []struct{ name, query string }{
	{"sort by name", "sort=name"},
	{"sort by last login, descending", "sort=-lastLogin"},
	{"find that few match", "find=person 0049"},
	{"filter that none matches", "email.contains=nobody&dateTo.from=2026-01-01"},
	{"filter and sort", "userType=FULL&roles=VIEWER&sort=-email"},
}

// barePage is how many rows of the crowd a bare read asks for: a little less than a page of 1 MB holds. Without a limit
// DynamoDB Local goes through all the rest of the partition for each page, which the service itself does not.
const barePage = 1000

// BenchmarkSearch holds lists that are filtered or sorted, whole as the function answers them, against bare queries of
// the whole directory, one page after another.
func BenchmarkSearch(b *testing.B) {
	for _, size := range []int{5000, 100000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			c := startBenchSystem(b)
			createAccounts(b, c, size)
			times := 40
			if size > 5000 {
				times = 3
			}
			table := open(b, c.system.TableName())
			env := c.system.Resources.Values.Parameters["EnvironmentId"]
			floor := func() { readBare(b, table.Client, table.Name, env) }
			floor()
			s := timings{}
			s.measure("first home", func() { c.invoke("accounts", c.event("overview.json")) })
			for b.Loop() {
				for range times {
					for _, one := range searches {
						s.measure(one.name, func() { c.invoke("accounts", c.query(one.query)) })
					}
					s.measure("floor", floor)
					s.measure("home", func() { c.invoke("accounts", c.event("overview.json")) })
					s.measure("in order", func() { c.invoke("accounts", c.event("accounts-list.json")) })
					s.measure("first rows", func() { firstRows(b, table.Client, table.Name, env) })
				}
			}
			report(b, figure{name: fmt.Sprintf("50 of %d in username order", size), unit: "ms", ours: s.ms("in order"),
				floor: s.ms("first rows"), against: "a bare Query of the first 51"})
			report(b, figure{name: fmt.Sprintf("overview of %d, counted anew", size), unit: "ms", ours: s.ms("first home"),
				floor: s.ms("floor"), against: "bare reading of all, page by page"})
			report(b, figure{name: fmt.Sprintf("overview of %d, counted lately", size), unit: "ms", ours: s.ms("home"),
				floor: s.ms("in order"), against: "the first page of the list"})
			for _, one := range searches {
				what := fmt.Sprintf("%s, 50 of %d", one.name, size)
				f := figure{name: what, unit: "ms", ours: s.ms(one.name), floor: s.ms("floor"),
					against: "bare reading of all, page by page"}
				report(b, f)
				if size == 5000 {
					report(b, figure{name: what + ", p95", unit: "ms", ours: s.p95(one.name), floor: s.p95("floor"),
						against: "the same, p95", aim: "≤ 300 ms"})
				}
			}
			if peak := c.peakMemory("accounts"); peak > 0 {
				report(b, figure{name: fmt.Sprintf("peak memory of the function, lists of %d", size), unit: "MB", ours: peak,
					aim: "≤ 200 MB"})
			}
		})
	}
}

// p95 is the time in milliseconds that 95 of 100 stay below.
func (s timings) p95(name string) float64 {
	of := slices.Sorted(slices.Values(s[name]))
	return float64(of[(len(of)*95-1)/100].Microseconds()) / 1000
}

// query is the sample of a list with another query.
func (c *benchClient) query(raw string) []byte {
	c.Helper()
	raw = strings.ReplaceAll(raw, " ", "%20")
	return []byte(
		strings.Replace(string(c.event("accounts-list.json")), `"rawQueryString": "limit=50"`,
			`"rawQueryString": "limit=50&`+raw+`"`, 1))
}

// createAccounts puts so many accounts into the directory: copies of the row of one that has all that people usually
// have.
func createAccounts(b *testing.B, c *benchClient, count int) {
	b.Helper()
	c.call("POST", "/api/accounts", map[string]any{
		"username": "model", "name": "Somebody With A Name", "email": "model@example.com", "mobile": "+44 20 7946 0018",
		"userType": "FULL",
		"roles":    []string{"EDITOR", "VIEWER"}, "groups": []string{"STAFF"}, "dateTo": "2031-12-31",
	}, 201)
	client, table, env := open(b, c.system.TableName()).Client, c.system.TableName(),
		c.system.Resources.Values.Parameters["EnvironmentId"]
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	got, err := client.GetItem(b.Context(),
		&dynamodb.GetItemInput{TableName: &table,
			Key: map[string]types.AttributeValue{"PK": text("D#" + env), "SK": text("model")}})
	must(b, err)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for start := worker * 25; start < count; start += 100 {
				batch := make([]types.WriteRequest, 25)
				for i := range batch {
					row, image := maps.Clone(got.Item), maps.Clone(got.Item["v"].(*types.AttributeValueMemberM).Value)
					username := fmt.Sprintf("person%06d", start+i)
					row["SK"], row["v"], row["lastLogin"] = text(username), &types.AttributeValueMemberM{Value: image},
						text(fmt.Sprintf("2026-01-01T00:00:%02d.%03dZ", i%60, (start+i)%1000))
					image["username"], image["email"], image["name"] = text(username), text(username+"@example.com"),
						text(fmt.Sprintf("Person %06d", (start+i)*7919%count))
					batch[i] = types.WriteRequest{PutRequest: &types.PutRequest{Item: row}}
				}
				for request := map[string][]types.WriteRequest{table: batch}; len(request) > 0; {
					out, err := client.BatchWriteItem(context.Background(), &dynamodb.BatchWriteItemInput{RequestItems: request})
					if err != nil {
						b.Error(err)
						return
					}
					request = out.UnprocessedItems
				}
			}
		})
	}
	all.Wait()
}

// bareQuery asks for the directory's rows in username order.
func bareQuery(table, env string, limit int32) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName: &table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("PK = :pk"), Limit: &limit,
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": &types.AttributeValueMemberS{Value: "D#" + env}},
	}
}

// firstRows reads as many rows as a page of the list needs, with nothing of ours around it.
func firstRows(b *testing.B, client *dynamodb.Client, table, env string) {
	b.Helper()
	_, err := client.Query(b.Context(), bareQuery(table, env, 51))
	must(b, err)
}

// readBare reads the whole directory with nothing of ours around it.
func readBare(b *testing.B, client *dynamodb.Client, table, env string) {
	b.Helper()
	in := bareQuery(table, env, barePage)
	for {
		out, err := client.Query(b.Context(), in)
		if must(b, err); len(out.LastEvaluatedKey) == 0 {
			return
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}
