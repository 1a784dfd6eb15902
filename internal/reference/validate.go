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

// validation carries one plan: the rules of an entry's fields against the rest of the catalogue.
type validation struct {
	input
	catalogue *catalogue.Catalogue
	after     Entry
	faults    []fault.Field
}

// input is what a caller wants of an entry: before is nil for a new one.
type input struct {
	kind   catalogue.Kind
	before *Entry
	patch  field.Patch
}

// validate applies a patch to an entry, or to a blank one of the kind where before is nil. It returns the entry as it
// would be, with everything that is wrong with it. Only fields that the patch gives are judged: an entry that names a
// code which was locked since can still have its description mended.
func validate(c *catalogue.Catalogue, d input) (Entry, []fault.Field) {
	p := validation{input: d, catalogue: c, after: Entry{Kind: d.kind, Active: true}}
	table := Fields(d.kind)
	if d.before != nil {
		p.after, table = *d.before, ChangeFields(d.kind)
	}
	p.faults = table.Apply(&p.after, d.patch)
	if d.before == nil {
		p.checkCode()
	}
	p.checkPermissions()
	p.resolveCodes("roles", catalogue.Role, func(e *Entry) *[]string { return &e.Roles })
	p.resolveCodes("groups", catalogue.Group, func(e *Entry) *[]string { return &e.Groups })
	for name, d := range map[string]struct {
		kind catalogue.Kind
		at   func(*Entry) *string
	}{
		"department":    {catalogue.Department, func(e *Entry) *string { return &e.Defaults.Department }},
		"costCentre":    {catalogue.CostCentre, func(e *Entry) *string { return &e.Defaults.CostCentre }},
		"paymentMethod": {catalogue.PaymentMethod, func(e *Entry) *string { return &e.Defaults.PaymentMethod }},
		"paymentTerms":  {catalogue.PaymentTerms, func(e *Entry) *string { return &e.Defaults.PaymentTerms }},
	} {
		p.resolveDefault(name, d.kind, d.at)
	}
	if manager := p.after.Defaults.Manager; manager != "" && catalogue.CodeFault(manager) != "" {
		p.addFault("manager", "code", "Manager must be the code of a resource. "+catalogue.CodeFault(manager))
	}
	if p.after.Kind == catalogue.Group {
		p.checkNesting()
	}
	slices.SortFunc(p.faults, func(a, b fault.Field) int { return strings.Compare(a.Field, b.Field) })
	return p.after, p.faults
}

func (p *validation) addFault(name, code, message string) {
	if !slices.ContainsFunc(p.faults, func(f fault.Field) bool { return f.Field == name }) {
		p.faults = append(p.faults, fault.Field{Field: name, Code: code, Message: message})
	}
}

func (p *validation) checkCode() {
	if message := catalogue.CodeFault(p.after.Code); message != "" {
		code := "code"
		if p.after.Code == "" {
			code = "required"
		}
		p.addFault("code", code, message)
	}
}

func (p *validation) given(name string) bool {
	_, ok := p.patch[name]
	return ok
}

func (p *validation) checkPermissions() {
	if !p.given("permissions") {
		return
	}
	all := access.All()
	var unknown []string
	for _, name := range p.after.Permissions {
		if _, ok := all[access.Permission(name)]; !ok {
			unknown = append(unknown, catalogue.QuoteCode(name))
		}
	}
	if len(unknown) > 0 {
		p.addFault("permissions", "unknownPermission",
			"There is no permission "+strings.Join(unknown, ", ")+"; GET /api/access/permissions lists those there are.")
	}
	p.after.Permissions = sortedUnique(p.after.Permissions)
}

// resolveCodes replaces each code by the catalogue's spelling. A code that was there before may stay though it was
// locked since; a new one has to be active.
func (p *validation) resolveCodes(name string, kind catalogue.Kind, at func(*Entry) *[]string) {
	if !p.given(name) {
		return
	}
	var had []string
	if p.before != nil {
		had = *at(p.before)
	}
	var known, unknown []string
	for _, code := range *at(&p.after) {
		e, ok := p.catalogue.Find(kind, code)
		if ok && (e.Active || slices.Contains(had, e.Code)) {
			known = append(known, e.Code)
		} else {
			unknown = append(unknown, catalogue.QuoteCode(code))
		}
	}
	if len(unknown) > 0 {
		p.addFault(name, "unknownCode", "There is no active "+kindName(kind)+" "+strings.Join(unknown, ", ")+".")
		return
	}
	*at(&p.after) = sortedUnique(known)
}

func (p *validation) resolveDefault(name string, kind catalogue.Kind, at func(*Entry) *string) {
	code := at(&p.after)
	if *code == "" || !p.given(name) || (p.before != nil && *at(p.before) == *code) {
		return
	}
	e, ok := p.catalogue.Find(kind, *code)
	if !ok || !e.Active {
		p.addFault(name, "unknownCode", "There is no active "+kindName(kind)+" "+catalogue.QuoteCode(*code)+".")
		return
	}
	*code = e.Code
}

// sortedUnique returns codes in order, each once, because two spellings can be one code.
func sortedUnique(codes []string) []string {
	out := slices.Clone(codes)
	slices.Sort(out)
	return slices.Compact(out)
}

// maxNesting is how many groups deep a group can go, itself included.
const maxNesting = 10

// checkNesting refuses groups in a circle, and too deep. Locked groups count: they may be unlocked again.
func (p *validation) checkNesting() {
	if !p.given("groups") || len(p.faults) > 0 {
		return
	}
	with := p.catalogue.Replace(p.after)
	if path := findCycle(with, p.after.Code); path != nil {
		p.addFault("groups", "circle", "A group cannot be within itself: "+strings.Join(path, " → ")+".")
		return
	}
	depths := map[string]int{}
	for _, g := range with.All(catalogue.Group) {
		if depth(with, g.Code, depths) > maxNesting {
			p.addFault("groups", "tooDeep",
				"Groups can be at most "+strconv.Itoa(maxNesting)+" deep in each other; "+g.Code+" would go deeper.")
			return
		}
	}
}

// findCycle returns the way from a group back to itself, or nil.
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

// depth returns how many groups deep a group goes; the catalogue has no circle when it is asked.
func depth(c *catalogue.Catalogue, code string, known map[string]int) int {
	folded := catalogue.Fold(code)
	if d, ok := known[folded]; ok {
		return d
	}
	g, ok := c.Find(catalogue.Group, code)
	if !ok {
		return 0
	}
	known[folded] = 1 // ends the walk of data that has a circle all the same
	deepest := 0
	for _, next := range g.Groups {
		deepest = max(deepest, depth(c, next, known))
	}
	known[folded] = deepest + 1
	return deepest + 1
}
