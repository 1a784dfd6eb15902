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

// Rules checks changes of resources and turns them into writes. POST, PATCH and the rows of an import all use it.
type Rules struct {
	// Find returns the resource with a code in the environment's snapshot, and whether there is one. An import looks among
	// the resources of its own file first.
	Find func(ctx context.Context, env environment.Environment, code string) (Resource, bool, error)
}

// CreateOptions is what a new resource has besides its fields.
type CreateOptions struct {
	// AccountID is the account of the resource; empty for none.
	AccountID string
	// Description is used if the fields have no description.
	Description string
	Now         time.Time
}

// Create returns the write that creates a resource from a patch, or the faults of its fields. What the patch leaves out
// comes from the resource group's defaults, then, for country and currency, from the environment's. What the patch
// empties stays empty. Without a code the store assigns a number.
func (r Rules) Create(ctx context.Context, sc access.Scope, patch field.Patch, m CreateOptions) (Write, error) {
	v := validation{scope: sc,
		after: Resource{Description: m.Description, AccountID: m.AccountID, Active: true, Version: firstVersion(m.Now)}}
	v.faults = Fields().Apply(&v.after, patch)
	v.checkCode()
	v.resolveGroup()
	v.applyGroupDefaults(patch)
	v.applyEnvironmentDefaults(patch)
	if err := v.check(ctx, r); err != nil {
		return Write{}, err
	}
	v.after.CreatedAt, v.after.UpdatedAt = m.Now, m.Now
	return v.newWrite(sc, auditlog.Created, nil, m.Now), nil
}

// Change returns the write that applies a patch to a resource, without the event's id. If nothing would change, the
// write has no event kind. With reset, the group's defaults replace what the patch leaves out.
func (r Rules) Change(ctx context.Context, sc access.Scope, before Resource, patch field.Patch, reset bool,
	now time.Time) (Write, error) {
	v := validation{scope: sc, before: &before, after: before}
	v.faults = ChangeFields().Apply(&v.after, patch)
	v.resolveGroup()
	if reset {
		v.applyGroupDefaults(patch)
	}
	if err := v.check(ctx, r); err != nil {
		return Write{}, err
	}
	diff := Fields().Compare(&before, &v.after)
	if len(diff) == 0 {
		return Write{}, nil
	}
	v.after.Version, v.after.UpdatedAt = before.Version+1, now
	write := v.newWrite(sc, auditlog.Changed, &before, now)
	write.Event.Changes = diff
	return write, nil
}

// firstVersion is the version of a resource created now. Unlike an account's id, a code can be deleted and created
// again. Its versions start from the clock, so that no earlier ETag is valid.
func firstVersion(now time.Time) int64 { return now.UnixMilli() }

// validation is the state of one Create or Change; its methods are the rules.
type validation struct {
	scope  access.Scope
	before *Resource
	after  Resource
	faults []fault.Field
}

func (v *validation) newWrite(sc access.Scope, kind auditlog.Kind, before *Resource, now time.Time) Write {
	return Write{Before: before, After: v.after, Event: newEvent(sc, kind, v.after, now)}
}

// newEvent returns the event of a change, without an id.
func newEvent(sc access.Scope, kind auditlog.Kind, after Resource, now time.Time) auditlog.Event {
	return auditlog.Event{
		At: now, Kind: kind, Subject: after.Subject(), Version: after.Version,
		By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID,
		RetentionDays: sc.Env.Settings.LogRetentionDays,
	}
}

// check runs the rules on the resource as it would be, and returns all faults.
func (v *validation) check(ctx context.Context, r Rules) error {
	for _, c := range references() {
		v.resolveReference(c)
	}
	if err := v.resolveManager(ctx, r); err != nil {
		return err
	}
	for _, f := range Fields().Missing(&v.after) {
		v.addFault(f.Field, f.Code, f.Message)
	}
	for _, name := range []string{"country", "currency"} { // these have defaults, so a request does not need them
		if Fields().Value(&v.after, name) == nil {
			v.addFault(name, "required", "A resource needs a "+name+".")
		}
	}
	return fault.InvalidFields(v.faults)
}

// addFault adds a fault, unless the field has one already: one for each field at a time.
func (v *validation) addFault(name, code, message string) {
	if !slices.ContainsFunc(v.faults, func(f fault.Field) bool { return f.Field == name }) {
		v.faults = append(v.faults, fault.Field{Field: name, Code: code, Message: message})
	}
}

// checkCode checks a code that the caller chose; a blank one becomes a number.
func (v *validation) checkCode() {
	code := v.after.Code
	switch {
	case code == "":
	case catalogue.CodeFault(code) != "":
		v.addFault("code", "code", catalogue.CodeFault(code))
	case catalogue.Fold(code) == reservedCode:
		v.addFault("code", "code", "This code is reserved; choose another.")
	}
}

// reservedCode is in the path of GET /api/resources/fields, so no resource can have it.
const reservedCode = "fields"

// reference is a field that has a code of reference data.
type reference struct {
	field        string
	kind         catalogue.Kind
	at           func(*Resource) *string
	groupDefault func(catalogue.ResourceDefaults) string
}

// references are the fields with codes, except the group, which is resolved first because it has their defaults.
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

func (v *validation) resolveGroup() {
	v.resolveReference(
		reference{field: "resourceGroup", kind: catalogue.ResourceGroup,
			at: func(r *Resource) *string { return &r.ResourceGroup }})
}

// resolveReference replaces a code by the catalogue's spelling. A new code has to be active. One that was there before
// may stay even if it was locked since, so that other fields can be changed.
func (v *validation) resolveReference(c reference) {
	code := c.at(&v.after)
	if *code == "" || (v.before != nil && *c.at(v.before) == *code) {
		return
	}
	e, ok := v.scope.Catalogue.Find(c.kind, *code)
	if !ok || !e.Active {
		v.addFault(c.field, "unknownCode",
			"There is no active "+lowerLabel(c.field)+" "+catalogue.QuoteCode(*code)+
				"; choose another code or leave this blank.")
		return
	}
	*code = e.Code
}

// lowerLabel returns a field's label within a sentence, such as "cost centre".
func lowerLabel(name string) string { return strings.ToLower(Fields().Find(name).Label) }

// applyGroupDefaults fills in the resource group's defaults for fields that the patch leaves out.
func (v *validation) applyGroupDefaults(patch field.Patch) {
	group, ok := v.scope.Catalogue.Find(catalogue.ResourceGroup, v.after.ResourceGroup)
	if !ok {
		return
	}
	setDefault := func(name string, at *string, value string) {
		if _, given := patch[name]; !given && value != "" {
			*at = value
		}
	}
	for _, c := range references() {
		setDefault(c.field, c.at(&v.after), c.groupDefault(group.Defaults))
	}
	setDefault("currency", &v.after.Currency, group.Defaults.Currency)
	// The default manager can be in the group too, and nobody is their own manager.
	if catalogue.Fold(group.Defaults.Manager) != v.after.Key() {
		setDefault("manager", &v.after.Manager, group.Defaults.Manager)
	}
}

// applyEnvironmentDefaults fills in country and currency if neither the patch nor the group has them.
func (v *validation) applyEnvironmentDefaults(patch field.Patch) {
	setDefault := func(name string, at *string, value string) {
		if _, given := patch[name]; !given && *at == "" {
			*at = value
		}
	}
	setDefault("country", &v.after.Country, v.scope.Env.Settings.Country)
	setDefault("currency", &v.after.Currency, v.scope.Env.Settings.Currency)
}

// resolveManager checks the manager: another resource, and active when it is set. Longer cycles are allowed: two
// partners can approve each other's claims, and nothing follows managers further than one step.
func (v *validation) resolveManager(ctx context.Context, r Rules) error {
	code := v.after.Manager
	if code == "" || (v.before != nil && v.before.Manager == code) {
		return nil
	}
	if catalogue.Fold(code) == v.after.Key() {
		v.addFault("manager", "self", "A resource cannot be its own manager; choose another or leave this blank.")
		return nil
	}
	found, ok := Resource{}, false
	if catalogue.CodeFault(code) == "" { // a text that cannot be a code is not looked up
		var err error
		if found, ok, err = r.Find(ctx, v.scope.Env, code); err != nil {
			return err
		}
	}
	if !ok || !found.Active {
		v.addFault("manager", "unknownCode",
			"There is no active resource "+catalogue.QuoteCode(code)+"; choose another code or leave this blank.")
		return nil
	}
	v.after.Manager = found.Code
	return nil
}
