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

// planner carries one plan: the rules of an entry's fields against the rest of the catalogue.
type planner struct {
	draft
	catalogue *catalogue.Catalogue
	after     Entry
	bad       []fault.Field
}

// draft is what a caller wants of an entry: before is nil for a new one.
type draft struct {
	kind   catalogue.Kind
	before *Entry
	patch  field.Patch
}

// plan applies a patch to an entry, or to a blank one of the kind where before is nil. It returns the entry as it would be,
// with everything that is wrong with it. Only fields that the patch gives are judged: an entry that names a code which was
// locked since can still have its description mended.
func plan(c *catalogue.Catalogue, d draft) (Entry, []fault.Field) {
	p := planner{draft: d, catalogue: c, after: Entry{Kind: d.kind, Active: true}}
	table := Fields(d.kind)
	if d.before != nil {
		p.after, table = *d.before, ChangeFields(d.kind)
	}
	p.bad = table.Apply(&p.after, d.patch)
	if d.before == nil {
		p.code()
	}
	p.permissions()
	p.codes("roles", catalogue.Role, func(e *Entry) *[]string { return &e.Roles })
	p.codes("groups", catalogue.Group, func(e *Entry) *[]string { return &e.Groups })
	for name, d := range map[string]struct {
		kind catalogue.Kind
		at   func(*Entry) *string
	}{
		"department":    {catalogue.Department, func(e *Entry) *string { return &e.Defaults.Department }},
		"costCentre":    {catalogue.CostCentre, func(e *Entry) *string { return &e.Defaults.CostCentre }},
		"paymentMethod": {catalogue.PaymentMethod, func(e *Entry) *string { return &e.Defaults.PaymentMethod }},
		"paymentTerms":  {catalogue.PaymentTerms, func(e *Entry) *string { return &e.Defaults.PaymentTerms }},
	} {
		p.defaultCode(name, d.kind, d.at)
	}
	if manager := p.after.Defaults.Manager; manager != "" && catalogue.CodeFault(manager) != "" {
		p.refuse("manager", "code", "Manager must be the code of a resource. "+catalogue.CodeFault(manager))
	}
	if p.after.Kind == catalogue.Group {
		p.nesting()
	}
	slices.SortFunc(p.bad, func(a, b fault.Field) int { return strings.Compare(a.Field, b.Field) })
	return p.after, p.bad
}

func (p *planner) refuse(name, code, message string) {
	if !slices.ContainsFunc(p.bad, func(f fault.Field) bool { return f.Field == name }) {
		p.bad = append(p.bad, fault.Field{Field: name, Code: code, Message: message})
	}
}

func (p *planner) code() {
	if message := catalogue.CodeFault(p.after.Code); message != "" {
		code := "code"
		if p.after.Code == "" {
			code = "required"
		}
		p.refuse("code", code, message)
	}
}

func (p *planner) given(name string) bool {
	_, ok := p.patch[name]
	return ok
}

func (p *planner) permissions() {
	if !p.given("permissions") {
		return
	}
	all := access.All()
	var unknown []string
	for _, name := range p.after.Permissions {
		if _, ok := all[access.Permission(name)]; !ok {
			unknown = append(unknown, quote(name))
		}
	}
	if len(unknown) > 0 {
		p.refuse("permissions", "unknownPermission", "There is no permission "+strings.Join(unknown, ", ")+"; GET /api/access/permissions lists those there are.")
	}
	p.after.Permissions = ordered(p.after.Permissions)
}

// codes replaces each code by the catalogue's spelling. A code that was there before may stay though it was locked since;
// a new one has to be active.
func (p *planner) codes(name string, kind catalogue.Kind, at func(*Entry) *[]string) {
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
			unknown = append(unknown, quote(code))
		}
	}
	if len(unknown) > 0 {
		p.refuse(name, "unknownCode", "There is no active "+nameOf(kind)+" "+strings.Join(unknown, ", ")+".")
		return
	}
	*at(&p.after) = ordered(known)
}

func (p *planner) defaultCode(name string, kind catalogue.Kind, at func(*Entry) *string) {
	code := at(&p.after)
	if *code == "" || !p.given(name) || (p.before != nil && *at(p.before) == *code) {
		return
	}
	e, ok := p.catalogue.Find(kind, *code)
	if !ok || !e.Active {
		p.refuse(name, "unknownCode", "There is no active "+nameOf(kind)+" "+quote(*code)+".")
		return
	}
	*code = e.Code
}

// ordered returns codes in order, each once, because two spellings can be one code.
func ordered(codes []string) []string {
	out := slices.Clone(codes)
	slices.Sort(out)
	return slices.Compact(out)
}

// quote bounds a caller's code before it goes into a message.
func quote(code string) string {
	if r := []rune(code); len(r) > field.MaxCode {
		code = string(r[:field.MaxCode]) + "…"
	}
	return "“" + code + "”"
}

// maxNesting is how many groups deep a group can go, itself included.
const maxNesting = 10

// nesting refuses groups in a circle, and too deep. Locked groups count: they may be unlocked again.
func (p *planner) nesting() {
	if !p.given("groups") || len(p.bad) > 0 {
		return
	}
	with := p.catalogue.Replace(p.after)
	if path := circle(with, p.after.Code); path != nil {
		p.refuse("groups", "circle", "A group cannot be within itself: "+strings.Join(path, " → ")+".")
		return
	}
	depths := map[string]int{}
	for _, g := range with.All(catalogue.Group) {
		if depth(with, g.Code, depths) > maxNesting {
			p.refuse("groups", "tooDeep", "Groups can be at most "+strconv.Itoa(maxNesting)+" deep in each other; "+g.Code+" would go deeper.")
			return
		}
	}
}

// circle returns the way from a group back to itself, or nil.
func circle(c *catalogue.Catalogue, code string) []string {
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
