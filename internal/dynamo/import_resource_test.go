package dynamo_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/resource"
	"useraccounts/internal/transfer"
)

func resourceHeadings() []any {
	return append(headings(), "Create Resource", "Resource", "Resource group", "Manager", "Job title")
}

func resourceRow(name string, more ...any) []any {
	return append(append(personRow(name), true), more...)
}

// resourceService is the service of resources as its function has it.
func (f *fixture) resourceService() *resource.Service {
	resources, _ := f.resourceServices(f.table)
	resources.UsageFinders = []resource.UsageFinder{dynamo.Resources{Table: f.table}}
	return resources
}

func (f *fixture) createResource(t *testing.T, code string) resource.Resource {
	t.Helper()
	r, err := f.resourceService().Create(t.Context(), f.currentScope(t), resourcePatch(map[string]any{"code": code}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// visibleResources returns what a reader of env sees of resources, as code=account's username/manager/job title, page
// by page.
func (f *fixture) visibleResources(t *testing.T, env environment.Environment, between func()) []string {
	t.Helper()
	var out []string
	for after := ""; ; between() {
		page, next, err := dynamo.Resources{Table: f.table}.Page(t.Context(), env, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			out = append(out, fmt.Sprintf("%s=%s/%s/%s", r.Code, r.AccountID, r.Manager, r.JobTitle))
		}
		if after = next; next == "" {
			return out
		}
	}
}

// dump returns everything in the table that an import which came to nothing must leave as it was: all but jobs, the
// head's counters, and how often a resource was named, which may only rise.
func (f *fixture) dump(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	var from map[string]types.AttributeValue
	for {
		got, err := f.table.Client.Scan(t.Context(),
			&dynamodb.ScanInput{TableName: &f.table.Name, ConsistentRead: aws.Bool(true), ExclusiveStartKey: from})
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range got.Items {
			pk, sk := it["PK"].(*types.AttributeValueMemberS).Value, it["SK"].(*types.AttributeValueMemberS).Value
			if strings.HasPrefix(pk, "J#") || strings.HasPrefix(pk, "E#") {
				continue
			}
			delete(it, "named")
			out[pk+" "+sk] = textOfValue(&types.AttributeValueMemberM{Value: it})
		}
		if from = got.LastEvaluatedKey; from == nil {
			return out
		}
	}
}

func textOfValue(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberM:
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(v.Value)) {
			b.WriteString(name + ":" + textOfValue(v.Value[name]) + " ")
		}
		return "{" + b.String() + "}"
	case *types.AttributeValueMemberL:
		var b strings.Builder
		for _, e := range v.Value {
			b.WriteString(textOfValue(e) + ",")
		}
		return "[" + b.String() + "]"
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	}
	return fmt.Sprint(reflect.Indirect(reflect.ValueOf(v)))
}

func assertUnchanged(t *testing.T, name string, before, after map[string]string) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if after[key] != before[key] {
			t.Errorf("%s: %s\nwas %s\nis  %s", name, key, before[key], after[key])
		}
	}
	for key := range after {
		if _, there := before[key]; !there {
			t.Errorf("%s: %s is left over: %s", name, key, after[key])
		}
	}
}

// createPeople is the people whom the imports below are about: keep has the resource KEEP, p and q have emails to swap.
func (f *fixture) createPeople(t *testing.T) {
	t.Helper()
	for _, name := range []string{"keep", "p", "q"} {
		f.create(t, name, nil)
	}
	keep, _, _ := f.store.Page(t.Context(), f.currentScope(t).Env, "kee", 1)
	_, staff := f.resourceServices(f.table)
	if _, err := staff.Create(t.Context(), f.currentScope(t), keep[0].ID,
		map[string]any{"code": "KEEP", "resourceGroup": "STAFF"}); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) email(t *testing.T, key string) string {
	t.Helper()
	found, err := dynamo.Directory{Accounts: f.store, Environments: f.environments}.AccountsByUsername(t.Context(),
		f.currentScope(t).Env, 0, []string{key})
	if err != nil {
		t.Fatal(err)
	}
	return found[0].Account.Email
}

// fullImport is a file in which everything happens: a resource that was nobody's is taken over, one is changed, some
// are made with codes and with numbers, managers are named before and after they are made and in a circle, and two swap
// their emails.
func (f *fixture) fullImport(t *testing.T, tag string) [][]any {
	t.Helper()
	return [][]any{
		resourceHeadings(),
		resourceRow(tag+"1", tag+"A", "STAFF", tag+"B", tag),
		resourceRow(tag+"2", nil, "STAFF", "KEEP", tag),
		{"keep", nil, nil, nil, nil, nil, nil, nil, tag + "B", tag},
		resourceRow(tag+"3", tag+"B", "STAFF", tag+"A", tag),
		{"p", nil, nil, f.email(t, "q")},
		{"q", nil, nil, f.email(t, "p")},
		resourceRow(tag+"4", nil, "STAFF", tag+"A", tag),
		resourceRow(tag+"5", "FREE"+tag, nil, "KEEP", tag),
	}
}

// assertImported fails the test unless all of everything is there, and linked both ways.
func (f *fixture) assertImported(t *testing.T, tag string, emails [2]string) {
	t.Helper()
	sc := f.currentScope(t)
	codes := map[string]string{}
	for i, want := range []string{tag + "B", "KEEP", tag + "A", tag + "A", "KEEP"} {
		key := fmt.Sprintf("%s%d", strings.ToLower(tag), i+1)
		page, _, err := f.store.Page(t.Context(), sc.Env, key[:len(key)-1]+string(key[len(key)-1]-1)+"~", 1)
		if err != nil || len(page) != 1 || page[0].DirectoryKey() != key {
			t.Fatalf("%s is not there: %v %v", key, page, err)
		}
		r, err := f.resourceService().Get(t.Context(), sc, page[0].Resource)
		if err != nil || r.AccountID != page[0].ID || r.Manager != want || r.JobTitle != tag ||
			r.Description != "Person "+tag+fmt.Sprint(i+1) {
			t.Fatalf("%s: %+v %v, manager want %s", key, r, err, want)
		}
		if codes[r.Code] != "" {
			t.Fatalf("%s has the code of %s", key, codes[r.Code])
		}
		codes[r.Code] = key
	}
	if r, err := f.resourceService().Get(t.Context(), sc, "KEEP"); err != nil || r.Manager != tag+"B" ||
		r.JobTitle != tag {
		t.Fatalf("KEEP: %+v %v", r, err)
	}
	if f.email(t, "p") != emails[1] || f.email(t, "q") != emails[0] {
		t.Fatalf("%s: p has %s, q has %s", tag, f.email(t, "p"), f.email(t, "q"))
	}
	for i, key := range []string{"q", "p"} {
		if leads, err := f.find(t.Context(), emails[i]); err != nil || leads != key {
			t.Fatalf("%s leads to %q (%v), want %q", emails[i], leads, err, key)
		}
	}
}

// V73, V74: an import with resources and emails that change hands, killed at any write, before or after it arrives, is
// by the next delivery all there; until then nobody sees anything of it.
func TestImportWithResourcesKilledAtEveryWrite(t *testing.T) {
	f := newFixture(t)
	f.createPeople(t)
	dry := &crash{}
	for at := 0; at == 0 || at <= dry.writes; at += everyNth() {
		for _, after := range []bool{false, true} {
			c := dry
			if at > 0 {
				c = &crash{at: at, after: after}
			} else if after {
				continue
			}
			tag := fmt.Sprintf("k%d%v", at, after)[:3] + fmt.Sprint(after)[:1] + fmt.Sprint(at)
			f.createResource(t, "FREE"+tag)
			emails := [2]string{f.email(t, "p"), f.email(t, "q")}
			people, resources := f.usernames(t), f.visibleResources(t, f.currentScope(t).Env, func() {})
			j := f.submit(t, transfer.Options{}, f.fullImport(t, tag)...)
			if err := f.workerOn(t, c).Run(t.Context(), env, j.ID); (err == nil) != (at == 0) {
				t.Fatalf("%s: %v", tag, err)
			}
			if committed := f.job(t, j.ID).State == transfer.Done; !committed {
				if is := f.usernames(t); !slices.Equal(is, people) {
					t.Fatalf("%s: a reader sees %v", tag, is)
				}
				if is := f.visibleResources(t, f.currentScope(t).Env, func() {}); !slices.Equal(is, resources) {
					t.Fatalf("%s: a reader sees %v", tag, is)
				}
				if f.email(t, "p") != emails[0] || f.email(t, "q") != emails[1] {
					t.Fatalf("%s: a reader sees the emails swapped", tag)
				}
				for i, key := range []string{"p", "q"} {
					if leads, err := f.find(t.Context(), emails[i]); err != nil || leads != key {
						t.Fatalf("%s: %s leads to %q (%v) meanwhile", tag, emails[i], leads, err)
					}
				}
			}
			got := f.finish(t, j, transfer.Done)
			if want := (transfer.Counts{Rows: 8, Created: 5, Updated: 3}); got.Counts != want || got.Restarts != 0 {
				t.Fatalf("%s: %+v, %d restarts", tag, got.Counts, got.Restarts)
			}
			f.assertImported(t, tag, emails)
		}
	}
	if dry.writes < 6 {
		t.Errorf("%d writes only: the import did not do what it was to", dry.writes)
	}
}

// V73: such an import, cancelled before its commit and killed at any write of taking it back, leaves nothing of itself.
func TestImportWithResourcesTakenBack(t *testing.T) {
	f := newFixture(t)
	f.createPeople(t)
	f.createResource(t, "FREEtb")
	before := f.dump(t)
	for at := 1; ; at += everyNth() {
		j := f.submit(t, transfer.Options{}, f.fullImport(t, "tb")...)
		// taken, checking, begun, numbered, staged, committed
		if err := f.workerOn(t, &crash{at: 6}).Run(t.Context(), env, j.ID); err == nil {
			t.Fatal("the import was not stopped before its commit")
		}
		if is := f.job(t, j.ID); is.NextRow != 8 || is.State != transfer.Writing {
			t.Fatalf("staged up to %d, %s", is.NextRow, is.State)
		}
		if err := f.jobStore.SetFlag(t.Context(), j, transfer.FlagCancelRequested); err != nil {
			t.Fatal(err)
		}
		c := &crash{at: at, after: at%2 == 0}
		died := f.workerOn(t, c).Run(t.Context(), env, j.ID) != nil
		f.finish(t, j, transfer.Cancelled)
		assertUnchanged(t, fmt.Sprintf("killed at %d", at), before, f.dump(t))
		if t.Failed() || !died && !c.dead {
			return
		}
	}
}

// V74: who walks resources with an older snapshot sees nothing of an import that commits between pages.
func TestAWalkNeverSeesPartOfTheResources(t *testing.T) {
	f := newFixture(t)
	f.createPeople(t)
	f.createResource(t, "FREEw")
	j := f.submit(t, transfer.Options{}, f.fullImport(t, "w")...)
	if err := f.workerOn(t, &crash{at: 6}).Run(t.Context(), env, j.ID); err == nil {
		t.Fatal("not stopped")
	}
	old := f.currentScope(t).Env
	before := f.visibleResources(t, old, func() {})
	committed := false
	got := f.visibleResources(t, old, func() {
		if !committed {
			committed = true
			f.finish(t, j, transfer.Done)
		}
	})
	if !committed || !slices.Equal(got, before) {
		t.Errorf("%v\nbefore %v", got, before)
	}
	if now := f.visibleResources(t, f.currentScope(t).Env, func() {}); len(now) != len(before)+4 {
		t.Errorf("afterwards %v", now)
	}
	// The mutant: a head read after the page judges a page by imports that came to count since.
	if blind := f.visibleResources(t, environment.Environment{ID: env, Imports: environment.Snapshot{Last: 1 << 40}},
		func() {}); len(blind) == len(before) {
		t.Error("the mutant lives")
	}
}

// V62: a person's edit of a resource that an import has staged counts at once and survives; the import starts again on
// it.
func TestAnEditOfAStagedResourceSurvives(t *testing.T) {
	f := newFixture(t)
	f.createPeople(t)
	f.createResource(t, "FREEe")
	emails := [2]string{f.email(t, "p"), f.email(t, "q")}
	j := f.submit(t, transfer.Options{}, f.fullImport(t, "e")...)
	if err := f.workerOn(t, &crash{at: 6}).Run(t.Context(), env, j.ID); err == nil {
		t.Fatal("not stopped")
	}
	keep, err := f.resourceService().Get(t.Context(), f.currentScope(t), "KEEP")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.resourceService().Change(t.Context(), f.currentScope(t), "KEEP", keep.Version,
		map[string]any{"firstName": "Theirs"}, false); err != nil {
		t.Fatal(err)
	}
	if ended := f.finish(t, j, transfer.Done); ended.Restarts != 1 {
		t.Errorf("%d restarts", ended.Restarts)
	}
	f.assertImported(t, "e", emails)
	if is, _ := f.resourceService().Get(t.Context(), f.currentScope(t), "KEEP"); is.FirstName != "Theirs" ||
		is.Version != keep.Version+2 {
		t.Errorf("%+v", is)
	}
}

// V62: who changes the email of an account that a staged import hands on has their change; the import does not count
// with it.
func TestAnEditOfAnEmailThatChangesHands(t *testing.T) {
	for _, who := range []string{"p", "q"} {
		f := newFixture(t)
		f.createPeople(t)
		swap := [][]any{headings(), {"p", nil, nil, "q@example.com"}, {"q", nil, nil, "p@example.com"}}
		j := f.staged(t, swap...)
		page, _, _ := f.store.Page(t.Context(), f.currentScope(t).Env, "k~", 3)
		a := page[slices.IndexFunc(page, func(a account.Account) bool { return a.Username == who })]
		if _, err := f.accounts.Change(t.Context(), f.currentScope(t), a.ID, 1,
			map[string]any{"email": "theirs@example.com"}); err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		other := map[string]string{"p": "q", "q": "p"}[who]
		for identifier, want := range map[string]string{
			"theirs@example.com":   who,
			who + "@example.com":   "",
			other + "@example.com": other,
		} {
			if key, err := f.find(t.Context(), identifier); err != nil || key != want {
				t.Errorf("meanwhile %s leads to %q (%v), want %q", identifier, key, err, want)
			}
		}
		f.finish(t, j, transfer.Done)
		for identifier, want := range map[string]string{
			"theirs@example.com": "",
			"p@example.com":      "q",
			"q@example.com":      "p",
		} {
			if key, err := f.find(t.Context(), identifier); err != nil || key != want {
				t.Errorf("%s: %s leads to %q (%v), want %q", who, identifier, key, err, want)
			}
		}
	}
}

// A resource that a staged import names as manager is not deleted under it, and one that an import made a manager is in
// use.
func TestAManagerOfAStagedResourceStays(t *testing.T) {
	f := newFixture(t)
	f.createResource(t, "M")
	rows := [][]any{resourceHeadings(), resourceRow("a", "A", "STAFF", "M"), resourceRow("b", "B", "STAFF", "A"),
		resourceRow("c", nil, "STAFF", "M")}
	j := f.submit(t, transfer.Options{}, rows...)
	if err := f.workerOn(t, &crash{at: 6}).Run(t.Context(), env, j.ID); err == nil {
		t.Fatal("not stopped")
	}
	for _, stage := range []string{"staged", "committed"} {
		if err := f.resourceService().Delete(t.Context(), f.currentScope(t), "M", 0); !fault.HasCode(err, "inUse") {
			t.Errorf("%s: %v", stage, err)
		}
		f.finish(t, j, transfer.Done)
	}
	for code, want := range map[string]int64{"M": 2, "A": 1, "B": 0} {
		if r, err := f.resourceService().Get(t.Context(), f.currentScope(t), code); err != nil ||
			r.Stored.ReferenceCount != want {
			t.Errorf("%s was named %d times (%v), want %d", code, r.Stored.ReferenceCount, err, want)
		}
	}
}

// Numbers of an import and of people who make resources meanwhile never collide; those taken by hand are passed over.
func TestNumbersOfAnImportNeverCollide(t *testing.T) {
	f := newFixture(t)
	f.createResource(t, "3")
	rows := [][]any{resourceHeadings()}
	for i := range 6 {
		rows = append(rows, resourceRow(fmt.Sprintf("n%d", i), nil, "STAFF"))
	}
	jobs := []transfer.Job{f.submit(t, transfer.Options{}, rows...)}
	for i := 1; i < len(rows); i++ {
		rows[i] = resourceRow(fmt.Sprintf("m%d", i), nil, "STAFF")
	}
	jobs = append(jobs, f.submit(t, transfer.Options{}, rows...))
	scope := f.currentScope(t)
	for _, err := range repeatInParallel(6, func(i int) error {
		if i < 2 {
			return f.worker().Run(t.Context(), env, jobs[i].ID)
		}
		_, err := f.resourceService().Create(t.Context(), scope, resourcePatch(nil))
		return err
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	for _, j := range jobs {
		if is := f.job(t, j.ID); is.State != transfer.Done {
			t.Errorf("%s: %+v", is.State, is.Problem)
		}
	}
	if seen := f.visibleResources(t, f.currentScope(t).Env, func() {}); len(seen) != 1+12+4 {
		t.Errorf("%d: %v", len(seen), seen)
	}
}

// V75: a worker that lost its job takes no numbers.
func TestAWorkerOfAnEarlierEpochTakesNoNumbers(t *testing.T) {
	f := newFixture(t)
	j := f.submit(t, transfer.Options{}, headings(), personRow("one"))
	old, err := f.jobStore.Claim(t.Context(), env, j.ID)
	if err != nil {
		t.Fatal(err)
	}
	imports := dynamo.Imports{Jobs: f.jobStore, Accounts: f.store, Environments: f.environments}
	if old, err = imports.Begin(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if _, err := f.jobStore.Claim(t.Context(), env, j.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := imports.ReserveNumbers(t.Context(), old, 5); !errors.Is(err, transfer.ErrSuperseded) {
		t.Errorf("%v", err)
	}
	if made, err := f.resourceService().Create(t.Context(), f.currentScope(t), resourcePatch(nil)); err != nil ||
		made.Code != "1" {
		t.Errorf("%q %v", made.Code, err)
	}
}
