package resource

import (
	"context"
	"slices"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/journal"
)

// Rules plans what becomes of resources. POST, PATCH and a row of an import all come through Create and Change.
type Rules struct {
	// Find returns the resource of a code, as a reader of the environment's snapshot sees it, and whether there is one. An
	// import puts the resources of its own file before the store's.
	Find func(ctx context.Context, env environment.Environment, code string) (Resource, bool, error)
}

// Making is what a new resource is made with, besides its fields.
type Making struct {
	// AccountID is the account that it is made for; empty for none.
	AccountID string
	// Description is the description unless the fields give one.
	Description string
	Now         time.Time
}

// Create returns the write that makes a resource from a patch, or the faults of its fields. What the patch does not name
// comes from the resource group's defaults, else, for country and currency, from the environment's; what it empties stays
// empty. Without a code the store finds the number.
func (r Rules) Create(ctx context.Context, sc access.Scope, patch field.Patch, m Making) (Write, error) {
	p := planner{scope: sc, after: Resource{Description: m.Description, AccountID: m.AccountID, Active: true, Version: firstVersion(m.Now)}}
	p.bad = Fields().Apply(&p.after, patch)
	p.code()
	p.group()
	p.fromGroup(patch)
	p.fromEnvironment(patch)
	if err := p.check(ctx, r); err != nil {
		return Write{}, err
	}
	p.after.CreatedAt, p.after.UpdatedAt = m.Now, m.Now
	return p.write(sc, journal.Created, nil, m.Now), nil
}

// Change returns the write that applies a patch to a resource, but for the event's id; a write without an event kind if
// nothing would change. With reset, what the patch does not name comes from the resource group, as far as that has a
// default for it, in place of what is there.
func (r Rules) Change(ctx context.Context, sc access.Scope, before Resource, patch field.Patch, reset bool, now time.Time) (Write, error) {
	p := planner{scope: sc, before: &before, after: before}
	p.bad = ChangeFields().Apply(&p.after, patch)
	p.group()
	if reset {
		p.fromGroup(patch)
	}
	if err := p.check(ctx, r); err != nil {
		return Write{}, err
	}
	diff := Fields().Compare(&before, &p.after)
	if len(diff) == 0 {
		return Write{}, nil
	}
	p.after.Version, p.after.UpdatedAt = before.Version+1, now
	write := p.write(sc, journal.Changed, &before, now)
	write.Event.Changes = diff
	return write, nil
}

// firstVersion is the version of a resource made now. A code can be deleted and made again, unlike an account's id, so its
// versions go on from the clock: whoever read the one of before holds no ETag of the one of now.
func firstVersion(now time.Time) int64 { return now.UnixMilli() }

// planner carries one plan; its methods are the rules.
type planner struct {
	scope  access.Scope
	before *Resource
	after  Resource
	bad    []fault.Field
}

func (p *planner) write(sc access.Scope, kind journal.Kind, before *Resource, now time.Time) Write {
	return Write{Before: before, After: p.after, Event: event(sc, kind, p.after, now)}
}

// event is the line that a change of a resource writes into the log, but for its id.
func event(sc access.Scope, kind journal.Kind, after Resource, now time.Time) journal.Event {
	return journal.Event{
		At: now, Kind: kind, Subject: after.Subject(), Version: after.Version,
		By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID, Keep: sc.Env.Settings.LogRetentionDays,
	}
}

// check runs the rules that look at the resource as it would be, and returns all that is wrong with it.
func (p *planner) check(ctx context.Context, r Rules) error {
	for _, c := range references() {
		p.reference(c)
	}
	if err := p.manager(ctx, r); err != nil {
		return err
	}
	for _, f := range Fields().Missing(&p.after) {
		p.refuse(f.Field, f.Code, f.Message)
	}
	for _, name := range []string{"country", "currency"} { // with a default, so not required of a request
		if Fields().Value(&p.after, name) == nil {
			p.refuse(name, "required", "A resource needs a "+name+".")
		}
	}
	return fault.InvalidFields(p.bad)
}

// refuse adds a fault, unless the field has one already: one thing at a time for each field.
func (p *planner) refuse(name, code, message string) {
	if !slices.ContainsFunc(p.bad, func(f fault.Field) bool { return f.Field == name }) {
		p.bad = append(p.bad, fault.Field{Field: name, Code: code, Message: message})
	}
}

// code holds the rules of a hand-given code; a blank one becomes a number.
func (p *planner) code() {
	code := p.after.Code
	switch {
	case code == "":
	case catalogue.CodeFault(code) != "":
		p.refuse("code", "code", catalogue.CodeFault(code))
	case catalogue.Fold(code) == fieldsWord:
		p.refuse("code", "code", "This code is taken by an address of the API; choose another.")
	}
}

// fieldsWord stands where a code does in GET /api/resources/fields, so no resource can have it.
const fieldsWord = "fields"

// reference is a field that holds a code of reference data.
type reference struct {
	field string
	kind  catalogue.Kind
	at    func(*Resource) *string
	gives func(catalogue.ResourceDefaults) string
}

// references are the fields with codes besides the group, which comes before them, as it gives their defaults.
func references() []reference {
	return []reference{
		{"department", catalogue.Department, func(r *Resource) *string { return &r.Department }, func(d catalogue.ResourceDefaults) string { return d.Department }},
		{"costCentre", catalogue.CostCentre, func(r *Resource) *string { return &r.CostCentre }, func(d catalogue.ResourceDefaults) string { return d.CostCentre }},
		{"paymentMethod", catalogue.PaymentMethod, func(r *Resource) *string { return &r.PaymentMethod }, func(d catalogue.ResourceDefaults) string { return d.PaymentMethod }},
		{"paymentTerms", catalogue.PaymentTerms, func(r *Resource) *string { return &r.PaymentTerms }, func(d catalogue.ResourceDefaults) string { return d.PaymentTerms }},
	}
}

func (p *planner) group() {
	p.reference(reference{field: "resourceGroup", kind: catalogue.ResourceGroup, at: func(r *Resource) *string { return &r.ResourceGroup }})
}

// reference replaces a code by the catalogue's spelling. One that was there before may stay though it was locked since, so
// that other fields can still be mended; a new one has to be active.
func (p *planner) reference(c reference) {
	code := c.at(&p.after)
	if *code == "" || (p.before != nil && *c.at(p.before) == *code) {
		return
	}
	e, ok := p.scope.Catalogue.Find(c.kind, *code)
	if !ok || !e.Active {
		p.refuse(c.field, "unknownCode", "There is no active "+words(c.field)+" "+quote(*code)+"; give another code or leave it empty.")
		return
	}
	*code = e.Code
}

// words returns what a person calls a field: "cost centre".
func words(name string) string { return strings.ToLower(Fields().Find(name).Label) }

// fromGroup gives the fields that the patch does not name the resource group's defaults, where there are any.
func (p *planner) fromGroup(patch field.Patch) {
	group, ok := p.scope.Catalogue.Find(catalogue.ResourceGroup, p.after.ResourceGroup)
	if !ok {
		return
	}
	give := func(name string, at *string, value string) {
		if _, named := patch[name]; !named && value != "" {
			*at = value
		}
	}
	for _, c := range references() {
		give(c.field, c.at(&p.after), c.gives(group.Defaults))
	}
	give("currency", &p.after.Currency, group.Defaults.Currency)
	// The group's usual manager is in the group as well, and nobody is their own manager.
	if catalogue.Fold(group.Defaults.Manager) != p.after.Key() {
		give("manager", &p.after.Manager, group.Defaults.Manager)
	}
}

// fromEnvironment gives country and currency, where the patch does not name them and the group had none.
func (p *planner) fromEnvironment(patch field.Patch) {
	give := func(name string, at *string, value string) {
		if _, named := patch[name]; !named && *at == "" {
			*at = value
		}
	}
	give("country", &p.after.Country, p.scope.Env.Settings.Country)
	give("currency", &p.after.Currency, p.scope.Env.Settings.Currency)
}

// manager holds the rules of the manager: another resource, active when it is given. Longer circles are allowed: two
// partners who approve each other's claims are no mistake, and nothing follows managers further than one step.
func (p *planner) manager(ctx context.Context, r Rules) error {
	code := p.after.Manager
	if code == "" || (p.before != nil && p.before.Manager == code) {
		return nil
	}
	if catalogue.Fold(code) == p.after.Key() {
		p.refuse("manager", "self", "A resource cannot be its own manager; choose another or leave it empty.")
		return nil
	}
	found, ok := Resource{}, false
	if catalogue.CodeFault(code) == "" { // what no resource can be called is not looked for
		var err error
		if found, ok, err = r.Find(ctx, p.scope.Env, code); err != nil {
			return err
		}
	}
	if !ok || !found.Active {
		p.refuse("manager", "unknownCode", "There is no active resource "+quote(code)+"; give another code or leave it empty.")
		return nil
	}
	p.after.Manager = found.Code
	return nil
}

// quote bounds a caller's code before it goes into a message.
func quote(code string) string {
	if r := []rune(code); len(r) > catalogue.MaxCode {
		code = string(r[:catalogue.MaxCode]) + "…"
	}
	return "“" + code + "”"
}
