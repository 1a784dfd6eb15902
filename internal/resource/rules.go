package resource

import (
	"context"
	"slices"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Rules plans what becomes of resources. POST, PATCH and a row of an import all come through Create and Change.
type Rules struct {
	// Find returns the resource of a code, as a reader of the environment's snapshot sees it, and whether there is one. An
	// import puts the resources of its own file before the store's.
	Find func(ctx context.Context, env environment.Environment, code string) (Resource, bool, error)
}

// CreateOptions is what a new resource is made with, besides its fields.
type CreateOptions struct {
	// AccountID is the account that it is made for; empty for none.
	AccountID string
	// Description is the description unless the fields give one.
	Description string
	Now         time.Time
}

// Create returns the write that makes a resource from a patch, or the faults of its fields. What the patch does not
// name comes from the resource group's defaults, else, for country and currency, from the environment's; what it
// empties stays empty. Without a code the store finds the number.
func (r Rules) Create(ctx context.Context, sc access.Scope, patch field.Patch, m CreateOptions) (Write, error) {
	p := validation{scope: sc,
		after: Resource{Description: m.Description, AccountID: m.AccountID, Active: true, Version: firstVersion(m.Now)}}
	p.faults = Fields().Apply(&p.after, patch)
	p.checkCode()
	p.resolveGroup()
	p.applyGroupDefaults(patch)
	p.applyEnvironmentDefaults(patch)
	if err := p.check(ctx, r); err != nil {
		return Write{}, err
	}
	p.after.CreatedAt, p.after.UpdatedAt = m.Now, m.Now
	return p.newWrite(sc, auditlog.Created, nil, m.Now), nil
}

// Change returns the write that applies a patch to a resource, but for the event's id; a write without an event kind if
// nothing would change. With reset, what the patch does not name comes from the resource group, as far as that has a
// default for it, in place of what is there.
func (r Rules) Change(ctx context.Context, sc access.Scope, before Resource, patch field.Patch, reset bool,
	now time.Time) (Write, error) {
	p := validation{scope: sc, before: &before, after: before}
	p.faults = ChangeFields().Apply(&p.after, patch)
	p.resolveGroup()
	if reset {
		p.applyGroupDefaults(patch)
	}
	if err := p.check(ctx, r); err != nil {
		return Write{}, err
	}
	diff := Fields().Compare(&before, &p.after)
	if len(diff) == 0 {
		return Write{}, nil
	}
	p.after.Version, p.after.UpdatedAt = before.Version+1, now
	write := p.newWrite(sc, auditlog.Changed, &before, now)
	write.Event.Changes = diff
	return write, nil
}

// firstVersion is the version of a resource made now. A code can be deleted and made again, unlike an account's id, so
// its versions go on from the clock: whoever read the one of before holds no ETag of the one of now.
func firstVersion(now time.Time) int64 { return now.UnixMilli() }

// validation carries one plan; its methods are the rules.
type validation struct {
	scope  access.Scope
	before *Resource
	after  Resource
	faults []fault.Field
}

func (p *validation) newWrite(sc access.Scope, kind auditlog.Kind, before *Resource, now time.Time) Write {
	return Write{Before: before, After: p.after, Event: newEvent(sc, kind, p.after, now)}
}

// newEvent is the line that a change of a resource writes into the log, but for its id.
func newEvent(sc access.Scope, kind auditlog.Kind, after Resource, now time.Time) auditlog.Event {
	return auditlog.Event{
		At: now, Kind: kind, Subject: after.Subject(), Version: after.Version,
		By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID,
		RetentionDays: sc.Env.Settings.LogRetentionDays,
	}
}

// check runs the rules that look at the resource as it would be, and returns all that is wrong with it.
func (p *validation) check(ctx context.Context, r Rules) error {
	for _, c := range references() {
		p.resolveReference(c)
	}
	if err := p.resolveManager(ctx, r); err != nil {
		return err
	}
	for _, f := range Fields().Missing(&p.after) {
		p.addFault(f.Field, f.Code, f.Message)
	}
	for _, name := range []string{"country", "currency"} { // with a default, so not required of a request
		if Fields().Value(&p.after, name) == nil {
			p.addFault(name, "required", "A resource needs a "+name+".")
		}
	}
	return fault.InvalidFields(p.faults)
}

// addFault adds a fault, unless the field has one already: one thing at a time for each field.
func (p *validation) addFault(name, code, message string) {
	if !slices.ContainsFunc(p.faults, func(f fault.Field) bool { return f.Field == name }) {
		p.faults = append(p.faults, fault.Field{Field: name, Code: code, Message: message})
	}
}

// checkCode holds the rules of a hand-given code; a blank one becomes a number.
func (p *validation) checkCode() {
	code := p.after.Code
	switch {
	case code == "":
	case catalogue.CodeFault(code) != "":
		p.addFault("code", "code", catalogue.CodeFault(code))
	case catalogue.Fold(code) == reservedCode:
		p.addFault("code", "code", "This code is taken by an address of the API; choose another.")
	}
}

// reservedCode stands where a code does in GET /api/resources/fields, so no resource can have it.
const reservedCode = "fields"

// reference is a field that holds a code of reference data.
type reference struct {
	field        string
	kind         catalogue.Kind
	at           func(*Resource) *string
	groupDefault func(catalogue.ResourceDefaults) string
}

// references are the fields with codes besides the group, which comes before them, as it gives their defaults.
func references() []reference {
	return []reference{
		{"department", catalogue.Department, func(r *Resource) *string { return &r.Department },
			func(d catalogue.ResourceDefaults) string { return d.Department }},
		{"costCentre", catalogue.CostCentre, func(r *Resource) *string { return &r.CostCentre },
			func(d catalogue.ResourceDefaults) string { return d.CostCentre }},
		{"paymentMethod", catalogue.PaymentMethod, func(r *Resource) *string { return &r.PaymentMethod },
			func(d catalogue.ResourceDefaults) string { return d.PaymentMethod }},
		{"paymentTerms", catalogue.PaymentTerms, func(r *Resource) *string { return &r.PaymentTerms },
			func(d catalogue.ResourceDefaults) string { return d.PaymentTerms }},
	}
}

func (p *validation) resolveGroup() {
	p.resolveReference(
		reference{field: "resourceGroup", kind: catalogue.ResourceGroup,
			at: func(r *Resource) *string { return &r.ResourceGroup }})
}

// resolveReference replaces a code by the catalogue's spelling. One that was there before may stay though it was locked
// since, so that other fields can still be mended; a new one has to be active.
func (p *validation) resolveReference(c reference) {
	code := c.at(&p.after)
	if *code == "" || (p.before != nil && *c.at(p.before) == *code) {
		return
	}
	e, ok := p.scope.Catalogue.Find(c.kind, *code)
	if !ok || !e.Active {
		p.addFault(c.field, "unknownCode",
			"There is no active "+lowerLabel(c.field)+" "+catalogue.QuoteCode(*code)+"; give another code or leave it empty.")
		return
	}
	*code = e.Code
}

// lowerLabel returns what a person calls a field: "cost centre".
func lowerLabel(name string) string { return strings.ToLower(Fields().Find(name).Label) }

// applyGroupDefaults gives the fields that the patch does not name the resource group's defaults, where there are any.
func (p *validation) applyGroupDefaults(patch field.Patch) {
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
		give(c.field, c.at(&p.after), c.groupDefault(group.Defaults))
	}
	give("currency", &p.after.Currency, group.Defaults.Currency)
	// The group's usual manager is in the group as well, and nobody is their own manager.
	if catalogue.Fold(group.Defaults.Manager) != p.after.Key() {
		give("manager", &p.after.Manager, group.Defaults.Manager)
	}
}

// applyEnvironmentDefaults gives country and currency, where the patch does not name them and the group had none.
func (p *validation) applyEnvironmentDefaults(patch field.Patch) {
	give := func(name string, at *string, value string) {
		if _, named := patch[name]; !named && *at == "" {
			*at = value
		}
	}
	give("country", &p.after.Country, p.scope.Env.Settings.Country)
	give("currency", &p.after.Currency, p.scope.Env.Settings.Currency)
}

// resolveManager holds the rules of the manager: another resource, active when it is given. Longer circles are allowed:
// two partners who approve each other's claims are no mistake, and nothing follows managers further than one step.
func (p *validation) resolveManager(ctx context.Context, r Rules) error {
	code := p.after.Manager
	if code == "" || (p.before != nil && p.before.Manager == code) {
		return nil
	}
	if catalogue.Fold(code) == p.after.Key() {
		p.addFault("manager", "self", "A resource cannot be its own manager; choose another or leave it empty.")
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
		p.addFault("manager", "unknownCode",
			"There is no active resource "+catalogue.QuoteCode(code)+"; give another code or leave it empty.")
		return nil
	}
	p.after.Manager = found.Code
	return nil
}
