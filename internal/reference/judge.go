package reference

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// judge refuses a change for what it would do to others: take rights from administrators, leave nobody who administers,
// put accounts outside their licence, or leave codes that name nothing. It says in the change whether its verdict holds
// only as long as nobody is given a code.
func (s *Service) judge(ctx context.Context, sc access.Scope, now Current, change *Change) error {
	before := *change.Before
	if err := guardAdministrators(sc, now.Catalogue, *change); err != nil {
		return err
	}
	if change.After != nil && !binds(change.Event.Changes) {
		return nil // nobody's rights and nobody's choices are touched
	}
	change.Given = now.Given
	e := effect{caller: sc.Caller, before: before, after: change.After, was: now.Catalogue, is: now.Catalogue.Without(before)}
	if change.After != nil {
		e.is = now.Catalogue.Replace(*change.After)
	} else {
		e.users = namedBy(now.Catalogue, before)
	}
	if change.After != nil && !slices.Contains(held(), before.Kind) {
		return nil // whoever names it keeps it, locked or not
	}
	e.memory = map[string]verdict{}
	for _, h := range s.Holders {
		if err := h.Holders(ctx, now.Env, before.Kind, e.visit); err != nil {
			return err
		}
	}
	return e.refusal()
}

// held are the kinds of which accounts hold codes that decide what they may do.
func held() []catalogue.Kind {
	return []catalogue.Kind{catalogue.Licence, catalogue.Role, catalogue.Group}
}

// binds reports whether a change of an entry matters to those who hold its code or will.
func binds(changes []field.Diff) bool {
	return slices.ContainsFunc(changes, func(d field.Diff) bool {
		return slices.Contains([]string{"active", "permissions", "roles", "groups", "apiOnly"}, d.Field)
	})
}

// guardAdministrators lets only administrators change what administrators hold their right by.
func guardAdministrators(sc access.Scope, c *catalogue.Catalogue, change Change) error {
	if sc.Caller.May(access.AccountAdmin) || (change.After != nil && !binds(change.Event.Changes)) || !gives(c, *change.Before).Has(access.AccountAdmin) {
		return nil
	}
	return fault.New(fault.Forbidden, "administrator", "The %s %s gives administrators their rights; only an administrator can change it.",
		nameOf(change.Before.Kind), change.Before.Code)
}

// aboveOwnRights refuses permissions that a change of a role or group would newly give, and that the caller does not hold (V61).
func aboveOwnRights(sc access.Scope, c *catalogue.Catalogue, before *Entry, after Entry) []fault.Field {
	granted := gives(c, after)
	if before != nil && (before.Active || !after.Active) {
		for had := range gives(c, *before) {
			delete(granted, had)
		}
	}
	beyond := sc.Caller.Permissions.Beyond(granted)
	if len(beyond) == 0 {
		return nil
	}
	words := make([]string, len(beyond))
	for i, permission := range beyond {
		words[i] = string(permission)
	}
	return []fault.Field{{
		Field: grantingField(before, after), Code: "aboveOwnRights",
		Message: "This would give permissions that you do not hold yourself: " + strings.Join(words, ", ") + ".",
	}}
}

// grantingField is the field by which an entry gives more than it did.
func grantingField(before *Entry, after Entry) string {
	switch {
	case before != nil && after.Active && !before.Active:
		return "active"
	case after.Kind == catalogue.Role:
		return "permissions"
	case before != nil && slices.Equal(before.Roles, after.Roles):
		return "groups"
	}
	return "roles"
}

// gives returns the permissions that a role or a group gives to those who hold it, as if it were active.
func gives(c *catalogue.Catalogue, e Entry) access.Set {
	e.Active = true
	with := c.Replace(e)
	switch e.Kind {
	case catalogue.Role:
		return access.Permissions(with, []string{e.Code}, nil)
	case catalogue.Group:
		return access.Permissions(with, nil, []string{e.Code})
	}
	return access.Set{}
}

// effect is what a change would do to holders.
type effect struct {
	caller        access.Caller
	before        Entry
	after         *Entry
	was, is       *catalogue.Catalogue
	users         named // what names a code that is to go
	outside, keys named // accounts that would be outside their licence; that hold a licence whose sort of sign-in changes
	lost          []access.Permission
	// adminLost says that somebody would no longer be an administrator, adminLeft that one is left who can sign in.
	adminLost, adminLeft bool
	memory               map[string]verdict
}

// verdict is what a change does to accounts with the same licence, roles and groups.
type verdict struct {
	outside   []string
	lost      []access.Permission
	had, has  bool
	canSignIn bool
}

func (e *effect) visit(h Holder) {
	kind, code := e.before.Kind, e.before.Code
	if e.after == nil {
		if holds(h, kind, code) {
			e.users.add(h.What + " " + h.Name)
		}
		return
	}
	if h.What != "account" {
		return
	}
	v := e.verdict(h)
	if len(v.outside) > 0 {
		e.outside.add(h.Name + " (" + strings.Join(v.outside, ", ") + ")")
	}
	if e.before.APIOnly != e.after.APIOnly && holds(h, catalogue.Licence, code) {
		e.keys.add(h.Name)
	}
	if h.ID == e.caller.AccountID {
		e.lost = v.lost
	}
	e.adminLost = e.adminLost || (v.had && !v.has)
	e.adminLeft = e.adminLeft || (v.has && v.canSignIn && h.SignsIn)
}

func holds(h Holder, kind catalogue.Kind, code string) bool {
	return slices.ContainsFunc(h.Codes[kind], func(held string) bool { return catalogue.Fold(held) == catalogue.Fold(code) })
}

// verdict judges one account, from memory where one like it was judged before.
func (e *effect) verdict(h Holder) verdict {
	licences, roles, groups := h.Codes[catalogue.Licence], h.Codes[catalogue.Role], h.Codes[catalogue.Group]
	key := strings.Join(licences, ";") + "\n" + strings.Join(roles, ";") + "\n" + strings.Join(groups, ";")
	if v, ok := e.memory[key]; ok {
		return v
	}
	var v verdict
	outside := map[*catalogue.Catalogue][]string{}
	for _, c := range []*catalogue.Catalogue{e.was, e.is} {
		for _, code := range licences {
			licence, _ := c.Find(catalogue.Licence, code)
			outside[c] = access.OutsideLicence(c, licence, roles, groups)
			v.canSignIn = !licence.APIOnly
		}
	}
	for _, code := range outside[e.is] {
		if !slices.Contains(outside[e.was], code) { // an older wrong is not this change's
			v.outside = append(v.outside, code)
		}
	}
	had, has := access.Permissions(e.was, roles, groups), access.Permissions(e.is, roles, groups)
	v.lost, v.had, v.has = has.Beyond(had), had.Has(access.AccountAdmin), has.Has(access.AccountAdmin)
	e.memory[key] = v
	return v
}

// refusal returns what speaks against the change, nil if nothing does.
func (e *effect) refusal() error {
	name := nameOf(e.before.Kind) + " " + e.before.Code
	switch {
	case e.users.count > 0:
		return e.users.fault("inUse", "code", fmt.Sprintf("The %s is in use by %d: ", name, e.users.count),
			". Take it away from them, or lock it instead (active: false): then nobody new can be given it.")
	case e.keys.count > 0:
		return e.keys.fault("inUse", "apiOnly", fmt.Sprintf("%d accounts hold the %s, and how they sign in would change: ", e.keys.count, name),
			". Give them another licence first.")
	case e.outside.count > 0:
		return e.outside.fault("outsideLicence", e.field(), fmt.Sprintf("%d accounts would hold roles that their licence does not allow: ", e.outside.count),
			". Take these roles from them first, or give them another licence.")
	case len(e.lost) > 0:
		return fault.New(fault.Conflict, "self", "You would take %s from yourself; another administrator can.", e.lost[0])
	case e.adminLost && !e.adminLeft:
		return fault.New(fault.Conflict, "lastAdministrator", "Nobody who can sign in would hold %s any more; give it to somebody by another role first.", access.AccountAdmin)
	}
	return nil
}

// field is the input that a refusal speaks of.
func (e *effect) field() string {
	switch {
	case !slices.Equal(e.before.Roles, e.after.Roles):
		return "roles"
	case !slices.Equal(e.before.Groups, e.after.Groups):
		return "groups"
	}
	return "active"
}

// namedBy returns what of the catalogue names an entry.
func namedBy(c *catalogue.Catalogue, e Entry) named {
	var users named
	names := func(codes ...string) bool {
		return slices.ContainsFunc(codes, func(code string) bool { return code != "" && catalogue.Fold(code) == catalogue.Fold(e.Code) })
	}
	look := func(kind catalogue.Kind, codes func(Entry) []string) {
		for _, other := range c.All(kind) {
			if names(codes(other)...) {
				users.add(nameOf(kind) + " " + other.Code)
			}
		}
	}
	byDefault := func(code func(Entry) string) {
		look(catalogue.ResourceGroup, func(g Entry) []string { return []string{code(g)} })
	}
	switch e.Kind {
	case catalogue.Role:
		look(catalogue.Licence, func(l Entry) []string { return l.Roles })
		look(catalogue.Group, func(g Entry) []string { return g.Roles })
	case catalogue.Group:
		look(catalogue.Group, func(g Entry) []string { return g.Groups })
	case catalogue.Department:
		byDefault(func(g Entry) string { return g.Defaults.Department })
	case catalogue.CostCentre:
		byDefault(func(g Entry) string { return g.Defaults.CostCentre })
	case catalogue.PaymentMethod:
		byDefault(func(g Entry) string { return g.Defaults.PaymentMethod })
	case catalogue.PaymentTerms:
		byDefault(func(g Entry) string { return g.Defaults.PaymentTerms })
	}
	return users
}

// maxNamed is how many of those that stand in the way an answer names.
const maxNamed = 20

// named counts things and keeps the names of the first.
type named struct {
	first []string
	count int
}

func (n *named) add(name string) {
	n.count++
	if len(n.first) < maxNamed {
		n.first = append(n.first, name)
	}
}

// fault is the conflict with all that is named: in a sentence, and one by one for programs.
func (n *named) fault(code, input, head, tail string) error {
	sentence := head + strings.Join(n.first, ", ")
	if more := n.count - len(n.first); more > 0 {
		sentence += fmt.Sprintf(" and %d more", more)
	}
	var fields []fault.Field
	for _, name := range n.first {
		fields = append(fields, fault.Field{Field: input, Code: code, Message: name})
	}
	return fault.New(fault.Conflict, code, "%s", sentence+tail).WithFields(fields...)
}
