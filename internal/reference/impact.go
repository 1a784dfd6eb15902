package reference

import (
	"fmt"
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// impact is what a change would do to holders.
type impact struct {
	caller                     access.Caller
	before                     Entry
	after                      *Entry
	oldCatalogue, newCatalogue *catalogue.Catalogue
	referrers                  nameList // what names a code that is to go
	// accounts that would be outside their licence; that hold a licence whose sort of sign-in changes
	outside, keys nameList
	lost          []access.Permission
	// adminLost says that somebody would no longer be an administrator, adminLeft that one is left who can sign in.
	adminLost, adminLeft bool
	cache                map[string]accountImpact
}

// accountImpact is what a change does to accounts with the same licence, roles and groups.
type accountImpact struct {
	outside   []string
	lost      []access.Permission
	had, has  bool
	canSignIn bool
}

func (e *impact) addHolder(h Holder) {
	kind, code := e.before.Kind, e.before.Code
	if e.after == nil {
		if holds(h, kind, code) {
			e.referrers.add(h.Type + " " + h.Name)
		}
		return
	}
	if h.Type != "account" {
		return
	}
	v := e.impactOn(h)
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
	e.adminLeft = e.adminLeft || (v.has && v.canSignIn && h.CanSignIn)
}

func holds(h Holder, kind catalogue.Kind, code string) bool {
	return slices.ContainsFunc(h.Codes[kind],
		func(held string) bool { return catalogue.Fold(held) == catalogue.Fold(code) })
}

// impactOn judges one account, from memory where one like it was judged before.
func (e *impact) impactOn(h Holder) accountImpact {
	licences, roles, groups := h.Codes[catalogue.Licence], h.Codes[catalogue.Role], h.Codes[catalogue.Group]
	key := strings.Join(licences, ";") + "\n" + strings.Join(roles, ";") + "\n" + strings.Join(groups, ";")
	if v, ok := e.cache[key]; ok {
		return v
	}
	var v accountImpact
	outside := map[*catalogue.Catalogue][]string{}
	for _, c := range []*catalogue.Catalogue{e.oldCatalogue, e.newCatalogue} {
		for _, code := range licences {
			licence, _ := c.Find(catalogue.Licence, code)
			outside[c] = access.OutsideLicence(c, licence, roles, groups)
			v.canSignIn = !licence.APIOnly
		}
	}
	for _, code := range outside[e.newCatalogue] {
		if !slices.Contains(outside[e.oldCatalogue], code) { // an older wrong is not this change's
			v.outside = append(v.outside, code)
		}
	}
	had, has := access.Permissions(e.oldCatalogue, roles, groups), access.Permissions(e.newCatalogue, roles, groups)
	v.lost, v.had, v.has = has.Missing(had), had.Has(access.AccountAdmin), has.Has(access.AccountAdmin)
	e.cache[key] = v
	return v
}

// conflict returns what speaks against the change, nil if nothing does.
func (e *impact) conflict() error {
	name := kindName(e.before.Kind) + " " + e.before.Code
	switch {
	case e.referrers.count > 0:
		return e.referrers.fault("inUse", "code", fmt.Sprintf("The %s is in use by %d: ", name, e.referrers.count),
			". Take it away from them, or lock it instead (active: false): then nobody new can be given it.")
	case e.keys.count > 0:
		return e.keys.fault("inUse", "apiOnly",
			fmt.Sprintf("%d accounts hold the %s, and how they sign in would change: ", e.keys.count, name),
			". Give them another licence first.")
	case e.outside.count > 0:
		return e.outside.fault("outsideLicence", e.inputField(),
			fmt.Sprintf("%d accounts would hold roles that their licence does not allow: ", e.outside.count),
			". Take these roles from them first, or give them another licence.")
	case len(e.lost) > 0:
		return fault.New(fault.Conflict, "self", "You would take %s from yourself; another administrator can.", e.lost[0])
	case e.adminLost && !e.adminLeft:
		return fault.New(fault.Conflict, "lastAdministrator",
			"Nobody who can sign in would hold %s any more; give it to somebody by another role first.", access.AccountAdmin)
	}
	return nil
}

// inputField is the input that a refusal speaks of.
func (e *impact) inputField() string {
	switch {
	case !slices.Equal(e.before.Roles, e.after.Roles):
		return "roles"
	case !slices.Equal(e.before.Groups, e.after.Groups):
		return "groups"
	}
	return "active"
}
