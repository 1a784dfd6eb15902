package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/reference"
	"useraccounts/internal/resource"
	"useraccounts/internal/staffing"
	"useraccounts/internal/token"
)

// resourceServices returns the services of resources over a table.
func (f *fixture) resourceServices(table *dynamo.Table) (*resource.Service, *staffing.Service) {
	store := dynamo.Resources{Table: table}
	resources := &resource.Service{Store: store, Now: time.Now, NewID: token.NewIDString}
	return resources, &staffing.Service{
		Accounts: &account.Service{Store: dynamo.Accounts{Table: table}}, Rules: resources.Rules(), Store: store,
		Now: time.Now, NewID: token.NewIDString,
	}
}

func resourcePatch(more field.Patch) field.Patch {
	p := field.Patch{"description": "Somebody", "resourceGroup": "STAFF"}
	for k, v := range more {
		p[k] = v
	}
	return p
}

// repeatInParallel runs do n times at the same moment and returns the errors.
func repeatInParallel(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	return errs
}

// Numbers of parallel creates never collide, none is lost, and those taken by hand are passed over.
func TestNumbersNeverCollide(t *testing.T) {
	f := newFixture(t)
	resources, _ := f.resourceServices(f.table)
	for _, code := range []string{"2", "５", "6", "7", "19"} {
		if _, err := resources.Create(t.Context(), f.currentScope(t), resourcePatch(field.Patch{"code": code})); err != nil {
			t.Fatal(err)
		}
	}
	scope := f.currentScope(t)
	const n = 16
	codes := make([]string, n)
	for _, err := range repeatInParallel(n, func(i int) error {
		made, err := resources.Create(t.Context(), scope, resourcePatch(nil))
		codes[i] = made.Code
		return err
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	var want []string
	for i := 1; len(want) < n; i++ {
		if !slices.Contains([]int{2, 5, 6, 7, 19}, i) {
			want = append(want, strconv.Itoa(i))
		}
	}
	slices.Sort(codes)
	slices.Sort(want)
	if !slices.Equal(codes, want) {
		t.Errorf("%v, want %v", codes, want)
	}
}

// Where hundreds were taken by hand, the next free one is found all the same; a deleted one's number is not given
// again.
func TestNumbersTakenByHand(t *testing.T) {
	f := newFixture(t)
	resources, _ := f.resourceServices(f.table)
	for i := 1; i <= 205; i++ {
		if _, err := resources.Create(t.Context(), f.currentScope(t),
			resourcePatch(field.Patch{"code": strconv.Itoa(i)})); err != nil {
			t.Fatal(err)
		}
	}
	var last int64
	for _, want := range []string{"206", "207"} {
		made, err := resources.Create(t.Context(), f.currentScope(t), resourcePatch(nil))
		if err != nil || made.Code != want {
			t.Fatalf("%q %v, want %s", made.Code, err, want)
		}
		last = made.Version
	}
	if err := resources.Delete(t.Context(), f.currentScope(t), "207", last); err != nil {
		t.Fatal(err)
	}
	if made, err := resources.Create(t.Context(), f.currentScope(t), resourcePatch(nil)); err != nil ||
		made.Code != "208" {
		t.Errorf("%q %v", made.Code, err)
	}
}

// interruption runs do once, just before the first transaction leaves.
type interruption struct {
	once sync.Once
	do   func()
}

func (o *interruption) client(t *testing.T) *dynamodb.Client {
	t.Helper()
	options := localtest.Services(t).DynamoDBClient().Options()
	options.APIOptions = append(options.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("overtaking", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			if _, transaction := in.Parameters.(*dynamodb.TransactWriteItemsInput); transaction {
				o.once.Do(o.do)
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
	})
	return dynamodb.New(options)
}

// A number that somebody got and deleted while this one was on its way is not given again.
func TestANumberIsNotGivenAgainByALateWrite(t *testing.T) {
	f := newFixture(t)
	resources, _ := f.resourceServices(f.table)
	other := &interruption{do: func() {
		made, err := resources.Create(context.Background(), f.currentScope(t), resourcePatch(nil))
		if err == nil {
			err = resources.Delete(context.Background(), f.currentScope(t), made.Code, made.Version)
		}
		if err != nil || made.Code != "1" {
			t.Errorf("%+v %v", made, err)
		}
	}}
	late, _ := f.resourceServices(&dynamo.Table{Client: other.client(t), Name: f.table.Name})
	if made, err := late.Create(t.Context(), f.currentScope(t), resourcePatch(nil)); err != nil || made.Code != "2" {
		t.Errorf("%+v %v", made, err)
	}
}

// V63 for codes: one of many spellings wins, and the others are told.
func TestOneCodeInManySpellings(t *testing.T) {
	f := newFixture(t)
	resources, _ := f.resourceServices(f.table)
	scope := f.currentScope(t)
	spellings := []string{"Zoë", "ZOË", "zoe\u0308", "ｚｏë", "ZOE\u0308", "zOë"}
	made := 0
	for i, err := range repeatInParallel(len(spellings), func(i int) error {
		_, err := resources.Create(t.Context(), scope, resourcePatch(field.Patch{"code": spellings[i]}))
		return err
	}) {
		switch {
		case err == nil:
			made++
		case !fault.HasCode(err, "taken") || fault.As(err).Fields[0].Field != "code":
			t.Errorf("%s: %v", spellings[i], err)
		}
	}
	if made != 1 {
		t.Errorf("%d were made", made)
	}
}

// One account gets one resource, whoever asks how often, and each names the other.
func TestParallelCreatesForOneAccount(t *testing.T) {
	f := newFixture(t)
	resources, staff := f.resourceServices(f.table)
	owner := f.create(t, "wanted", nil)
	scope := f.currentScope(t)
	made := 0
	for i, err := range repeatInParallel(10, func(i int) error {
		p := resourcePatch(nil)
		if i%2 == 0 {
			p["code"] = fmt.Sprintf("C%d", i)
		}
		_, err := staff.Create(t.Context(), scope, owner.ID, p)
		return err
	}) {
		switch {
		case err == nil:
			made++
		case !fault.HasCode(err, "hasResource") && !fault.HasCode(err, "busy"):
			t.Errorf("%d: %v", i, err)
		}
	}
	all, _, err := resources.List(t.Context(), scope, resource.Filter{}, "", 100)
	if made != 1 || len(all) != 1 || err != nil {
		t.Fatalf("%d made, %+v %v", made, all, err)
	}
	got, err := f.store.Account(t.Context(), scope.Env, owner.ID)
	if err != nil || got.Resource != all[0].Code || all[0].AccountID != owner.ID || got.Version != 2 {
		t.Errorf("account %+v, resource %+v, %v", got, all[0], err)
	}
	events, err := f.store.EventsSince(t.Context(), scope.Env, owner.ID, 1)
	if err != nil || len(events) != 1 ||
		!slices.Equal(events[0].Changes, []field.Diff{{Field: "resource", From: nil, To: got.Resource}}) {
		t.Errorf("%+v %v", events, err)
	}
}

// The link is in both places or in neither, wherever the process dies; a number is not lost by it.
func TestCreateForAnAccountKilledAtEveryWrite(t *testing.T) {
	f := newFixture(t)
	resources, plain := f.resourceServices(f.table)
	next := 1
	for at := 1; ; at++ {
		for _, after := range []bool{false, true} {
			owner := f.create(t, fmt.Sprintf("killed%d%v", at, after), nil)
			c := &crash{at: at, after: after}
			_, staff := f.resourceServices(&dynamo.Table{Client: c.client(t), Name: f.table.Name})
			_, died := staff.Create(t.Context(), f.currentScope(t), owner.ID, resourcePatch(nil))
			if died != nil && !errors.Is(died, errProcessDied) {
				t.Fatal(died)
			}
			got, err := f.store.Account(t.Context(), f.currentScope(t).Env, owner.ID)
			if err != nil {
				t.Fatal(err)
			}
			whole := died == nil || after
			if (got.Resource != "") != whole {
				t.Errorf("write %d, %v: the account has %q", at, after, got.Resource)
			}
			if whole {
				linked, err := resources.Get(t.Context(), f.currentScope(t), strconv.Itoa(next))
				if err != nil || linked.AccountID != owner.ID || got.Resource != linked.Code {
					t.Errorf("write %d, %v: %+v, %v", at, after, linked, err)
				}
			} else if made,
				err := plain.Create(t.Context(), f.currentScope(t), owner.ID, resourcePatch(nil)); err != nil ||
				made.Code != strconv.Itoa(next) {
				t.Errorf("write %d, %v: again: %+v, %v", at, after, made, err)
			}
			next++
			if died == nil {
				return // past the last write
			}
		}
	}
}

// V58: another environment's resources, of the same codes, are neither seen nor in the way.
func TestResourcesOfAnotherEnvironment(t *testing.T) {
	f := newFixture(t)
	resources, _ := f.resourceServices(f.table)
	if _, err := resources.Create(t.Context(), f.currentScope(t), resourcePatch(field.Patch{"code": "JD"})); err != nil {
		t.Fatal(err)
	}
	elsewhere := f.currentScope(t)
	elsewhere.Env.ID = "other"
	if _, err := resources.Get(t.Context(), elsewhere, "JD"); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	if found, _, err := resources.List(t.Context(), elsewhere, resource.Filter{}, "", 10); len(found) > 0 || err != nil {
		t.Errorf("%+v %v", found, err)
	}
	for _, code := range []string{"JD", ""} {
		if made, err := resources.Create(t.Context(), elsewhere, resourcePatch(field.Patch{"code": code})); err != nil ||
			code == "" && made.Code != "1" {
			t.Errorf("%+v %v", made, err)
		}
	}
}

// A resource cannot go while somebody names it, however the two meet.
func TestDeleteAgainstNaming(t *testing.T) {
	f := newFixture(t)
	resources, _ := f.resourceServices(f.table)
	for round := range 8 {
		boss, report := fmt.Sprintf("B%d", round), fmt.Sprintf("R%d", round)
		if _, err := resources.Create(t.Context(), f.currentScope(t), resourcePatch(field.Patch{"code": boss})); err != nil {
			t.Fatal(err)
		}
		scope := f.currentScope(t)
		errs := repeatInParallel(2, func(i int) error {
			if i == 0 {
				return resources.Delete(t.Context(), scope, boss, 1)
			}
			_, err := resources.Create(t.Context(), scope, resourcePatch(field.Patch{"code": report, "manager": boss}))
			return err
		})
		_, there := resources.Get(t.Context(), scope, boss)
		got, named := resources.Get(t.Context(), scope, report)
		switch {
		case errs[0] == nil && (there == nil || named == nil):
			t.Errorf("deleted, but %v and %+v", there, got)
		case errs[0] != nil && (there != nil || named != nil || got.Manager != boss):
			t.Errorf("not deleted (%v), but %v and %+v %v", errs[0], there, got, named)
		}
	}
}

// What reference data a resource holds is known to those who change it, and what they changed meanwhile stops a write.
func TestResourcesHoldReferenceData(t *testing.T) {
	f := newFixture(t)
	resources, _ := f.resourceServices(f.table)
	if _, err := resources.Create(t.Context(), f.currentScope(t),
		resourcePatch(field.Patch{"code": "JD", "department": "FIN"})); err != nil {
		t.Fatal(err)
	}
	holders := dynamo.Resources{Table: f.table}
	for kind, want := range map[catalogue.Kind]string{
		catalogue.ResourceGroup: "STAFF", catalogue.Department: "FIN", catalogue.CostCentre: "100",
		catalogue.PaymentMethod: "FP", catalogue.PaymentTerms: "1",
	} {
		seen := 0
		if err := holders.VisitHolders(t.Context(), f.currentScope(t).Env, kind, func(h reference.Holder) {
			seen++
			if h.Type != "resource" || h.ID != "JD" || !slices.Equal(h.Codes[kind], []string{want}) {
				t.Errorf("%s: %+v", kind, h)
			}
		}); err != nil || seen != 1 {
			t.Errorf("%s: %d, %v", kind, seen, err)
		}
	}
	if err := holders.VisitHolders(t.Context(), f.currentScope(t).Env, catalogue.Role,
		func(h reference.Holder) { t.Errorf("%+v", h) }); err != nil {
		t.Error(err)
	}

	judged := f.currentScope(t)
	known, err := f.environments.Catalogue(t.Context(), judged.Env)
	if err != nil {
		t.Fatal(err)
	}
	judged.Catalogue = known
	entries := &reference.Service{Store: dynamo.NewReference(f.table), HolderSources: []reference.HolderSource{holders},
		Now: time.Now, NewID: token.NewIDString}
	if err := entries.Delete(t.Context(), judged,
		reference.Ref{Kind: catalogue.Department, Code: "FIN", Version: 1}); !fault.HasCode(err, "inUse") {
		t.Errorf("%v", err)
	}
	if err := entries.Delete(t.Context(), judged,
		reference.Ref{Kind: catalogue.CostCentre, Code: "200", Version: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := resources.Create(t.Context(), judged,
		resourcePatch(field.Patch{"costCentre": "200", "department": "FIN"})); !fault.HasCode(err, "rulesChanged") {
		t.Errorf("a code that is gone was given: %v", err)
	}
	if err := resources.Delete(t.Context(), judged, "JD", 0); !fault.HasCode(err, "rulesChanged") {
		t.Errorf("deleted by reference data of before: %v", err)
	}
}

// What changed since is found in the environment's log, or in the account's where the resource has one; the account's
// own events stay the account's.
func TestResourceEvents(t *testing.T) {
	f := newFixture(t)
	resources, staff := f.resourceServices(f.table)
	owner := f.create(t, "logged", nil)
	if _, err := staff.Create(t.Context(), f.currentScope(t), owner.ID,
		resourcePatch(field.Patch{"code": "LINKED"})); err != nil {
		t.Fatal(err)
	}
	if _, err := resources.Create(t.Context(), f.currentScope(t),
		resourcePatch(field.Patch{"code": "LOOSE"})); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"LINKED", "LOOSE"} {
		made, err := resources.Get(t.Context(), f.currentScope(t), code)
		if err != nil {
			t.Fatal(err)
		}
		for changes, p := range []field.Patch{{"company": "A"}, {"jobTitle": "B"}, {"suffix": "C"}} {
			if _, err := resources.Change(t.Context(), f.currentScope(t), code, made.Version+int64(changes), p,
				false); err != nil {
				t.Fatal(err)
			}
		}
		_, err = resources.Change(t.Context(), f.currentScope(t), code, made.Version+1, field.Patch{"company": "Z"}, false)
		e := fault.As(err)
		if e == nil || e.Kind != fault.Stale || len(e.Fields) != 2 || e.Fields[0].Field != "jobTitle" ||
			e.Fields[1].Field != "suffix" || e.Fields[1].By != "admin" {
			t.Errorf("%s: %+v", code, err)
		}
	}
	events, err := f.store.EventsSince(t.Context(), f.currentScope(t).Env, owner.ID, 1)
	if err != nil || len(events) != 1 || events[0].Subject != "" {
		t.Errorf("the account's: %+v %v", events, err)
	}
	log, _, err := dynamo.EnvironmentLog{Table: f.table}.Events(t.Context(), env, "", 50)
	if err != nil {
		t.Fatal(err)
	}
	log = slices.DeleteFunc(log, func(e auditlog.Event) bool { return e.Subject != "resource/LOOSE" })
	if len(log) != 4 || log[3].Kind != auditlog.Created ||
		slices.ContainsFunc(log, func(e auditlog.Event) bool { return e.Kind == "" }) {
		t.Errorf("%+v", log)
	}
}

// A resource that an import wrote is unseen until the import counts: the one before it, or none.
func TestResourcesReadThroughTheSnapshot(t *testing.T) {
	f := newFixture(t)
	resources, _ := f.resourceServices(f.table)
	for _, code := range []string{"A", "B", "C"} {
		if _, err := resources.Create(t.Context(), f.currentScope(t),
			resourcePatch(field.Patch{"code": code, "company": "Before"})); err != nil {
			t.Fatal(err)
		}
	}
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	number := func(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }
	image := func(code string) types.AttributeValue {
		return &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"code": text(code), "company": text("After"), "version": number("2"),
			"active": &types.AttributeValueMemberBOOL{Value: true},
		}}
	}
	do := func(in *dynamodb.UpdateItemInput) {
		t.Helper()
		in.TableName = &f.table.Name
		if _, err := f.table.Client.UpdateItem(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	stage, pend := "SET was = v, v = :v, imp = :import", "SET lastImport = :import, pending.#n = :job"
	for _, code := range []string{"a", "b"} {
		do(&dynamodb.UpdateItemInput{
			Key: map[string]types.AttributeValue{"PK": text("R#" + env), "SK": text(code)}, UpdateExpression: &stage,
			ExpressionAttributeValues: map[string]types.AttributeValue{":v": image(code), ":import": number("1")},
		})
	}
	fresh := "SET v = :v, imp = :import"
	do(&dynamodb.UpdateItemInput{
		Key: map[string]types.AttributeValue{"PK": text("R#" + env), "SK": text("aa")}, UpdateExpression: &fresh,
		ExpressionAttributeValues: map[string]types.AttributeValue{":v": image("AA"), ":import": number("1")},
	})
	head := map[string]types.AttributeValue{"PK": text("E#" + env), "SK": text("HEAD")}
	job := &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}
	do(&dynamodb.UpdateItemInput{
		Key: head, UpdateExpression: &pend, ExpressionAttributeNames: map[string]string{"#n": "1"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":import": number("1"), ":job": job},
	})
	old := f.currentScope(t)
	seen := func() (out []string) {
		t.Helper()
		found, _, err := resources.List(t.Context(), old, resource.Filter{}, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range found {
			out = append(out, r.Code+" "+r.Company)
		}
		return out
	}
	before := []string{"A Before", "B Before", "C Before"}
	if got := seen(); !slices.Equal(got, before) {
		t.Errorf("pending: %v", got)
	}
	if _, err := resources.Get(t.Context(), old, "AA"); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	// An edit overtakes what was staged, and the import is told.
	got, err := resources.Change(t.Context(), old, "A", 0, field.Patch{"suffix": "X"}, false)
	if err != nil || got.Company != "Before" {
		t.Fatalf("%+v %v", got, err)
	}
	out, err := f.table.Client.GetItem(context.Background(), &dynamodb.GetItemInput{TableName: &f.table.Name, Key: head})
	if err != nil {
		t.Fatal(err)
	}
	pending := out.Item["pending"].(*types.AttributeValueMemberM).Value["1"].(*types.AttributeValueMemberM).Value
	if by, ok := pending["doomedBy"].(*types.AttributeValueMemberS); !ok || by.Value != "admin" {
		t.Errorf("the import is not told: %v", pending)
	}
	commit := "REMOVE pending.#n"
	do(&dynamodb.UpdateItemInput{Key: head, UpdateExpression: &commit,
		ExpressionAttributeNames: map[string]string{"#n": "1"}})
	if got := seen(); !slices.Equal(got, before) {
		t.Errorf("an old snapshot sees %v", got)
	}
	if got, err := resources.Get(t.Context(), old, "B"); err != nil || got.Company != "After" {
		t.Errorf("a reader of one item: %+v %v", got, err)
	}
	old = f.currentScope(t)
	if got := seen(); !slices.Equal(got, []string{"A Before", "AA After", "b After", "C Before"}) {
		t.Errorf("committed: %v", got)
	}
}
