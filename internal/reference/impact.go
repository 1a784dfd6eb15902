package reference

import (
	"fmt"
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// impact is the impact of a change on those who have the code.
type impact struct {
	caller                     access.Caller
	before                     Entry
	after                      *Entry
	oldCatalogue, newCatalogue *catalogue.Catalogue
	// referrers have the code that would be deleted.
	referrers nameList
	// outside are accounts that would have roles outside their licence. signInChanged are accounts whose licence changes
	// how they sign in.
	outside, signInChanged nameList
	lost                   []access.Permission
	// adminLost says that somebody would stop being an administrator, adminLeft that an administrator who can sign in is
	// left.
	adminLost, adminLeft bool
	cache                map[string]accountImpact
}

// accountImpact is the impact on all accounts with the same licence, roles and groups.
type accountImpact struct {
	outside []string
	lost    []access.Permission
	// wasAdmin and isAdmin say whether they are administrators before and after the change.
	wasAdmin, isAdmin bool
	canSignIn         bool
}

func (i *impact) addHolder(h Holder) {
	kind, code := i.before.Kind, i.before.Code
	if i.after == nil {
		if holds(h, kind, code) {
			i.addName(&i.referrers, h, h.Type+" "+h.Name)
		}
		return
	}
	if h.Type != "account" {
		return
	}
	v := i.impactOn(h)
	if len(v.outside) > 0 {
		i.addName(&i.outside, h, h.Name+" ("+strings.Join(v.outside, ", ")+")")
	}
	if i.before.APIOnly != i.after.APIOnly && holds(h, catalogue.Licence, code) {
		i.addName(&i.signInChanged, h, h.Name)
	}
	if h.ID == i.caller.AccountID {
		i.lost = v.lost
	}
	i.adminLost = i.adminLost || (v.wasAdmin && !v.isAdmin)
	i.adminLeft = i.adminLeft || (v.isAdmin && v.canSignIn && h.CanSignIn)
}

// addName adds a holder to a list. Accounts are only counted for callers who may not read them (V100).
func (i *impact) addName(list *nameList, h Holder, name string) {
	if h.Type == "account" && !i.caller.May(access.AccountRead) {
		list.count++
		return
	}
	list.add(name)
}

func holds(h Holder, kind catalogue.Kind, code string) bool {
	return catalogue.ContainsCode(h.Codes[kind], code)
}

// impactOn returns the impact on one account, from the cache if one with the same codes was there before.
func (i *impact) impactOn(h Holder) accountImpact {
	licences, roles, groups := h.Codes[catalogue.Licence], h.Codes[catalogue.Role], h.Codes[catalogue.Group]
	key := strings.Join(licences, ";") + "\n" + strings.Join(roles, ";") + "\n" + strings.Join(groups, ";")
	if v, ok := i.cache[key]; ok {
		return v
	}
	var v accountImpact
	outside := map[*catalogue.Catalogue][]string{}
	for _, c := range []*catalogue.Catalogue{i.oldCatalogue, i.newCatalogue} {
		for _, code := range licences {
			licence, _ := c.Find(catalogue.Licence, code)
			outside[c] = access.OutsideLicence(c, licence, roles, groups)
			v.canSignIn = !licence.APIOnly
		}
	}
	for _, code := range outside[i.newCatalogue] {
		if !slices.Contains(outside[i.oldCatalogue], code) { // what was outside before is not due to this change
			v.outside = append(v.outside, code)
		}
	}
	before, after := access.Permissions(i.oldCatalogue, roles, groups), access.Permissions(i.newCatalogue, roles, groups)
	v.lost, v.wasAdmin = after.Missing(before), before.Has(access.AccountAdmin)
	v.isAdmin = after.Has(access.AccountAdmin)
	i.cache[key] = v
	return v
}

// conflict returns why the change is refused, or nil.
func (i *impact) conflict() error {
	name := kindName(i.before.Kind) + " " + i.before.Code
	switch {
	case i.referrers.count > 0:
		return i.referrers.fault("inUse", "code", fmt.Sprintf("The %s is in use by %d: ", name, i.referrers.count),
			". Remove it there, or lock it instead, so that it cannot be given to anybody else.")
	case i.signInChanged.count > 0:
		return i.signInChanged.fault("inUse", "apiOnly",
			fmt.Sprintf("%d accounts have the %s, and how they sign in would change: ", i.signInChanged.count, name),
			". Give them another licence first.")
	case i.outside.count > 0:
		return i.outside.fault("outsideLicence", i.inputField(),
			fmt.Sprintf("%d accounts would have roles that their licence does not allow: ", i.outside.count),
			". Remove these roles first, or give the accounts another licence.")
	case len(i.lost) > 0:
		return fault.New(fault.Conflict, "self",
			"You would remove the permission %s from yourself; another administrator can.", i.lost[0])
	case i.adminLost && !i.adminLeft:
		return fault.New(fault.Conflict, "lastAdministrator",
			"Nobody who can sign in would have the permission %s any more. Give it to somebody by another role first.",
			access.AccountAdmin)
	}
	return nil
}

// inputField is the field that a conflict is about.
func (i *impact) inputField() string {
	switch {
	case !slices.Equal(i.before.Roles, i.after.Roles):
		return "roles"
	case !slices.Equal(i.before.Groups, i.after.Groups):
		return "groups"
	}
	return "active"
}
