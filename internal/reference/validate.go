package reference

import (
	"slices"
	"strconv"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// validation checks the fields of an entry against the rest of the catalogue.
type validation struct {
	input
	catalogue *catalogue.Catalogue
	after     Entry
	faults    []fault.Field
}

// input is a caller's change of an entry; before is nil for a new one.
type input struct {
	kind   catalogue.Kind
	before *Entry
	patch  field.Patch
}

// validate applies a patch to an entry, or to a new one of the kind if before is nil. It returns the entry as it would
// be, and everything that is wrong with it. Only fields of the patch are checked: the description of an entry with
// locked codes can still be corrected.
func validate(sc access.Scope, c *catalogue.Catalogue, in input) (Entry, []fault.Field) {
	v := validation{input: in, catalogue: c, after: Entry{Kind: in.kind, Active: true}}
	table := Fields(in.kind)
	if in.before != nil {
		v.after, table = *in.before, ChangeFields(in.kind)
	}
	v.faults = table.Apply(&v.after, in.patch)
	if in.before == nil {
		v.checkCode()
	}
	if in.kind == catalogue.Application {
		v.checkApplication(sc)
	} else {
		v.checkPermissions()
	}
	v.resolveCodes("roles", catalogue.Role, func(e *Entry) *[]string { return &e.Roles })
	v.resolveCodes("groups", catalogue.Group, func(e *Entry) *[]string { return &e.Groups })
	for name, d := range map[string]struct {
		kind catalogue.Kind
		at   func(*Entry) *string
	}{
		"department":    {catalogue.Department, func(e *Entry) *string { return &e.Defaults.Department }},
		"costCentre":    {catalogue.CostCentre, func(e *Entry) *string { return &e.Defaults.CostCentre }},
		"paymentMethod": {catalogue.PaymentMethod, func(e *Entry) *string { return &e.Defaults.PaymentMethod }},
		"paymentTerms":  {catalogue.PaymentTerms, func(e *Entry) *string { return &e.Defaults.PaymentTerms }},
	} {
		v.resolveDefault(name, d.kind, d.at)
	}
	if manager := v.after.Defaults.Manager; manager != "" && catalogue.CodeFault(manager) != "" {
		v.addFault("manager", "code", "Manager must be the code of a resource. "+catalogue.CodeFault(manager))
	}
	if v.after.Kind == catalogue.Group {
		v.checkNesting()
	}
	slices.SortFunc(v.faults, func(a, b fault.Field) int { return strings.Compare(a.Field, b.Field) })
	return v.after, v.faults
}

func (v *validation) addFault(name, code, message string) {
	if !slices.ContainsFunc(v.faults, func(f fault.Field) bool { return f.Field == name }) {
		v.faults = append(v.faults, fault.Field{Field: name, Code: code, Message: message})
	}
}

func (v *validation) checkCode() {
	if message := catalogue.CodeFault(v.after.Code); message != "" {
		code := "code"
		if v.after.Code == "" {
			code = "required"
		}
		v.addFault("code", code, message)
	}
}

func (v *validation) given(name string) bool {
	_, ok := v.patch[name]
	return ok
}

func (v *validation) checkPermissions() {
	if !v.given("permissions") {
		return
	}
	all := access.All()
	var unknown []string
	for i, name := range v.after.Permissions {
		if _, ok := all[access.Permission(name)]; ok {
			continue
		}
		application, own, ok := v.catalogue.ApplicationPermission(name)
		if !ok {
			unknown = append(unknown, catalogue.QuoteCode(name))
			continue
		}
		v.after.Permissions[i] = application.PermissionName(own)
	}
	if len(unknown) > 0 {
		v.addFault("permissions", "unknownPermission",
			"There is no permission "+strings.Join(unknown, ", ")+".")
	}
	v.after.Permissions = sortedUnique(v.after.Permissions)
}

// resolveCodes replaces codes by the catalogue's spelling. New codes have to be active. One that was there before may
// stay even if it was locked since.
func (v *validation) resolveCodes(name string, kind catalogue.Kind, at func(*Entry) *[]string) {
	if !v.given(name) {
		return
	}
	var had []string
	if v.before != nil {
		had = *at(v.before)
	}
	var known, unknown []string
	for _, code := range *at(&v.after) {
		e, ok := v.catalogue.Find(kind, code)
		if ok && (e.Active || slices.Contains(had, e.Code)) {
			known = append(known, e.Code)
		} else {
			unknown = append(unknown, catalogue.QuoteCode(code))
		}
	}
	if len(unknown) > 0 {
		v.addFault(name, "unknownCode", "There is no active "+kindName(kind)+" "+strings.Join(unknown, ", ")+".")
		return
	}
	*at(&v.after) = sortedUnique(known)
}

func (v *validation) resolveDefault(name string, kind catalogue.Kind, at func(*Entry) *string) {
	code := at(&v.after)
	if *code == "" || !v.given(name) || (v.before != nil && *at(v.before) == *code) {
		return
	}
	e, ok := v.catalogue.Find(kind, *code)
	if !ok || !e.Active {
		v.addFault(name, "unknownCode", "There is no active "+kindName(kind)+" "+catalogue.QuoteCode(*code)+".")
		return
	}
	*code = e.Code
}

// sortedUnique returns codes sorted, each once: two spellings can be the same code.
func sortedUnique(codes []string) []string {
	out := slices.Clone(codes)
	slices.Sort(out)
	return slices.Compact(out)
}

// maxNesting is how many levels deep groups can be, including the outermost.
const maxNesting = 10

// checkNesting refuses cycles of groups, and groups that are nested too deep. Locked groups count: they can be
// unlocked.
func (v *validation) checkNesting() {
	if !v.given("groups") || len(v.faults) > 0 {
		return
	}
	with := v.catalogue.Replace(v.after)
	if path := findCycle(with, v.after.Code); path != nil {
		v.addFault("groups", "circle", "A group cannot contain itself: "+strings.Join(path, " → ")+".")
		return
	}
	depths := map[string]int{}
	for _, g := range with.All(catalogue.Group) {
		if depth(with, g.Code, depths) > maxNesting {
			v.addFault("groups", "tooDeep",
				"Groups can be nested at most "+strconv.Itoa(maxNesting)+" levels deep; "+g.Code+" would be deeper.")
			return
		}
	}
}

// findCycle returns the path from a group back to itself, or nil.
func findCycle(c *catalogue.Catalogue, code string) []string {
	seen := map[string]bool{}
	var walk func(at string, path []string) []string
	walk = func(at string, path []string) []string {
		g, ok := c.Find(catalogue.Group, at)
		if !ok {
			return nil
		}
		path = append(path, g.Code)
		for _, next := range g.Groups {
			folded := catalogue.Fold(next)
			if folded == catalogue.Fold(code) {
				return append(slices.Clone(path), code)
			}
			if seen[folded] {
				continue
			}
			seen[folded] = true
			if found := walk(next, path); found != nil {
				return found
			}
		}
		return nil
	}
	return walk(code, nil)
}

// depth returns how many levels deep a group is. The catalogue has no cycle.
func depth(c *catalogue.Catalogue, code string, known map[string]int) int {
	folded := catalogue.Fold(code)
	if d, ok := known[folded]; ok {
		return d
	}
	g, ok := c.Find(catalogue.Group, code)
	if !ok {
		return 0
	}
	known[folded] = 1 // ends the walk if there is a cycle after all
	deepest := 0
	for _, next := range g.Groups {
		deepest = max(deepest, depth(c, next, known))
	}
	known[folded] = deepest + 1
	return deepest + 1
}
