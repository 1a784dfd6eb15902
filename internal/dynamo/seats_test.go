package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/reference"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// setSeats gives a licence a number of seats.
func (f *fixture) setSeats(t *testing.T, licence string, n int64) {
	t.Helper()
	scope := f.scopeWithCachedCatalogue(t)
	entry, _ := scope.Catalogue.Find(catalogue.Licence, licence)
	entries := &reference.Service{Store: dynamo.NewReference(f.table), Now: time.Now, NewID: token.NewIDString}
	ref := reference.Ref{Kind: catalogue.Licence, Code: licence, Version: entry.Version}
	if _, err := entries.Change(t.Context(), scope, ref, field.Patch{"seats": n}); err != nil {
		t.Fatal(err)
	}
}

// scopeWithCachedCatalogue returns the administrator's scope with the reference data as they are now.
func (f *fixture) scopeWithCachedCatalogue(t *testing.T) access.Scope {
	t.Helper()
	scope := f.currentScope(t)
	known, err := f.environments.Catalogue(t.Context(), scope.Env)
	if err != nil {
		t.Fatal(err)
	}
	scope.Catalogue = known
	return scope
}

// assertSeats fails the test unless the seats in use are these, and what the accounts say.
func (f *fixture) assertSeats(t *testing.T, name string, want map[string]int64) {
	t.Helper()
	used, err := f.store.Seats(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(used, func(_ string, n int64) bool { return n == 0 })
	found, _, err := f.store.Page(t.Context(), f.currentScope(t).Env, "", 10000)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]int64{}
	for _, a := range found {
		if a.Active {
			said[catalogue.Fold(a.UserType)]++
		}
	}
	if !maps.Equal(used, said) || (want != nil && !maps.Equal(used, want)) {
		t.Errorf("%s: counted %v, the accounts say %v, want %v", name, used, said, want)
	}
}

func assertNoSeat(t *testing.T, name string, err error, says ...string) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Kind != fault.Conflict || f.Code != "seats" {
		t.Errorf("%s: %v", name, err)
		return
	}
	for _, s := range says {
		if !strings.Contains(f.Detail, s) {
			t.Errorf("%s: %q does not say %q", name, f.Detail, s)
		}
	}
}

// Every way to take a seat counts, holds the number, and changes nothing without one; every way to give one back does.
func TestSeatsAreCountedAndHeld(t *testing.T) {
	f := newFixture(t)
	one, two := f.create(t, "one", field.Patch{"userType": "TEAM"}), f.create(t, "two", field.Patch{"userType": "team"})
	f.assertSeats(t, "without a number they are counted too", map[string]int64{"full": 1, "team": 2})
	f.setSeats(t, "TEAM", 2)
	_, err := f.accounts.Create(t.Context(), f.scopeWithCachedCatalogue(t),
		field.Patch{"username": "three", "name": "T", "email": "three@example.com", "userType": "TEAM"})
	assertNoSeat(t, "create", err, "TEAM", "2 accounts", "2 are in use")
	if key, _ := f.find(t.Context(), "three@example.com"); key != "" {
		t.Error("half an account is there")
	}
	full := f.create(t, "full", nil)
	_, err = f.accounts.Change(t.Context(), f.scopeWithCachedCatalogue(t), full.ID, 0, field.Patch{"userType": "TEAM"})
	assertNoSeat(t, "licence", err)
	if one, err = f.accounts.Lock(t.Context(), f.scopeWithCachedCatalogue(t), one.ID, 0); err != nil {
		t.Fatal(err)
	}
	f.assertSeats(t, "lock", map[string]int64{"full": 2, "team": 1})
	if _, err := f.accounts.Lock(t.Context(), f.scopeWithCachedCatalogue(t), one.ID, 0); err != nil {
		t.Fatal(err)
	}
	f.assertSeats(t, "a second lock", map[string]int64{"full": 2, "team": 1})
	if full, err = f.accounts.Change(t.Context(), f.scopeWithCachedCatalogue(t), full.ID, 0,
		field.Patch{"userType": "TEAM"}); err != nil {
		t.Fatal(err)
	}
	f.assertSeats(t, "licence", map[string]int64{"full": 1, "team": 2})
	_, err = f.accounts.Unlock(t.Context(), f.scopeWithCachedCatalogue(t), one.ID, 0)
	assertNoSeat(t, "unlock", err)
	if _, err := f.accounts.Change(t.Context(), f.scopeWithCachedCatalogue(t), one.ID, 0,
		field.Patch{"userType": "FULL"}); err != nil {
		t.Fatal(err)
	}
	f.assertSeats(t, "a locked one's licence", map[string]int64{"full": 1, "team": 2})
	if err := f.accounts.Delete(t.Context(), f.scopeWithCachedCatalogue(t), two.ID, 0); err != nil {
		t.Fatal(err)
	}
	f.assertSeats(t, "delete", map[string]int64{"full": 1, "team": 1})
	if _, err := f.accounts.Unlock(t.Context(), f.scopeWithCachedCatalogue(t), one.ID, 0); err != nil {
		t.Fatal(err)
	}
	f.assertSeats(t, "unlock", map[string]int64{"full": 2, "team": 1})
	// A rename moves nobody's seat, and fewer seats than are in use take none away.
	f.setSeats(t, "TEAM", 1)
	f.setSeats(t, "FULL", 1)
	if _, err := f.accounts.Change(t.Context(), f.scopeWithCachedCatalogue(t), full.ID, 0,
		field.Patch{"username": "renamed"}); err != nil {
		t.Error(err)
	}
	if _, err := f.accounts.Block(t.Context(), f.scopeWithCachedCatalogue(t), one.ID, 0, "x"); err != nil {
		t.Error(err)
	}
	f.assertSeats(t, "other changes", map[string]int64{"full": 2, "team": 1})
}

// Of 50 creates at once exactly as many get through as there are seats, and none waits in vain.
func TestParallelCreatesTakeEachSeatOnce(t *testing.T) {
	f := newFixture(t)
	const creates, seats = 50, 20
	f.setSeats(t, "TEAM", seats)
	scope := f.scopeWithCachedCatalogue(t)
	var made, refused atomic.Int64
	var group sync.WaitGroup
	for i := range creates {
		group.Go(func() {
			_, err := f.accounts.Create(t.Context(), scope, field.Patch{
				"username": fmt.Sprintf("p%02d", i), "name": "P", "email": fmt.Sprintf("p%02d@example.com", i), "userType": "TEAM"})
			switch {
			case err == nil:
				made.Add(1)
			case fault.HasCode(err, "seats"):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if made.Load() != seats || refused.Load() != creates-seats {
		t.Errorf("%d made, %d refused", made.Load(), refused.Load())
	}
	f.assertSeats(t, "parallel creates", map[string]int64{"full": 1, "team": seats})
}

// Writes that were judged before a number of seats was set fail after it (their catalogue is an old one).
func TestASeatIsNotTakenByAnOldNumber(t *testing.T) {
	f := newFixture(t)
	before := f.scopeWithCachedCatalogue(t)
	f.create(t, "one", field.Patch{"userType": "TEAM"})
	locked := f.create(t, "locked", field.Patch{"userType": "TEAM"})
	if _, err := f.accounts.Lock(t.Context(), before, locked.ID, 0); err != nil {
		t.Fatal(err)
	}
	f.setSeats(t, "TEAM", 1)
	if _, err := f.accounts.Unlock(t.Context(), before, locked.ID, 0); !fault.HasCode(err, "rulesChanged") {
		t.Errorf("%v", err)
	}
	_, err := f.accounts.Create(t.Context(), before,
		field.Patch{"username": "two", "name": "T", "email": "two@example.com", "userType": "TEAM"})
	if !fault.HasCode(err, "rulesChanged") {
		t.Errorf("%v", err)
	}
	f.assertSeats(t, "an old number", map[string]int64{"full": 1, "team": 1})
}

func licenceRow(name, licence string) []any {
	return []any{name, "Person " + name, licence, name + "@example.com"}
}

func basicHeadings() []any { return []any{"Username", "Description", "User licenses", "Email"} }

// An import counts as a whole: rows that give a seat back make room for rows that take one, and one too many refuses
// all, Skip errors or not.
func TestAnImportHoldsTheSeatsAsAWhole(t *testing.T) {
	f := newFixture(t)
	f.create(t, "leaves", field.Patch{"userType": "TEAM"})
	f.create(t, "stays", field.Patch{"userType": "TEAM"})
	f.setSeats(t, "TEAM", 3)
	run := func(o transfer.Options, rows ...[]any) transfer.Job {
		t.Helper()
		j := f.submit(t, o, append([][]any{basicHeadings()}, rows...)...)
		if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
			t.Fatal(err)
		}
		return f.job(t, j.ID)
	}
	for _, skip := range []bool{false, true} {
		got := run(transfer.Options{SkipErrors: skip}, licenceRow("in1", "TEAM"), licenceRow("in2", "TEAM"),
			licenceRow("other", "FULL"))
		if got.State != transfer.Refused || got.Problem.Code != "seats" || len(got.Problem.Fields) != 1 ||
			!strings.Contains(got.Problem.Detail,
				"TEAM allows 3 accounts; 2 are in use and this file would add 2, which is 1 too many") || got.Counts.Created != 0 {
			t.Errorf("%s %+v %+v", got.State, got.Problem, got.Counts)
		}
		f.assertSeats(t, "refused", map[string]int64{"full": 1, "team": 2})
	}
	got := run(transfer.Options{}, licenceRow("in1", "TEAM"), licenceRow("in2", "TEAM"), []any{"leaves", nil, "FULL"})
	if got.State != transfer.Done {
		t.Fatalf("%s %+v", got.State, got.Problem)
	}
	f.assertSeats(t, "done", map[string]int64{"full": 2, "team": 3})
	if got := run(transfer.Options{}, licenceRow("in1", "TEAM"),
		licenceRow("other", "CUSTOM")); got.State != transfer.Done || got.Counts.Unchanged != 1 {
		t.Errorf("%s %+v", got.State, got.Counts)
	}
	f.assertSeats(t, "one unchanged", map[string]int64{"full": 2, "team": 3, "custom": 1})
}

// A seat that somebody takes between the check and the commit: the commit fails, and the import is judged anew.
func TestAnImportWhoseSeatIsTakenMeanwhileIsRefused(t *testing.T) {
	f := newFixture(t)
	f.setSeats(t, "TEAM", 1)
	j := f.staged(t, basicHeadings(), licenceRow("in1", "TEAM"))
	f.assertSeats(t, "staged rows take no seat", map[string]int64{"full": 1})
	if _, err := f.accounts.Create(t.Context(), f.scopeWithCachedCatalogue(t),
		field.Patch{"username": "quick", "name": "Q", "email": "q@example.com", "userType": "TEAM"}); err != nil {
		t.Fatal(err)
	}
	got := f.finish(t, j, transfer.Refused)
	if got.Problem.Code != "seats" {
		t.Errorf("%+v", got.Problem)
	}
	f.assertSeats(t, "refused", map[string]int64{"full": 1, "team": 1})
}

// The counts are right after an import that a later worker ends, that is cancelled, or under which an account was
// edited.
func TestSeatsSurviveWhatBefallsAnImport(t *testing.T) {
	f := newFixture(t)
	keep := f.create(t, "keep", field.Patch{"userType": "TEAM"})
	rows := func(tag, keeps string) [][]any {
		return [][]any{basicHeadings(), licenceRow(tag+"1", "TEAM"), licenceRow(tag+"2", "CUSTOM"), {"keep", nil, keeps}}
	}
	j := f.staged(t, rows("a", "TRANS")...)
	f.cancel(t, j)
	f.assertSeats(t, "cancelled", map[string]int64{"full": 1, "team": 1})

	j = f.staged(t, rows("b", "TRANS")...)
	if _, err := f.accounts.Lock(t.Context(), f.scopeWithCachedCatalogue(t), keep.ID, 0); err != nil {
		t.Fatal(err)
	}
	f.assertSeats(t, "locked while staged", map[string]int64{"full": 1})
	f.finish(t, j, transfer.Done)
	f.assertSeats(t, "run again without that seat", map[string]int64{"full": 1, "team": 1, "custom": 1})

	if _, err := f.accounts.Unlock(t.Context(), f.scopeWithCachedCatalogue(t), keep.ID, 0); err != nil {
		t.Fatal(err)
	}
	f.assertSeats(t, "unlocked under another licence", map[string]int64{"full": 1, "team": 1, "custom": 1, "trans": 1})
	f.finish(t, f.staged(t, rows("c", "TEAM")...), transfer.Done)
	f.assertSeats(t, "ended by a later worker", map[string]int64{"full": 1, "team": 3, "custom": 2})
}

// Killed at every write, an import takes each seat once.
func TestSeatsOfAnImportKilledAtEveryWrite(t *testing.T) {
	f := newFixture(t)
	f.create(t, "keep", nil)
	for at := 1; ; at++ {
		c := &crash{at: at, after: at%2 == 0}
		j := f.submit(t, transfer.Options{}, basicHeadings(), licenceRow(fmt.Sprintf("k%02d", at), "TEAM"),
			[]any{"keep", nil, []string{"TRANS", "FULL"}[at%2]})
		err := f.workerOn(t, c).Run(t.Context(), env, j.ID)
		f.assertSeats(t, fmt.Sprintf("killed at %d", at), nil)
		f.finish(t, j, transfer.Done)
		f.assertSeats(t, fmt.Sprintf("ended after %d", at), nil)
		if err == nil {
			return
		}
		if !errors.Is(err, errProcessDied) {
			t.Fatal(err)
		}
	}
}

// afterQuery runs something once, when the first page of a query was read.
type afterQuery struct {
	once sync.Once
	do   func()
}

func (a *afterQuery) client(t *testing.T) *dynamodb.Client {
	t.Helper()
	o := localtest.Services(t).DynamoDBClient().Options()
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(
			middleware.InitializeMiddlewareFunc("afterQuery",
				func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
					middleware.InitializeOutput, middleware.Metadata, error,
				) {
					out, md, err := next.HandleInitialize(ctx, in)
					if _, ok := in.Parameters.(*dynamodb.QueryInput); ok {
						a.once.Do(a.do)
					}
					return out, md, err
				}), middleware.Before)
	})
	return dynamodb.New(o)
}

// miscount spoils the count of a licence's seats.
func (f *fixture) miscount(t *testing.T, licence string, used int) {
	t.Helper()
	for n := range 8 {
		_, err := f.table.Client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &f.table.Name, Key: map[string]types.AttributeValue{
				"PK": &types.AttributeValueMemberS{Value: "E#" + env},
				"SK": &types.AttributeValueMemberS{Value: fmt.Sprintf("CODES#%d", n)},
			},
			UpdateExpression: aws.String("SET #seat = :used"), ConditionExpression: aws.String("attribute_exists(#seat)"),
			ExpressionAttributeNames: map[string]string{"#seat": "seat:" + licence},
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":used": &types.AttributeValueMemberN{Value: fmt.Sprint(used)}},
		})
		var elsewhere *types.ConditionalCheckFailedException
		if err != nil && !errors.As(err, &elsewhere) {
			t.Fatal(err)
		}
	}
}

// Data that was written without counting is counted, also while others write.
func TestRecountSeats(t *testing.T) {
	f := newFixture(t)
	for i := range 5 {
		f.create(t, fmt.Sprintf("old%d", i), field.Patch{"userType": "TEAM"})
	}
	for n := range 8 {
		_, err := f.table.Client.DeleteItem(t.Context(),
			&dynamodb.DeleteItemInput{TableName: &f.table.Name, Key: map[string]types.AttributeValue{
				"PK": &types.AttributeValueMemberS{Value: "E#" + env},
				"SK": &types.AttributeValueMemberS{Value: fmt.Sprintf("CODES#%d", n)},
			}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if used, err := f.store.Seats(t.Context(), env); err != nil || len(used) != 0 {
		t.Fatalf("%v %v", used, err)
	}
	// One is made after the accounts were counted, before the count is written: the first time, and where it is counted
	// already.
	for i, name := range []string{"first", "second"} {
		meanwhile := &afterQuery{do: func() { f.create(t, name, field.Patch{"userType": "TEAM"}) }}
		recounting := dynamo.Accounts{Table: &dynamo.Table{Client: meanwhile.client(t), Name: f.table.Name}}
		for range 2 {
			if err := recounting.RecountSeats(t.Context(), env); err != nil {
				t.Fatal(err)
			}
			f.assertSeats(t, "recounted", map[string]int64{"full": 1, "team": 6 + int64(i)})
		}
		f.miscount(t, "team", 99)
	}
	if err := f.store.RecountSeats(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	if _, err := f.accounts.Lock(t.Context(), f.scopeWithCachedCatalogue(t),
		f.create(t, "gone", field.Patch{"userType": "CUSTOM"}).ID, 0); err != nil {
		t.Fatal(err)
	}
	f.assertSeats(t, "afterwards", map[string]int64{"full": 1, "team": 7})
}
