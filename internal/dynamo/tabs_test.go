package dynamo_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/accountlog"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/reference"
	"useraccounts/internal/resource"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// tabServices are the services of an account's tabs over a fixture.
type tabServices struct {
	log         *auditlog.Reader
	notes       *account.Notes
	contacts    *account.Contacts
	delegations *account.Delegations
	store       dynamo.Delegations
}

func (f *fixture) tabServices() tabServices {
	editor := account.Editor{Accounts: f.accounts, Now: time.Now, NewID: token.NewIDString}
	timeline, store := accountlog.Store{Table: f.table}, dynamo.Delegations{Table: f.table}
	return tabServices{
		log: &auditlog.Reader{Store: timeline, Now: time.Now}, notes: &account.Notes{Editor: editor, Store: timeline},
		contacts:    &account.Contacts{Editor: editor, Store: dynamo.Contacts{Table: f.table}},
		delegations: &account.Delegations{Editor: editor, Store: store, Resources: store}, store: store,
	}
}

// logLines reads a whole log in pages of two.
func (f *fixture) logLines(t *testing.T, sc access.Scope, a account.Account) []auditlog.Entry {
	t.Helper()
	var out []auditlog.Entry
	var after *auditlog.Position
	for {
		page, err := f.tabServices().log.Page(t.Context(), sc.Env, auditlog.Owner{ID: a.ID, Username: a.Username},
			auditlog.Filter{}, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page.Entries...)
		if after = page.Next; after == nil {
			return out
		}
	}
}

func kindsOf(lines []auditlog.Entry) string {
	var out []string
	for _, l := range lines {
		out = append(out, string(l.Kind))
	}
	return strings.Join(out, " ")
}

// The log of an account's life: every action, its own sign-ins, an import with its row, the creation at the end.
func TestTheLogTellsAnAccountsLife(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "walkerp", nil)
	if _, err := f.accounts.SetPassword(t.Context(), f.currentScope(t), a.ID, 0,
		account.NewPasswordRequest{Password: "seven green bicycles", Unlock: true}); err != nil {
		t.Fatal(err)
	}
	scope := f.signInAs(t, "walkerp", "seven green bicycles")
	sessions := sessions.Store{Table: f.table}
	if _, err := sessions.Close(t.Context(), a.ID, scope.Caller.SessionID,
		session.End{At: time.Now(), Reason: session.SignedOut}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.tabServices().notes.Add(t.Context(), f.currentScope(t), a.ID, "Called.\nCalls again."); err != nil {
		t.Fatal(err)
	}
	// Begun before the block, carried out after it: it stands where it was carried out.
	job := f.submit(t, transfer.Options{}, []any{"Username", "Mobile"}, []any{"walkerp", "+44 20 7946 0018"})
	if _, err := f.accounts.Block(t.Context(), f.currentScope(t), a.ID, 0, "On leave"); err != nil {
		t.Fatal(err)
	}
	before := f.currentScope(t)
	if err := f.worker().Run(t.Context(), env, job.ID); err != nil {
		t.Fatal(err)
	}
	lines := f.logLines(t, f.currentScope(t), a)
	if got := kindsOf(lines); got != "changed accessBlocked note sessionClosed signedIn passwordSet created" {
		t.Fatal(got)
	}
	if l := lines[0]; l.Job != job.ID || l.Row != 2 || l.By != "admin" || len(l.Changes) == 0 ||
		l.Changes[0].Field != "mobile" || l.Changes[0].From != nil || l.Changes[0].To != "+44 20 7946 0018" {
		t.Errorf("import: %+v", l)
	}
	if l := lines[2]; l.Note != "Called.\nCalls again." || l.By != "admin" || l.ByID != f.admin.Caller.AccountID {
		t.Errorf("note: %+v", l)
	}
	if l := lines[6]; l.By != "admin" || l.ID != a.ID || l.At.IsZero() {
		t.Errorf("birth: %+v", l)
	}
	// A reader who began before the import was committed does not see its line.
	if got := kindsOf(f.logLines(t, before, a)); got != "accessBlocked note sessionClosed signedIn passwordSet created" {
		t.Errorf("an older snapshot sees %s", got)
	}
	f.kept(t, a.ID)
}

// kept holds the items of an account's log against what says when they may be swept.
func (f *fixture) kept(t *testing.T, id string) {
	t.Helper()
	for _, it := range f.partition(t, "U#"+id) {
		sk := it["SK"].(*types.AttributeValueMemberS).Value
		ttl, swept := it["ttl"]
		if sk == "A" && swept {
			t.Error("the anchor would be swept")
		}
		if strings.HasPrefix(sk, "E#") || strings.HasPrefix(sk, "S#") {
			least, most := fmt.Sprint(time.Now().AddDate(0, 0, 729).Unix()), fmt.Sprint(time.Now().AddDate(0, 0, 731).Unix())
			if n, ok := ttl.(*types.AttributeValueMemberN); !ok || n.Value < least || n.Value > most {
				t.Errorf("%s would be swept at %v", sk, ttl)
			}
		}
	}
}

func (f *fixture) partition(t *testing.T, pk string) []map[string]types.AttributeValue {
	t.Helper()
	condition := "PK = :pk"
	out, err := f.table.Client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &f.table.Name, KeyConditionExpression: &condition,
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": &types.AttributeValueMemberS{Value: pk}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Items
}

// An account that an import made tells of the row in its first line; a reader who does not see the import sees no line.
func TestTheFirstLineOfAnImportedAccount(t *testing.T) {
	f := newFixture(t)
	before := f.currentScope(t)
	job := f.submit(t, transfer.Options{}, []any{"Username", "Description", "User licenses", "Email"},
		[]any{"new", "New", "FULL", "new@example.com"})
	if err := f.worker().Run(t.Context(), env, job.ID); err != nil {
		t.Fatal(err)
	}
	found, _, err := f.store.Page(t.Context(), f.currentScope(t).Env, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(found, func(a account.Account) bool { return a.Username == "new" })
	lines := f.logLines(t, f.currentScope(t), found[i])
	if kindsOf(lines) != "created" || lines[0].Job != job.ID || lines[0].Row != 2 {
		t.Errorf("%+v", lines)
	}
	if lines := f.logLines(t, before, found[i]); len(lines) != 0 {
		t.Errorf("%+v", lines)
	}
}

// The version of a contact or a delegation is not the account's: If-Match of the account still says what changed of it.
func TestTabsHaveVersionsOfTheirOwn(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "walkerp", nil)
	for version := range int64(5) {
		c := account.Contact{Title: fmt.Sprint(version)}
		if got, err := f.tabServices().contacts.Replace(t.Context(), f.currentScope(t), a.ID, version+1, c); err != nil ||
			got.Version != version+2 {
			t.Fatal(err)
		}
	}
	if now, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID); err != nil || now.Version != 1 {
		t.Errorf("version %d %v", now.Version, err)
	}
	if _, err := f.accounts.Change(t.Context(), f.currentScope(t), a.ID, 1, field.Patch{"name": "Other"}); err != nil {
		t.Fatal(err)
	}
	_, err := f.accounts.Change(t.Context(), f.currentScope(t), a.ID, 1, field.Patch{"name": "Third"})
	if e := fault.As(err); e == nil || e.Kind != fault.Stale || len(e.Fields) != 1 || e.Fields[0].Field != "name" {
		t.Errorf("%+v", e)
	}
	_, err = f.tabServices().contacts.Replace(t.Context(), f.currentScope(t), a.ID, 4, account.Contact{})
	if e := fault.As(err); e == nil || e.Kind != fault.Stale || len(e.Fields) != 2 || e.Fields[0].Field != "title" ||
		e.Fields[0].By != "admin" {
		t.Errorf("%+v", e)
	}
}

func TestContactIsKeptWhole(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "walkerp", nil)
	if none, err := f.tabServices().contacts.Get(t.Context(), f.currentScope(t), a.ID); err != nil ||
		!reflect.DeepEqual(none, account.Contact{Version: 1}) {
		t.Errorf("%+v %v", none, err)
	}
	want := account.Contact{
		Version: 2, Title: "Dr", FirstName: "P", MiddleName: "Q", LastName: "W", Suffix: "OBE", JobTitle: "J", Company: "C",
		LegacyRef: "L",
		Emails:    []account.ContactEntry{{Type: "work", Value: "a@example.com"}},
		Phones:    []account.ContactEntry{{Type: "fax", Value: "1"}},
		Addresses: []account.Address{{Type: "home", Address: "a\nb", Postcode: "c", City: "d", County: "e", Country: "GB"}},
	}
	if _, err := f.tabServices().contacts.Replace(t.Context(), f.currentScope(t), a.ID, 1, want); err != nil {
		t.Fatal(err)
	}
	if got, err := f.tabServices().contacts.Get(t.Context(), f.currentScope(t), a.ID); err != nil ||
		!reflect.DeepEqual(got, want) {
		t.Errorf("%+v %v", got, err)
	}
}

// outcomes runs an operation many times in parallel and counts the results: "" for success, else the fault's code.
func outcomes(n int, do func(i int) error) map[string]int {
	var (
		mu   sync.Mutex
		wait sync.WaitGroup
		out  = map[string]int{}
	)
	for i := range n {
		wait.Go(func() {
			err := do(i)
			code := ""
			if f := fault.As(err); f != nil {
				code = f.Code
			} else if err != nil {
				code = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			out[code]++
		})
	}
	wait.Wait()
	return out
}

// V62: of writers with one version exactly one wins, and the log has one line.
func TestParallelWritersOfTabs(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "walkerp", nil)
	sc := f.currentScope(t)
	got := outcomes(10, func(i int) error {
		_, err := f.tabServices().contacts.Replace(t.Context(), sc, a.ID, 1, account.Contact{Title: fmt.Sprint(i)})
		return err
	})
	if got[""] != 1 || got["stale"] != 9 {
		t.Errorf("contacts: %v", got)
	}
	got = outcomes(10, func(i int) error {
		_, err := f.tabServices().delegations.Add(t.Context(), sc, a.ID, account.TargetResourceGroup,
			[]string{"STAFF", "staff", "ＳＴＡＦＦ"}[i%3], i%2 == 0)
		return err
	})
	if got[""] != 1 || got["delegated"] != 9 {
		t.Errorf("delegations: %v", got)
	}
	all, _, err := f.tabServices().delegations.List(t.Context(), sc, a.ID, "", 10)
	if err != nil || len(all) != 1 || all[0].Code != "STAFF" {
		t.Fatalf("%+v %v", all, err)
	}
	got = outcomes(10, func(int) error {
		_, err := f.tabServices().delegations.Change(t.Context(), sc, a.ID, all[0].ID, 1, !all[0].Manager)
		return err
	})
	if got[""] != 1 || got["stale"] != 9 {
		t.Errorf("changes: %v", got)
	}
	got = outcomes(10,
		func(int) error { return f.tabServices().delegations.Remove(t.Context(), sc, a.ID, all[0].ID, nil) })
	if got[""] != 1 || got["notFound"] != 9 {
		t.Errorf("removals: %v", got)
	}
	if got := kindsOf(
		f.logLines(t, f.currentScope(t), a)); got !=
		"delegationRemoved delegationChanged delegationAdded contactChanged created" {
		t.Error(got)
	}
	if left := f.partition(t, "V#test"); len(left) != 0 {
		t.Errorf("claims left: %v", left)
	}
	// What was removed can be given again.
	if _, err := f.tabServices().delegations.Add(t.Context(), sc, a.ID, account.TargetResourceGroup, "STAFF",
		true); err != nil {
		t.Error(err)
	}
}

func TestDelegationsOfResourcesAndTheirPages(t *testing.T) {
	f := newFixture(t)
	a, b := f.create(t, "walkerp", nil), f.create(t, "doej", nil)
	resources := &resource.Service{Store: dynamo.Resources{Table: f.table},
		UsageFinders: []resource.UsageFinder{f.tabServices().store}, Now: time.Now, NewID: token.NewIDString}
	for _, code := range []string{"A", "A#B", "C"} {
		if _, err := resources.Create(t.Context(), f.currentScope(t),
			field.Patch{"code": code, "description": "R", "resourceGroup": "STAFF"}); err != nil {
			t.Fatal(err)
		}
	}
	var given []string
	for _, code := range []string{"a#b", "A", "c"} {
		d, err := f.tabServices().delegations.Add(t.Context(), f.currentScope(t), a.ID, account.TargetResource, code, false)
		if err != nil {
			t.Fatal(err)
		}
		given = append(given, d.Code)
	}
	if _, err := f.tabServices().delegations.Add(t.Context(), f.currentScope(t), b.ID, account.TargetResource, "A",
		false); err != nil {
		t.Fatal(err)
	}
	var listed []string
	for after := ""; ; {
		found, next, err := f.tabServices().delegations.List(t.Context(), f.currentScope(t), a.ID, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			listed = append(listed, d.Code)
		}
		if after = next; after == "" {
			break
		}
	}
	slices.Sort(given)
	slices.Sort(listed)
	if !slices.Equal(given, listed) || !slices.Equal(given, []string{"A", "A#B", "C"}) {
		t.Errorf("%v and %v", given, listed)
	}
	for code, want := range map[string][]string{"A": {"doej", "walkerp"}, "A#B": {"walkerp"}} {
		r, err := resources.Get(t.Context(), f.currentScope(t), code)
		if err != nil {
			t.Fatal(err)
		}
		uses, err := f.tabServices().store.Usages(t.Context(), f.currentScope(t), r)
		text := strings.Join(uses, "; ")
		if err != nil || len(uses) != len(want) || !strings.Contains(text, want[0]) ||
			!strings.Contains(text, want[len(want)-1]) {
			t.Errorf("%s: %v %v", code, uses, err)
		}
	}
	if err := resources.Delete(t.Context(), f.currentScope(t), "C", 0); !fault.HasCode(err, "inUse") {
		t.Errorf("a delegated resource was deleted: %v", err)
	}
}

// A resource group that is delegated is in use, and says by whom.
func TestDelegatedResourceGroupsAreInUse(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "walkerp", nil)
	sc := f.currentScope(t)
	if _, err := f.tabServices().delegations.Add(t.Context(), sc, a.ID, account.TargetResourceGroup, "staff",
		true); err != nil {
		t.Fatal(err)
	}
	var got []reference.Holder
	visit := func(h reference.Holder) { got = append(got, h) }
	for _, kind := range []catalogue.Kind{catalogue.ResourceGroup, catalogue.Role} {
		if err := f.tabServices().store.VisitHolders(t.Context(), sc.Env, kind, visit); err != nil {
			t.Fatal(err)
		}
	}
	want := []reference.Holder{
		{Type: "account", ID: a.ID, Name: "walkerp", Codes: map[catalogue.Kind][]string{catalogue.ResourceGroup: {"STAFF"}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// V58: what another environment owns is not there, whatever is done with its id; nor is what is gone.
func TestTabsOfOthersAccounts(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "walkerp", nil)
	elsewhere := environment.Environment{ID: "elsewhere"}
	e := auditlog.Event{ID: token.NewIDString(), At: time.Now(), Kind: auditlog.NoteAdded}
	store := f.tabServices().store
	d := account.Delegation{ID: token.NewIDString(), Version: 1, Kind: account.TargetResource, Code: "X"}
	for name, err := range map[string]error{
		"note":    accountlog.Store{Table: f.table}.Note(t.Context(), elsewhere, a.ID, e),
		"contact": dynamo.Contacts{Table: f.table}.SaveContact(t.Context(), elsewhere, a.ID, account.Contact{Version: 2}, e),
		"nobody": dynamo.Contacts{Table: f.table}.SaveContact(t.Context(), f.currentScope(t).Env, token.NewIDString(),
			account.Contact{Version: 2}, e),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := store.AddDelegation(t.Context(), elsewhere, a.ID, d, e); err == nil {
		t.Error("a delegation was written")
	}
	if _, seen, err := (accountlog.Store{Table: f.table}).CreationEvent(t.Context(), elsewhere, a.ID); seen ||
		err != nil {
		t.Errorf("born %v %v", seen, err)
	}
	if items := f.partition(t, "U#"+a.ID); len(items) != 1 {
		t.Errorf("written: %v", items)
	}
}

// A tab that is written while its account is being deleted keeps it, or comes too late; nothing is left without an
// account.
func TestDeletionSeesTabs(t *testing.T) {
	f := newFixture(t)
	f.accounts.Deleter = f.store
	a := f.create(t, "walkerp", nil)
	seen, err := f.store.Dependents(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.tabServices().contacts.Replace(t.Context(), f.currentScope(t), a.ID, 1,
		account.Contact{Title: "Dr"}); err != nil {
		t.Fatal(err)
	}
	now, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	deletion := account.Deletion{Before: now, Dependents: seen,
		Event: auditlog.Event{ID: token.NewIDString(), At: time.Now(), Kind: auditlog.Deleted}}
	if err := f.store.Delete(t.Context(), f.currentScope(t).Env, deletion); !errors.Is(err, account.ErrConcurrentChange) {
		t.Errorf("a contact written meanwhile was not seen: %v", err)
	}
	d, err := f.tabServices().delegations.Add(t.Context(), f.currentScope(t), a.ID, account.TargetResourceGroup, "STAFF",
		true)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.accounts.Delete(t.Context(), f.currentScope(t), a.ID, 0); !fault.HasCode(err, "inUse") {
		t.Errorf("an account with a delegation was deleted: %v", err)
	}
	if err := f.tabServices().delegations.Remove(t.Context(), f.currentScope(t), a.ID, d.ID, nil); err != nil {
		t.Fatal(err)
	}
	if err := f.accounts.Delete(t.Context(), f.currentScope(t), a.ID, 0); err != nil {
		t.Fatal(err)
	}
	for _, it := range f.partition(t, "U#"+a.ID) {
		if sk := it["SK"].(*types.AttributeValueMemberS).Value; !strings.HasPrefix(sk, "E#") {
			t.Errorf("%s is left", sk)
		}
	}
}
