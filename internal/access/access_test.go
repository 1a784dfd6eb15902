package access_test

import (
	"reflect"
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
)

func role(code string, permissions ...string) catalogue.Entry {
	return catalogue.Entry{Kind: catalogue.Role, Code: code, Active: true, Permissions: permissions}
}

func group(code string, roles, groups []string) catalogue.Entry {
	return catalogue.Entry{Kind: catalogue.Group, Code: code, Active: true, Roles: roles, Groups: groups}
}

func testCatalogue() *catalogue.Catalogue {
	retired, closed := role("RETIRED", "account.admin"), group("CLOSED", []string{"ADMIN"}, []string{"STAFF"})
	retired.Active, closed.Active = false, false
	return catalogue.New([]catalogue.Entry{
		role("ADMIN", "account.admin", "account.read"), role("VIEWER", "account.read"),
		role("EDITOR", "account.read", "account.update"),
		role("SELF"), retired, closed,
		group("STAFF", []string{"SELF"}, nil),
		group("DESK", []string{"VIEWER"}, []string{"staff"}),
		group("DEEP", nil, []string{"DESK", "CLOSED"}),
		group("RING1", []string{"VIEWER"}, []string{"RING2"}),
		group("RING2", []string{"EDITOR"}, []string{"ring3"}),
		group("RING3", []string{"SELF", "RETIRED", "NOWHERE"}, []string{"RING1", "RING3", "NOWHERE"}),
	})
}

func TestEffectiveRoles(t *testing.T) {
	for _, c := range []struct {
		name                string
		roles, groups, want []string
	}{
		{"none", nil, nil, []string{}},
		{"direct, as the catalogue spells them", []string{"viewer", "ＥＤＩＴＯＲ"}, nil, []string{"EDITOR", "VIEWER"}},
		{"through a group in a group", nil, []string{"deep"}, []string{"SELF", "VIEWER"}},
		{"each once", []string{"VIEWER", "viewer"}, []string{"DESK", "DEEP"}, []string{"SELF", "VIEWER"}},
		{"a cycle of three, and of one", nil, []string{"RING1"}, []string{"EDITOR", "SELF", "VIEWER"}},
		{"a cycle entered elsewhere", nil, []string{"RING3"}, []string{"EDITOR", "SELF", "VIEWER"}},
		{"inactive ones give nothing", []string{"RETIRED"}, []string{"CLOSED"}, []string{}},
		{"unknown ones give nothing", []string{"X"}, []string{"Y"}, []string{}},
	} {
		given := [][]string{append([]string(nil), c.roles...), append([]string(nil), c.groups...)}
		if got := access.EffectiveRoles(testCatalogue(), c.roles, c.groups); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if !reflect.DeepEqual(given, [][]string{append([]string(nil), c.roles...), append([]string(nil), c.groups...)}) {
			t.Errorf("%s: the arguments were changed", c.name)
		}
	}
}

func TestPermissionsAreTheUnion(t *testing.T) {
	got := access.Permissions(testCatalogue(), []string{"VIEWER"}, []string{"RING1"}).Sorted()
	if !reflect.DeepEqual(got, []access.Permission{access.AccountRead, access.AccountUpdate}) {
		t.Errorf("%v", got)
	}
	if got := access.Permissions(testCatalogue(), []string{"RETIRED"}, []string{"CLOSED"}); len(got) != 0 {
		t.Errorf("inactive ones allow %v", got)
	}
}

func TestOutsideLicence(t *testing.T) {
	team := catalogue.Entry{Code: "TEAM", Roles: []string{"viewer", "SELF"}}
	for _, c := range []struct {
		name          string
		licence       catalogue.Entry
		roles, groups []string
		want          []string
	}{
		{"one without roles allows all", catalogue.Entry{}, []string{"ADMIN"}, nil, nil},
		{"what is allowed, in any case", team, []string{"VIEWER"}, []string{"DEEP"}, nil},
		{"direct ones", team, []string{"EDITOR", "ADMIN", "VIEWER"}, nil, []string{"ADMIN", "EDITOR"}},
		{"through nested groups", team, nil, []string{"RING3"}, []string{"EDITOR"}},
		{"inactive ones do not count", team, []string{"RETIRED"}, []string{"CLOSED"}, nil},
	} {
		if got := access.OutsideLicence(testCatalogue(), c.licence, c.roles, c.groups); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// V61: what one set misses of another decides who may give what.
func TestMissing(t *testing.T) {
	set := func(of ...access.Permission) access.Set {
		s := access.Set{}
		for _, p := range of {
			s[p] = struct{}{}
		}
		return s
	}
	mine := set(access.AccountRead, access.AccountUpdate)
	if got := mine.Missing(set(access.AccountUpdate, access.AccountBlock, access.AccountAdmin)); !reflect.DeepEqual(got,
		[]access.Permission{access.AccountAdmin, access.AccountBlock}) {
		t.Errorf("%v", got)
	}
	if mine.Missing(set(access.AccountRead)) != nil || mine.Missing(nil) != nil {
		t.Error("something is missing")
	}
	var none access.Set
	if got := none.Missing(mine); len(got) != 2 {
		t.Errorf("not everything is missing: %v", got)
	}
}

// The zero values allow nothing: a caller without a set, and a route without a permission.
func TestTheZeroValuesAllowNothing(t *testing.T) {
	all := access.Set{}
	for p := range access.All() {
		all[p] = struct{}{}
	}
	if all.Has("") || all.Has(access.Public) || all.Has(access.SignedIn) {
		t.Error("a set of all permissions has one that is none")
	}
	if (access.Caller{}).May(access.AccountRead) || !(access.Caller{Permissions: all}).May(access.AccountAdmin) {
		t.Error("May")
	}
}

func TestEveryPermissionIsExplained(t *testing.T) {
	for p, description := range access.All() {
		if p == "" || description == "" {
			t.Errorf("%q: %q", p, description)
		}
	}
}
