package reference_test

import (
	"fmt"
	"strings"
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/reference"
)

// V61: nobody gives what they do not hold: by a permission in a role, a role in a group, or by unlocking either.
func TestNobodyGivesAboveTheirOwnRights(t *testing.T) {
	f := newFixture()
	f.scope = f.as("clerk", "access.write", "account.read")
	if err := f.patch(catalogue.Role, "VIEWER",
		field.Patch{"permissions": []string{"account.read", "access.write"}}); err != nil {
		t.Errorf("their own: %v", err)
	}
	f.store.written = nil
	f.wantFault(t,
		f.patch(catalogue.Role, "VIEWER", field.Patch{"permissions": []string{"account.read", "account.delete"}}),
		fault.Invalid, "invalid", "permissions aboveOwnRights", "account.delete")
	_, err := f.Create(t.Context(), f.scope, catalogue.Role,
		field.Patch{"code": "X", "permissions": []string{"account.admin"}})
	f.wantFault(t, err, fault.Invalid, "invalid", "permissions aboveOwnRights", "account.admin")
	f.wantFault(t, f.patch(catalogue.Group, "DESK", field.Patch{"roles": []string{"EDITOR"}}), fault.Invalid, "invalid",
		"roles aboveOwnRights", "account.update")
	f.wantFault(t, f.patch(catalogue.Group, "STAFF", field.Patch{"groups": []string{"BOSSES"}}), fault.Invalid, "invalid",
		"groups aboveOwnRights", "account.admin")
	f.wantFault(t, f.patch(catalogue.Role, "OLD", field.Patch{"active": true}), fault.Invalid, "invalid",
		"active aboveOwnRights", "account.delete")
	if err := f.patch(catalogue.Role, "EDITOR", field.Patch{"permissions": []string{"account.update"}}); err != nil {
		t.Errorf("taking away what they do not hold: %v", err)
	}
	if err := f.patch(catalogue.Role, "OLD", field.Patch{"description": "x"}); err != nil {
		t.Errorf("a description of what gives more: %v", err)
	}
}

func TestOnlyAdministratorsChangeWhatAdministratorsHoldTheirRightBy(t *testing.T) {
	f := newFixture(accountHolder("boss", "FULL", []string{"ADMIN"}, nil))
	f.scope = f.as("clerk", "access.write", "account.read", "settings.write")
	f.wantFault(t, f.patch(catalogue.Role, "ADMIN", field.Patch{"permissions": []string{"account.read"}}),
		fault.Forbidden, "administrator")
	f.wantFault(t, f.patch(catalogue.Role, "ADMIN", field.Patch{"active": false}), fault.Forbidden, "administrator")
	f.wantFault(t, f.patch(catalogue.Group, "BOSSES", field.Patch{"roles": nil}), fault.Forbidden, "administrator")
	f.wantFault(t, f.remove(catalogue.Group, "BOSSES"), fault.Forbidden, "administrator")
	if err := f.patch(catalogue.Role, "ADMIN", field.Patch{"description": "Administrators"}); err != nil {
		t.Errorf("its description: %v", err)
	}
}

func TestNobodyTakesRightsFromThemselves(t *testing.T) {
	f := newFixture(accountHolder("boss", "FULL", []string{"ADMIN"}, nil),
		accountHolder("other", "FULL", []string{"ADMIN"}, nil))
	for _, p := range []field.Patch{
		{"active": false}, {"permissions": nil}, {"permissions": []string{"account.read", "account.admin", "settings.write"}},
	} {
		f.wantFault(t, f.patch(catalogue.Role, "ADMIN", p), fault.Conflict, "self")
	}
	f = newFixture(accountHolder("boss", "FULL", []string{"ADMIN", "VIEWER"}, nil))
	if err := f.patch(catalogue.Role, "VIEWER", field.Patch{"active": false}); err != nil {
		t.Errorf("held by another role as well: %v", err)
	}
}

func TestAnAdministratorIsLeft(t *testing.T) {
	blocked := accountHolder("blocked", "FULL", []string{"ADMIN"}, nil)
	blocked.CanSignIn = false
	viaAPI := accountHolder("client", "API", []string{"ADMIN"}, nil)
	f := newFixture(accountHolder("chief", "FULL", nil, []string{"BOSSES"}), blocked, viaAPI)
	f.wantFault(t, f.patch(catalogue.Group, "BOSSES", field.Patch{"active": false}), fault.Conflict, "lastAdministrator",
		"account.admin")
	f.wantFault(t, f.patch(catalogue.Group, "BOSSES", field.Patch{"roles": []string{"VIEWER"}}), fault.Conflict,
		"lastAdministrator")
	f = newFixture(accountHolder("chief", "FULL", nil, []string{"BOSSES"}),
		accountHolder("boss", "FULL", []string{"ADMIN"}, nil))
	if err := f.patch(catalogue.Group, "BOSSES", field.Patch{"active": false}); err != nil {
		t.Errorf("another is left: %v", err)
	}
	if len(f.store.written[0].Assignments) == 0 {
		t.Error("the verdict does not depend on nobody being given a code since")
	}
}

// A change that would put accounts outside their licence is refused with their names, whether it is of a licence, a
// group or a role.
func TestNobodyIsPutOutsideTheirLicence(t *testing.T) {
	f := newFixture(accountHolder("ann", "TEAM", []string{"VIEWER"}, nil),
		accountHolder("bob", "FULL", []string{"EDITOR"}, nil), accountHolder("cid", "TEAM", nil, []string{"DESK"}))
	f.wantFault(t, f.patch(catalogue.Licence, "TEAM", field.Patch{"roles": []string{"SELF"}}), fault.Conflict,
		"outsideLicence", "2 accounts", "ann (VIEWER)", "cid (VIEWER)", "roles")
	f.wantFault(t, f.patch(catalogue.Licence, "FULL", field.Patch{"roles": []string{"VIEWER"}}), fault.Conflict,
		"outsideLicence", "bob (EDITOR)")
	f.wantFault(t, f.patch(catalogue.Group, "STAFF", field.Patch{"roles": []string{"EDITOR"}}), fault.Conflict,
		"outsideLicence", "cid (EDITOR)")
	f.wantFault(t, f.patch(catalogue.Group, "DESK", field.Patch{"groups": []string{"BOSSES"}}), fault.Conflict,
		"outsideLicence", "cid (ADMIN)", "groups")
	if err := f.patch(catalogue.Licence, "TEAM", field.Patch{"roles": []string{"VIEWER", "SELF", "EDITOR"}}); err != nil {
		t.Errorf("allowing more: %v", err)
	}
	f = newFixture(accountHolder("odd", "TEAM", []string{"EDITOR"}, nil))
	if err := f.patch(catalogue.Licence, "TEAM", field.Patch{"roles": []string{"VIEWER"}}); err != nil {
		t.Errorf("one who was outside before: %v", err)
	}
}

func TestUnlockingARolePutsNobodyOutsideTheirLicence(t *testing.T) {
	f := newFixture(accountHolder("ann", "TEAM", []string{"OLD"}, nil))
	f.scope = f.as("boss", "access.write", "account.delete", "account.read", access.AccountAdmin)
	f.wantFault(t, f.patch(catalogue.Role, "OLD", field.Patch{"active": true}), fault.Conflict, "outsideLicence",
		"ann (OLD)", "active")
}

func TestTheSortOfSignInOfALicenceInUseStays(t *testing.T) {
	f := newFixture(accountHolder("ann", "TEAM", nil, nil), accountHolder("client", "API", nil, nil))
	f.wantFault(t, f.patch(catalogue.Licence, "TEAM", field.Patch{"apiOnly": true}), fault.Conflict, "inUse", "ann")
	f.wantFault(t, f.patch(catalogue.Licence, "API", field.Patch{"apiOnly": false}), fault.Conflict, "inUse", "client")
	if err := f.patch(catalogue.Licence, "FULL", field.Patch{"apiOnly": true}); err != nil {
		t.Errorf("one that nobody holds: %v", err)
	}
}

// Only codes that are not in use are deleted. The answer has the first twenty names and the count, and advises to lock.
func TestWhatIsInUseIsNotDeleted(t *testing.T) {
	var people []reference.Holder
	for i := range 25 {
		people = append(people, accountHolder(fmt.Sprintf("p%02d", i), "TEAM", []string{"viewer"}, []string{"DESK"}))
	}
	f := newFixture(people...)
	f.wantFault(t, f.remove(catalogue.Licence, "TEAM"), fault.Conflict, "inUse", "25", "account p00", "account p19",
		"and 5 more", "lock")
	if n := len(fault.As(f.remove(catalogue.Licence, "TEAM")).Fields); n != 20 {
		t.Errorf("%d fields", n)
	}
	f.wantFault(t, f.remove(catalogue.Role, "VIEWER"), fault.Conflict, "inUse", "licence TEAM", "group DESK",
		"account p00")
	f.wantFault(t, f.remove(catalogue.Role, "SELF"), fault.Conflict, "inUse", "group STAFF")
	f.wantFault(t, f.remove(catalogue.Group, "STAFF"), fault.Conflict, "inUse", "group DESK")
	f.wantFault(t, f.remove(catalogue.Department, "SALES"), fault.Conflict, "inUse", "resource group STAFF")
	for kind, code := range map[catalogue.Kind]string{catalogue.Department: "IDLE", catalogue.CostCentre: "100",
		catalogue.DACGroup: "DAC1", catalogue.Licence: "FULL", catalogue.Role: "EDITOR"} {
		f.store.written = nil
		if err := f.remove(kind, code); err != nil {
			t.Errorf("%s %s: %v", kind, code, err)
		}
		if w := f.store.written[0]; w.After != nil || len(w.Assignments) == 0 || w.Event.Kind != "deleted" ||
			len(w.Event.Changes) == 0 {
			t.Errorf("%+v", w)
		}
		if _, there := f.store.current.Catalogue.Find(kind, code); there {
			t.Errorf("%s %s is still there", kind, code)
		}
	}
}

// A change that matters to those who have the code depends on nobody being given one since; a description does not.
func TestOnlyRulesWaitForNobody(t *testing.T) {
	for name, c := range map[string]struct {
		kind  catalogue.Kind
		code  string
		patch field.Patch
		binds bool
	}{
		"a description":        {catalogue.Role, "VIEWER", field.Patch{"description": "x"}, false},
		"seats":                {catalogue.Licence, "TEAM", field.Patch{"seats": int64(5)}, false},
		"a default":            {catalogue.ResourceGroup, "STAFF", field.Patch{"currency": "EUR"}, false},
		"a lock":               {catalogue.Department, "SALES", field.Patch{"active": false}, true},
		"a DAC group's lock":   {catalogue.DACGroup, "DAC1", field.Patch{"active": false}, true},
		"a permission":         {catalogue.Role, "VIEWER", field.Patch{"permissions": nil}, true},
		"a licence's roles":    {catalogue.Licence, "TEAM", field.Patch{"roles": []string{"SELF"}}, true},
		"a group's roles":      {catalogue.Group, "DESK", field.Patch{"roles": nil}, true},
		"a group's groups":     {catalogue.Group, "DESK", field.Patch{"groups": nil}, true},
		"a licence's API only": {catalogue.Licence, "TEAM", field.Patch{"apiOnly": true}, true},
	} {
		f := newFixture()
		if err := f.patch(c.kind, c.code, c.patch); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := f.store.written[0].Assignments != nil; got != c.binds {
			t.Errorf("%s: binds = %v", name, got)
		}
	}
}

// V100: a conflict names no accounts to who may not read them, only how many there are; other holders are named.
func TestAConflictNamesNoAccountsToWhoMayNotReadThem(t *testing.T) {
	f := newFixture(accountHolder("zoe", "TEAM", []string{"VIEWER"}, nil), accountHolder("bob", "TEAM", nil, nil))
	f.scope.Caller.Permissions = access.Set{access.AccessWrite: {}}
	for _, err := range []error{
		f.remove(catalogue.Licence, "TEAM"), f.patch(catalogue.Licence, "TEAM", field.Patch{"apiOnly": true}),
	} {
		f.wantFault(t, err, fault.Conflict, "inUse", "2", "accounts that you may not read")
		text := fault.As(err).Detail + fmt.Sprint(fault.As(err).Fields)
		if strings.Contains(text, "zoe") || strings.Contains(text, "bob") {
			t.Errorf("it names them: %s", text)
		}
	}
	f.wantFault(t, f.remove(catalogue.Role, "VIEWER"), fault.Conflict, "inUse", "group DESK", "and 1 more")
}
