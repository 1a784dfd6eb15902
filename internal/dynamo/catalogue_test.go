package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/reference"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// referenceService is a service of reference data as another process has it.
func (f *fixture) referenceService(more ...reference.HolderSource) *reference.Service {
	return &reference.Service{
		Store:         dynamo.NewReference(f.table),
		HolderSources: append([]reference.HolderSource{dynamo.AccountHolders{Accounts: f.store, Now: time.Now}}, more...),
		Resources:     dynamo.Resources{Table: f.table}, Now: time.Now, NewID: token.NewIDString,
	}
}

// scopeWithCatalogue returns the administrator's scope with the reference data of this moment, as a new request has it.
func (f *fixture) scopeWithCatalogue(t *testing.T) access.Scope {
	t.Helper()
	scope := f.currentScope(t)
	known, err := dynamo.NewEnvironments(f.table).Catalogue(t.Context(), scope.Env)
	if err != nil {
		t.Fatal(err)
	}
	scope.Catalogue = known
	return scope
}

// ref names an entry as it is now.
func (f *fixture) ref(t *testing.T, kind catalogue.Kind, code string) reference.Ref {
	t.Helper()
	e, ok := f.scopeWithCatalogue(t).Catalogue.Find(kind, code)
	if !ok {
		t.Fatalf("there is no %s %s", kind, code)
	}
	return reference.Ref{Kind: kind, Code: code, Version: e.Version}
}

func (f *fixture) createRole(t *testing.T, code string) {
	t.Helper()
	if _, err := f.referenceService().Create(t.Context(), f.scopeWithCatalogue(t), catalogue.Role,
		field.Patch{"code": code, "permissions": []string{"account.read"}}); err != nil {
		t.Fatal(err)
	}
}

// interveningHolders is a holder that does something while a change looks at who holds what, once.
type interveningHolders struct {
	once sync.Once
	do   func()
}

func (d *interveningHolders) VisitHolders(
	context.Context, environment.Environment, catalogue.Kind, func(reference.Holder),
) error {
	d.once.Do(d.do)
	return nil
}

// A change, the catalogue's version and the log are one; every process sees it with the next head that it reads.
func TestAChangeOfReferenceDataIsWhole(t *testing.T) {
	f := newFixture(t)
	other := dynamo.NewEnvironments(f.table)
	before := f.scopeWithCatalogue(t)
	if _, err := other.Catalogue(t.Context(), before.Env); err != nil { // cached from here on
		t.Fatal(err)
	}
	made, err := f.referenceService().Create(t.Context(), before, catalogue.ResourceGroup,
		field.Patch{"code": "Temps", "department": "sales", "allowExpenses": true})
	if err != nil {
		t.Fatal(err)
	}
	now := f.currentScope(t)
	seen, err := other.Catalogue(t.Context(), now.Env)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := seen.Find(catalogue.ResourceGroup, "TEMPS")
	if want := (catalogue.ResourceDefaults{Department: "SALES", AllowExpenses: true}); !ok || got.Defaults != want ||
		got.Version != made.Version || !got.Active {
		t.Errorf("%+v", got)
	}
	if now.Env.CatalogueVersion != before.Env.CatalogueVersion+1 || made.Version != now.Env.CatalogueVersion {
		t.Errorf("version %d after %d, the entry's %d", now.Env.CatalogueVersion, before.Env.CatalogueVersion, made.Version)
	}
	log, _, err := dynamo.EnvironmentLog{Table: f.table}.Events(t.Context(), env, "", 10)
	if err != nil || len(log) != 1 || log[0].Kind != auditlog.Created || log[0].Subject != "resourceGroup/Temps" ||
		log[0].By != "admin" || len(log[0].Changes) != 3 {
		t.Errorf("%+v, %v", log, err)
	}
}

// A write that gives a code and was judged before the code went, fails after; whoever judges it again is told.
func TestACodeThatWentIsNotGiven(t *testing.T) {
	f := newFixture(t)
	f.createRole(t, "TEMP")
	judged := f.scopeWithCatalogue(t)
	someone := f.create(t, "someone", nil)
	if err := f.referenceService().Delete(t.Context(), judged, f.ref(t, catalogue.Role, "TEMP")); err != nil {
		t.Fatal(err)
	}
	_, err := f.accounts.Change(t.Context(), judged, someone.ID, someone.Version, field.Patch{"roles": []string{"TEMP"}})
	if !fault.HasCode(err, "rulesChanged") {
		t.Errorf("%v", err)
	}
	_, err = f.accounts.Create(t.Context(), judged,
		field.Patch{"username": "late", "name": "Late", "email": "late@example.com", "userType": "FULL",
			"roles": []string{"TEMP"}})
	if !fault.HasCode(err, "rulesChanged") {
		t.Errorf("%v", err)
	}
	if _, err := f.accounts.Change(t.Context(), f.scopeWithCatalogue(t), someone.ID, someone.Version,
		field.Patch{"roles": []string{"TEMP"}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
	// What gives nothing is not held up, however old its reference data.
	if _, err := f.accounts.Change(t.Context(), judged, someone.ID, someone.Version,
		field.Patch{"name": "Some One"}); err != nil {
		t.Error(err)
	}
	if names := f.usernames(t); !slices.Equal(names, []string{"admin", "someone"}) {
		t.Errorf("%v", names)
	}
}

// Adding a code or mending a description is no reason to refuse what was judged before.
func TestWhatBindsNobodyHoldsNobodyUp(t *testing.T) {
	f := newFixture(t)
	judged := f.scopeWithCatalogue(t)
	f.createRole(t, "NEW")
	if _, err := f.referenceService().Change(t.Context(), judged, f.ref(t, catalogue.Role, "VIEWER"),
		field.Patch{"description": "x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.accounts.Create(t.Context(), judged,
		field.Patch{"username": "a", "name": "A", "email": "a@example.com", "userType": "FULL",
			"roles": []string{"VIEWER"}}); err != nil {
		t.Error(err)
	}
}

// A code that is given while a deletion looks who holds it is noticed, whoever gives it.
func TestACodeGivenDuringADeletionIsNoticed(t *testing.T) {
	f := newFixture(t)
	f.createRole(t, "TEMP")
	judged := f.scopeWithCatalogue(t)
	late := &interveningHolders{do: func() { f.createIn(t, judged, "late", field.Patch{"roles": []string{"TEMP"}}) }}
	err := f.referenceService(late).Delete(t.Context(), judged, f.ref(t, catalogue.Role, "TEMP"))
	if !fault.HasCode(err, "inUse") {
		t.Fatalf("%v", err)
	}
	// The same for rules: the licence is narrowed while somebody gets it with a role that it would not allow any more.
	late = &interveningHolders{do: func() {
		f.createIn(t, f.scopeWithCatalogue(t), "team", field.Patch{"userType": "TEAM", "roles": []string{"VIEWER"}})
	}}
	_, err = f.referenceService(late).Change(t.Context(), judged, f.ref(t, catalogue.Licence, "TEAM"),
		field.Patch{"roles": []string{"SELF"}})
	if !fault.HasCode(err, "outsideLicence") {
		t.Errorf("%v", err)
	}
}

func (f *fixture) createIn(t *testing.T, scope access.Scope, username string, more field.Patch) {
	t.Helper()
	p := field.Patch{"username": username, "name": "Somebody", "email": username + "@example.com", "userType": "FULL"}
	for name, value := range more {
		p[name] = value
	}
	if _, err := f.accounts.Create(t.Context(), scope, p); err != nil {
		t.Error(err)
	}
}

// hookedFiles does something when an import is about to finish: its report is the last thing before the commit.
type hookedFiles struct {
	transfer.Files
	once sync.Once
	do   func()
}

func (h *hookedFiles) Put(ctx context.Context, key, contentType string, body []byte) error {
	h.once.Do(h.do)
	return h.Files.Put(ctx, key, contentType, body)
}

// An import that staged rows before a code went does not count: it is taken back, judged again, and refused by name.
func TestAnImportDoesNotGiveACodeThatWent(t *testing.T) {
	f := newFixture(t)
	f.createRole(t, "TEMP")
	j := f.submit(t, transfer.Options{}, headings(), []any{"one", "One", "FULL", "one@example.com", "TEMP"})
	w := f.worker()
	w.Files = &hookedFiles{Files: f.files, do: func() {
		if err := f.referenceService().Delete(t.Context(), f.scopeWithCatalogue(t),
			f.ref(t, catalogue.Role, "TEMP")); err != nil {
			t.Errorf("while the import is unseen: %v", err)
		}
	}}
	if err := w.Run(t.Context(), env, j.ID); err != nil {
		t.Fatal(err)
	}
	if got := f.job(t, j.ID); got.State != transfer.Refused || got.Restarts != 1 || got.Counts.Failed != 1 {
		t.Errorf("%s, %d restarts, %+v", got.State, got.Restarts, got.Counts)
	}
	if names := f.usernames(t); !slices.Equal(names, []string{"admin"}) {
		t.Errorf("%v", names)
	}
}

// The worker that goes on for a dead one commits what that one judged, by the reference data that it judged by.
func TestAnImportTakenOverIsHeldToItsFirstJudge(t *testing.T) {
	f := newFixture(t)
	f.createRole(t, "TEMP")
	j := f.submit(t, transfer.Options{}, headings(), []any{"one", "One", "FULL", "one@example.com", "TEMP"})
	dead := errors.New("the process is dead")
	w := f.worker()
	w.Files = failingFiles{Files: f.files, err: dead}
	if err := w.Run(t.Context(), env, j.ID); !errors.Is(err, dead) { // after it staged, before it committed
		t.Fatal(err)
	}
	if err := f.referenceService().Delete(t.Context(), f.scopeWithCatalogue(t),
		f.ref(t, catalogue.Role, "TEMP")); err != nil {
		t.Fatal(err)
	}
	if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
		t.Fatal(err)
	}
	if got := f.job(t, j.ID); got.State != transfer.Refused {
		t.Errorf("%s %+v", got.State, got.Counts)
	}
	if names := f.usernames(t); !slices.Equal(names, []string{"admin"}) {
		t.Errorf("%v", names)
	}
}

type failingFiles struct {
	transfer.Files
	err error
}

func (f failingFiles) Put(context.Context, string, string, []byte) error { return f.err }

// Whatever the order of events, no account holds a role that is not there.
func TestDeletingAndGivingAtOnce(t *testing.T) {
	f := newFixture(t)
	for round := range 8 {
		code := fmt.Sprint("R", round)
		f.createRole(t, code)
		scope, ref := f.scopeWithCatalogue(t), f.ref(t, catalogue.Role, code)
		people := make([]string, 3)
		for i := range people {
			people[i] = f.create(t, fmt.Sprintf("p%d-%d", round, i), nil).ID
		}
		var wg sync.WaitGroup
		for _, id := range people {
			wg.Go(func() {
				_, err := f.accounts.Change(t.Context(), scope, id, 1, field.Patch{"roles": []string{code}})
				if err != nil && !fault.HasCode(err, "rulesChanged") && !fault.Is(err, fault.Unavailable) {
					t.Error(err)
				}
			})
		}
		var deleted error
		wg.Go(func() { deleted = f.referenceService().Delete(t.Context(), scope, ref) })
		wg.Wait()
		if deleted != nil && !fault.HasCode(deleted, "inUse") && !fault.HasCode(deleted, "busy") {
			t.Error(deleted)
		}
		_, there := f.scopeWithCatalogue(t).Catalogue.Find(catalogue.Role, code)
		if there != (deleted != nil) {
			t.Errorf("%s is there: %v, deleting it came to %v", code, there, deleted)
		}
		for _, id := range people {
			a, err := f.accounts.Get(t.Context(), f.currentScope(t), id)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Roles) > 0 && !there {
				t.Errorf("%s holds %v, which is deleted", a.Username, a.Roles)
			}
		}
	}
}

// Of two changes that would make a circle together, one wins and the other is told.
func TestTwoHalvesOfACircleAtOnce(t *testing.T) {
	f := newFixture(t)
	for _, code := range []string{"LEFT", "RIGHT"} {
		if _, err := f.referenceService().Create(t.Context(), f.scopeWithCatalogue(t), catalogue.Group,
			field.Patch{"code": code}); err != nil {
			t.Fatal(err)
		}
	}
	scope := f.scopeWithCatalogue(t)
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, pair := range [][2]string{{"LEFT", "RIGHT"}, {"RIGHT", "LEFT"}} {
		ref := f.ref(t, catalogue.Group, pair[0])
		wg.Go(func() {
			_, errs[i] = f.referenceService().Change(t.Context(), scope, ref, field.Patch{"groups": []string{pair[1]}})
		})
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !fault.Is(errs[0], fault.Invalid) && !fault.Is(errs[1], fault.Invalid) {
		t.Errorf("%v and %v", errs[0], errs[1])
	}
}

// V63 for codes: of many who make one at once, in different spellings, exactly one does.
func TestOneCodeMadeByManyAtOnce(t *testing.T) {
	f := newFixture(t)
	scope := f.scopeWithCatalogue(t)
	spellings := []string{"Sales 1", "SALES 1", "sales 1", "ｓａｌｅｓ 1", "Sales １", "sALES 1"}
	var wg sync.WaitGroup
	errs := make([]error, len(spellings))
	for i, code := range spellings {
		wg.Go(func() {
			_, errs[i] = f.referenceService().Create(t.Context(), scope, catalogue.CostCentre, field.Patch{"code": code})
		})
	}
	wg.Wait()
	made := 0
	for i, err := range errs {
		if err == nil {
			made++
		} else if !fault.HasCode(err, "taken") && !fault.HasCode(err, "busy") {
			t.Errorf("%s: %v", spellings[i], err)
		}
	}
	if made != 1 {
		t.Errorf("%d were made: %v", made, errs)
	}
}

// A caller whose own access ended meanwhile changes nothing.
func TestReferenceDataIsNotChangedByWhomAccessEnded(t *testing.T) {
	f := newFixture(t)
	f.create(t, "second", field.Patch{"roles": []string{"ADMIN"}})
	scope := f.scopeWithCatalogue(t)
	scope.Caller.Epoch--
	if _, err := f.referenceService().Create(t.Context(), scope, catalogue.Role, field.Patch{"code": "X"}); !fault.Is(err,
		fault.Unauthenticated) {
		t.Errorf("%v", err)
	}
	if _, there := f.scopeWithCatalogue(t).Catalogue.Find(catalogue.Role, "X"); there {
		t.Error("it was made all the same")
	}
}

// A resource that is not there is not named as a manager by default, neither when it never was nor when it went just
// now.
func TestAManagerByDefaultIsThere(t *testing.T) {
	f := newFixture(t)
	entries := f.referenceService()
	_, err := entries.Create(t.Context(), f.scopeWithCatalogue(t), catalogue.ResourceGroup,
		field.Patch{"code": "G", "manager": "NOBODY"})
	if e := fault.As(err); e == nil || len(e.Fields) != 1 || e.Fields[0].Field != "manager" {
		t.Errorf("%v", err)
	}
	entries.Resources = vanishedResource{}
	_, err = entries.Create(t.Context(), f.scopeWithCatalogue(t), catalogue.ResourceGroup,
		field.Patch{"code": "G", "manager": "NOBODY"})
	if !fault.HasCode(err, "busy") {
		t.Errorf("%v", err)
	}
	if _, there := f.scopeWithCatalogue(t).Catalogue.Find(catalogue.ResourceGroup, "G"); there {
		t.Error("it was made all the same")
	}
}

// vanishedResource says that there was a resource when it was looked for.
type vanishedResource struct{}

func (vanishedResource) ActiveResource(
	_ context.Context, _ environment.Environment, code string,
) (string, bool, error) {
	return code, true, nil
}
