package dynamo_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/access"
	"useraccounts/internal/directory"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// copyRows puts copies of one account's row into the directory, count of them, each changed in what name and change
// say.
func (f *fixture) copyRows(t testing.TB, of string, count int, username func(i int) string,
	change func(i int, row, image map[string]types.AttributeValue)) {
	t.Helper()
	at := func(sk string) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "D#" + env},
			"SK": &types.AttributeValueMemberS{Value: sk}}
	}
	got, err := f.table.Client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &f.table.Name, Key: at(of)})
	if err != nil || got.Item == nil {
		t.Fatalf("%s: %v", of, err)
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for start := worker * 25; start < count; start += 100 {
				var batch []types.WriteRequest
				for i := start; i < min(start+25, count); i++ {
					row, image := maps.Clone(got.Item), maps.Clone(got.Item["v"].(*types.AttributeValueMemberM).Value)
					maps.Copy(row, at(username(i)))
					row["id"] = &types.AttributeValueMemberS{Value: token.NewIDString()}
					image["username"] = &types.AttributeValueMemberS{Value: username(i)}
					row["v"] = &types.AttributeValueMemberM{Value: image}
					change(i, row, image)
					batch = append(batch, types.WriteRequest{PutRequest: &types.PutRequest{Item: row}})
				}
				for request := map[string][]types.WriteRequest{f.table.Name: batch}; len(request) > 0; {
					out, err := f.table.Client.BatchWriteItem(context.Background(),
						&dynamodb.BatchWriteItemInput{RequestItems: request})
					if err != nil {
						t.Error(err)
						return
					}
					request = out.UnprocessedItems
				}
			}
		})
	}
	wg.Wait()
}

func (f *fixture) lister() *directory.Service {
	return &directory.Service{Store: f.store, Now: time.Now}
}

// search returns the usernames that a search finds in pages, and fails if its count is another.
func (f *fixture) search(t *testing.T, filters map[string]string, sort string, limit int) []string {
	t.Helper()
	sc := f.currentScope(t)
	filter, bad := directory.ParseFilter(filters)
	order, wrong := directory.ParseOrder(sort)
	if bad != nil || wrong != nil {
		t.Fatal(bad, wrong)
	}
	q := directory.Query{Filter: filter, Order: order, Limit: limit}
	var out []string
	for {
		page, next, err := f.lister().Search(t.Context(), sc, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page {
			out = append(out, a.Username)
		}
		if next == nil {
			break
		}
		q.After = *next
	}
	if n, err := f.lister().Count(t.Context(), sc, filter); err != nil || n != len(out) {
		t.Errorf("%v: counts %d, %v; lists %d", filters, n, err, len(out))
	}
	return out
}

// A directory of more than one read is searched whole, whatever its usernames: none twice, none left out.
func TestSearchReadsTheWholeDirectory(t *testing.T) {
	f := newFixture(t)
	f.create(t, "model", field.Patch{"mobile": "+44 20 7946 0018"})
	usernames := func(i int) string { return []string{"crowd", "ü", "z"}[i%3] + fmt.Sprintf("%05d", i) }
	const count = 2000
	f.copyRows(t, "model", count, usernames, func(i int, row, image map[string]types.AttributeValue) {
		image["name"] = &types.AttributeValueMemberS{Value: fmt.Sprintf("Nobody %04d", (i*7919)%count)}
		image["active"] = &types.AttributeValueMemberBOOL{Value: i%10 > 0}
		row["tries"] = &types.AttributeValueMemberN{Value: fmt.Sprint(i % 7)}
		delete(image, "accessLocked") // an administrator's block would win
		if i%500 == 1 {
			row["blockedAt"] = &types.AttributeValueMemberS{Value: "2026-01-05T09:00:00.000Z"}
		}
	})
	named := f.search(t, map[string]string{"active": "any", "find": "nobody"}, "name", 500)
	if len(named) != count {
		t.Fatalf("%d of %d", len(named), count)
	}
	for rank, username := range named {
		var i int
		if _, err := fmt.Sscanf(username[len(username)-5:], "%05d", &i); err != nil || (i*7919)%count != rank {
			t.Fatalf("%s has rank %d", username, rank)
		}
	}
	if got := f.search(t, map[string]string{"find": "nobody"}, "username", 500); len(got) != count*9/10 ||
		!slices.IsSorted(got) {
		t.Errorf("%d active ones", len(got))
	}
	if got := f.search(t, map[string]string{"accessLocked": "true", "lockedReason": "too many failed tries"}, "-lockedAt",
		3); len(got) != 4 {
		t.Errorf("blocked by tries: %v", got)
	}
	if got := f.search(t, map[string]string{"failedTries.from": "6", "active": "any"}, "-failedTries",
		200); len(got) != count/7 {
		t.Errorf("%d with six tries", len(got))
	}
}

// What an import writes is found and counted once it is committed, and what it replaces until then.
func TestSearchSeesImportsWholeOrNotAtAll(t *testing.T) {
	f := newFixture(t)
	f.create(t, "known", nil)
	before := f.currentScope(t)
	row := personRow("known")
	row[1] = "Somebody Else"
	j := f.submit(t, transfer.Options{}, headings(), personRow("joiner"), row)
	worker := f.worker()
	if err := worker.Run(t.Context(), env, j.ID); err != nil {
		t.Fatal(err)
	}
	then := f.currentScope(t)
	then.Env.Imports = before.Env.Imports
	for name, c := range map[string]struct {
		text      string
		then, now string
	}{
		"what was replaced":  {"Somebody", "known Somebody", "known Somebody Else"},
		"what replaced it":   {"Somebody Else", "", "known Somebody Else"},
		"who was not there":  {"joiner", "", "joiner"},
		"who has no part":    {"admin", "admin", "admin"},
		"nobody at any time": {"nobody", "", ""},
	} {
		filter, _ := directory.ParseFilter(map[string]string{"find": c.text})
		for want, sc := range map[string]access.Scope{"then " + c.then: then, "now " + c.now: f.currentScope(t)} {
			_, want, _ := strings.Cut(want, " ")
			page, _, err := f.lister().Search(t.Context(), sc, directory.Query{Filter: filter, Limit: 50})
			n, failed := f.lister().Count(t.Context(), sc, filter)
			if err != nil || failed != nil || n != len(page) || (want != "") != (n == 1) {
				t.Fatalf("%s: counts %d, lists %d, %v, %v; want %q", name, n, len(page), err, failed, want)
			}
			if n == 1 && !strings.HasPrefix(page[0].Username+" "+page[0].Name, want) {
				t.Errorf("%s: %s %s, want %s", name, page[0].Username, page[0].Name, want)
			}
		}
	}
}

func TestAScanEndsWithItsContext(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := f.store.Scan(ctx, f.admin.Env, "", []string{"name"}, func([]directory.Row) { t.Error("visited") })
	if err == nil || fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}
