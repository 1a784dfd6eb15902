package account_test

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
)

// accessGraph is a random catalogue of roles and groups, with cycles and locked codes, and an account.
type accessGraph struct {
	entries []catalogue.Entry
	a       account.Account
}

func randomGraph(r *rand.Rand) accessGraph {
	permissions := []access.Permission{access.AccountRead, access.AccountUpdate, access.AccountBlock, access.AccountAdmin}
	some := func(prefix string, of, most int) []string {
		var out []string
		for range r.Intn(most + 1) {
			code := fmt.Sprintf("%s%d", prefix, r.Intn(of))
			if r.Intn(5) == 0 {
				code = fmt.Sprintf("%s%d", string(prefix[0]+'a'-'A'), r.Intn(of)) // another spelling
			}
			out = append(out, code)
		}
		return out
	}
	var g accessGraph
	roles, groups := 1+r.Intn(6), 1+r.Intn(8)
	for n := range roles {
		e := catalogue.Entry{Kind: catalogue.Role, Code: fmt.Sprintf("R%d", n), Active: r.Intn(4) != 0}
		for range r.Intn(4) {
			e.Permissions = append(e.Permissions, string(permissions[r.Intn(len(permissions))]))
		}
		g.entries = append(g.entries, e)
	}
	for n := range groups {
		g.entries = append(g.entries, catalogue.Entry{
			Kind: catalogue.Group, Code: fmt.Sprintf("G%d", n), Active: r.Intn(4) != 0, Roles: some("R", roles+1, 3),
			Groups: some("G", groups+1, 3),
		})
	}
	g.entries = append(g.entries,
		catalogue.Entry{Kind: catalogue.Licence, Code: "L", Active: true, Roles: some("R", roles, 2)})
	g.a = account.Account{UserType: "L", Roles: some("R", roles+1, 2), Groups: some("G", groups+1, 3)}
	return g
}

// naiveClosure returns the effective groups and roles, computed until nothing changes any more.
func naiveClosure(g accessGraph) (groups, roles map[string]bool) {
	find := func(kind catalogue.Kind, code string) (catalogue.Entry, bool) {
		for _, e := range g.entries {
			if e.Kind == kind && catalogue.Fold(e.Code) == catalogue.Fold(code) && e.Active {
				return e, true
			}
		}
		return catalogue.Entry{}, false
	}
	groups, roles = map[string]bool{}, map[string]bool{}
	addActive := func(into map[string]bool, kind catalogue.Kind, codes []string) bool {
		more := false
		for _, code := range codes {
			if e, ok := find(kind, code); ok && !into[e.Code] {
				into[e.Code], more = true, true
			}
		}
		return more
	}
	addActive(roles, catalogue.Role, g.a.Roles)
	addActive(groups, catalogue.Group, g.a.Groups)
	for more := true; more; {
		more = false
		for code := range groups {
			e, _ := find(catalogue.Group, code)
			more = addActive(groups, catalogue.Group, e.Groups) || more
			addActive(roles, catalogue.Role, e.Roles)
		}
	}
	return groups, roles
}

// Over random graphs: the roles are those of the naive closure and of package access. Each path exists and is a
// shortest one, and each permission has exactly the roles that give it.
func TestEffectiveRolesAreWhatTheyMean(t *testing.T) {
	for seed := range int64(3000) {
		g := randomGraph(rand.New(rand.NewSource(seed)))
		c := catalogue.New(g.entries)
		got := account.ResolveEffectiveAccess(c, g.a)
		groups, want := naiveClosure(g)
		var codes []string
		for _, r := range got.Roles {
			codes = append(codes, r.Code)
			if !want[r.Code] {
				t.Errorf("seed %d: %s is not held", seed, r.Code)
			}
			checkSources(t, seed, c, g, groups, r)
			licence, _ := c.Find(catalogue.Licence, "L")
			if within := len(licence.Roles) == 0 || containsCode(licence.Roles, r.Code); within != r.WithinLicence {
				t.Errorf("seed %d: %s within the licence: %v", seed, r.Code, r.WithinLicence)
			}
		}
		if len(codes) != len(want) || !slices.Equal(codes, access.EffectiveRoles(c, g.a.Roles, g.a.Groups)) {
			t.Errorf("seed %d: %v, want %v and %v", seed, codes, want, access.EffectiveRoles(c, g.a.Roles, g.a.Groups))
		}
		set := access.Set{}
		for _, p := range got.Permissions {
			set[p.Permission] = struct{}{}
			for code := range want {
				e, _ := c.Find(catalogue.Role, code)
				if gives := slices.Contains(e.Permissions, string(p.Permission)); gives != slices.Contains(p.Roles, code) {
					t.Errorf("seed %d: %s by %v, but %s gives %v", seed, p.Permission, p.Roles, code, e.Permissions)
				}
			}
		}
		if !slices.Equal(set.Sorted(), access.Permissions(c, g.a.Roles, g.a.Groups).Sorted()) {
			t.Errorf("seed %d: permissions %v", seed, set.Sorted())
		}
		if t.Failed() {
			t.Fatalf("%+v", g)
		}
	}
}

func containsCode(codes []string, code string) bool {
	return slices.ContainsFunc(codes, func(c string) bool { return catalogue.Fold(c) == catalogue.Fold(code) })
}

// checkSources holds a role's sources against the graph: one path to each group in force that gives it, and no longer
// than any other way.
func checkSources(t *testing.T, seed int64, c *catalogue.Catalogue, g accessGraph, groups map[string]bool,
	r account.EffectiveRole) {
	t.Helper()
	if r.Direct != containsCode(g.a.Roles, r.Code) {
		t.Errorf("seed %d: %s direct: %v", seed, r.Code, r.Direct)
	}
	giving := map[string]bool{}
	for code := range groups {
		if e, _ := c.Find(catalogue.Group, code); containsCode(e.Roles, r.Code) {
			giving[code] = true
		}
	}
	if len(r.Paths) != len(giving) {
		t.Errorf("seed %d: %s by %v, want one path to each of %v", seed, r.Code, r.Paths, giving)
	}
	for _, path := range r.Paths {
		last := path[len(path)-1]
		if !giving[last] || !containsCode(g.a.Groups, path[0]) {
			t.Errorf("seed %d: %s by %v", seed, r.Code, path)
		}
		for i := 1; i < len(path); i++ {
			if e, _ := c.Find(catalogue.Group, path[i-1]); !groups[path[i]] || !containsCode(e.Groups, path[i]) {
				t.Errorf("seed %d: there is no way %v", seed, path)
			}
		}
		if shortest := distance(c, g.a.Groups, last); len(path) != shortest {
			t.Errorf("seed %d: %v, but %d groups are enough", seed, path, shortest)
		}
	}
}

// distance is how many groups lead from those given to one.
func distance(c *catalogue.Catalogue, from []string, to string) int {
	for n := 1; n < 50; n++ {
		var next []string
		for _, code := range from {
			e, ok := c.Find(catalogue.Group, code)
			if !ok || !e.Active {
				continue
			}
			if e.Code == to {
				return n
			}
			next = append(next, e.Groups...)
		}
		slices.Sort(next)
		from = slices.Compact(next)
	}
	return -1
}
