package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/transfer"
)

// mirror sends each call to DynamoDB Local and to the fake, and records where the answers differ.
type mirror struct {
	mu          sync.Mutex
	fake        *fakeTable
	calls       map[string]int
	differences []string
}

func (w *mirror) client(t *testing.T) *dynamodb.Client {
	o := localtest.Services(t).DynamoDBClient().Options()
	o.APIOptions = append(slices.Clone(o.APIOptions), func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("mirror", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			want, wanted := w.fake.answer(in.Parameters)
			out, md, err := next.HandleInitialize(ctx, in)
			w.calls[fmt.Sprintf("%T", in.Parameters)]++
			if is, should := textOfAnswer(want, wanted), textOfAnswer(out.Result, err); is != should {
				w.differences = append(w.differences, fmt.Sprintf("%T: memory %s\nDynamoDB Local %s", in.Parameters, is, should))
			}
			return out, md, err
		}), middleware.Before)
	})
	return dynamodb.New(o)
}

// textOfAnswer is an answer as a text.
func textOfAnswer(result any, err error) string {
	var (
		cancelled *types.TransactionCanceledException
		failed    *types.ConditionalCheckFailedException
	)
	switch {
	case errors.As(err, &cancelled):
		out := "cancelled"
		for _, r := range cancelled.CancellationReasons {
			out += " " + *r.Code + textOfItem(r.Item)
		}
		return out
	case errors.As(err, &failed):
		return "condition " + textOfItem(failed.Item)
	case err != nil:
		return "error"
	}
	switch out := result.(type) {
	case *dynamodb.GetItemOutput:
		return textOfItem(out.Item)
	case *dynamodb.UpdateItemOutput:
		return textOfItem(out.Attributes)
	case *dynamodb.QueryOutput:
		return textOfItems(out.Items) + " more " + textOfItem(out.LastEvaluatedKey)
	case *dynamodb.BatchGetItemOutput:
		var all []string
		for _, items := range out.Responses {
			for _, it := range items {
				all = append(all, textOfItem(it))
			}
		}
		slices.Sort(all) // they come in any order
		return strings.Join(all, "\n")
	}
	return "done"
}

func textOfItem(it attributes) string {
	if it == nil {
		return ""
	}
	return textOfValue(&types.AttributeValueMemberM{Value: it})
}

func textOfItems(items []map[string]types.AttributeValue) string {
	var b strings.Builder
	for _, it := range items {
		b.WriteString(textOfItem(it) + "\n")
	}
	return b.String()
}

// The table in memory, on which schedules run by the hundred thousand, answers what DynamoDB Local does: over imports
// that are committed, killed, doomed by an edit, cancelled and undone.
func TestMemoryAnswersAsTheTable(t *testing.T) {
	w := &mirror{fake: &fakeTable{items: map[itemKey]attributes{}}, calls: map[string]int{}}
	f := fixtureOn(t, &dynamo.Table{Client: w.client(t), Name: localtest.Table(t)})
	f.createPeople(t)
	f.createResource(t, "FREEa")
	j := f.runImport(t, f.fullImport(t, "a")...)
	u := f.undo(t, j)
	dying := f.worker()
	dying.Staging = uncommitted{dying.Staging}
	if err := dying.Run(t.Context(), env, u.ID); !errors.Is(err, errProcessDied) {
		t.Fatal(err)
	}
	page, _, err := f.store.Page(t.Context(), f.currentScope(t).Env, "o", 1)
	if err != nil || page[0].Username != "p" {
		t.Fatalf("%v %v", page, err)
	}
	if _, err := f.accounts.Change(t.Context(), f.currentScope(t), page[0].ID, 0,
		map[string]any{"email": "other@example.com"}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.accounts.Create(t.Context(), f.currentScope(t),
		map[string]any{"username": "a1", "name": "N", "email": "x@example.com", "userType": "FULL"}); err == nil {
		t.Error("a username was given twice")
	}
	f.touchTab(t, f.admin.Caller.AccountID)
	f.finish(t, u, transfer.Done)
	cancelled := f.submit(t, transfer.Options{}, headings(), personRow("late"),
		[]any{"keep", nil, nil, "keep2@example.com"})
	if err := dying.Run(t.Context(), env, cancelled.ID); !errors.Is(err, errProcessDied) {
		t.Fatal(err)
	}
	f.cancel(t, cancelled)
	for i, differ := range w.differences {
		if t.Errorf("%s", differ); i == 3 {
			t.Fatalf("%d differ", len(w.differences))
		}
	}
	on := *f
	on.table = &dynamo.Table{Client: w.fake.client(), Name: f.table.Name}
	assertUnchanged(t, "memory", f.dump(t), on.dump(t))
	if len(w.calls) < 7 {
		t.Errorf("%v", w.calls)
	}
}

// uncommitted is a worker's store whose process dies before the commit.
type uncommitted struct{ transfer.Staging }

func (uncommitted) Commit(context.Context, transfer.Job, access.Caller, []account.SeatChange) error {
	return errProcessDied
}
