package account

import (
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Rules plans what becomes of accounts. POST, PATCH and a row of an import all come through Create and Change.
type Rules struct {
	// E164 returns a typed number in E.164 form where it is one of the country, else nothing (phone.E164).
	E164 func(typed, country string) string
}

// validate applies a patch to an account, or to a blank one when before is nil, and checks every rule that can be
// checked without the store. It returns the account as it would be, and everything that is wrong with it. A POST, a
// PATCH and a row of an import all come through here.
func (r Rules) validate(sc access.Scope, before *Account, patch field.Patch, today field.Date) (Account,
	[]fault.Field) {
	p := validation{scope: sc, before: before, patch: patch}
	if before != nil {
		p.after = *before
	} else {
		p.after = Account{DateFrom: today, MFARequired: sc.Env.Settings.MFARequired, Active: true}
	}
	p.faults = Fields().Apply(&p.after, patch)
	if p.after.DateFrom == "" {
		p.after.DateFrom = today
	}
	p.checkIdentifiers()
	licence := p.resolveLicence()
	p.checkRequired(licence)
	p.endExemption()
	p.checkAPIOnly(licence)
	p.checkDates()
	p.resolveAllCodes(licence)
	p.checkRights()
	if before == nil || before.Mobile != p.after.Mobile {
		p.after.MobileE164 = r.E164(p.after.Mobile, sc.Env.Settings.Country)
	}
	return p.after, p.faults
}

// validation carries one plan; its methods are the rules, in the order of the form.
type validation struct {
	scope  access.Scope
	before *Account
	patch  field.Patch
	after  Account
	faults []fault.Field
}

func (p *validation) addFault(name, code, message string) {
	for _, f := range p.faults {
		if f.Field == name {
			return // one thing at a time for each field
		}
	}
	p.faults = append(p.faults, fault.Field{Field: name, Code: code, Message: message})
}

// mustCheck reports whether the rules of these fields have to be checked: for a new account always, else if one was
// given. An account whose role was retired since can thus still have its mobile number corrected.
func (p *validation) mustCheck(names ...string) bool {
	if p.before == nil {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool { _, ok := p.patch[name]; return ok })
}

func (p *validation) checkIdentifiers() {
	if p.mustCheck("username") && p.after.Username != "" {
		if _, ok := Normalise(p.after.Username); !ok {
			p.addFault("username", "character",
				"Username holds characters that cannot be used to sign in; use letters, digits and punctuation.")
		}
	}
	if p.mustCheck("email") && p.after.Email != "" {
		normal, ok := Normalise(p.after.Email)
		if !ok || !validEmail(p.after.Email) || !validEmail(normal) {
			p.addFault("email", "address",
				"Email is not an address that mail can be sent to; it should look like name@example.com.")
		}
	}
}

func (p *validation) resolveLicence() catalogue.Entry {
	licence, ok := p.scope.Catalogue.Find(catalogue.Licence, p.after.UserType)
	if p.mustCheck("userType") && p.after.UserType != "" {
		kept := p.before != nil && catalogue.Fold(p.before.UserType) == catalogue.Fold(p.after.UserType)
		if !ok || !licence.Active && !kept {
			p.addFault("userType", "unknownCode", "There is no active licence "+catalogue.QuoteCode(p.after.UserType)+".")
			return catalogue.Entry{}
		}
		p.after.UserType = licence.Code
	}
	return licence
}

func (p *validation) checkRequired(licence catalogue.Entry) {
	for _, f := range Fields().Missing(&p.after) {
		p.addFault(f.Field, f.Code, f.Message)
	}
	if p.after.Email == "" && !licence.APIOnly && p.mustCheck("email", "userType") {
		p.addFault("email", "required", "Email is required, except for a licence that is for API clients only.")
	}
}

// endExemption ends an exemption where a second factor is required of the account itself again.
func (p *validation) endExemption() {
	if p.patch["mfaRequired"] == true {
		p.after.MFAExempt = false
	}
}

// checkAPIOnly refuses what an API client has not, and takes it away where the account becomes one. An account that is
// one already keeps what it has, so that an export comes back unchanged.
func (p *validation) checkAPIOnly(licence catalogue.Entry) {
	if !licence.APIOnly {
		return
	}
	before := Account{}
	if p.before != nil {
		before = *p.before
	}
	if p.patch["mfaRequired"] == true && !before.MFARequired {
		p.addFault("mfaRequired", "apiOnly",
			"An account with the licence "+licence.Code+" has no second factor, so none can be required.")
	}
	if p.patch["forcePasswordChange"] == true && !before.ForcePasswordChange {
		p.addFault("forcePasswordChange", "apiOnly",
			"An account with the licence "+licence.Code+" has no password that could be changed.")
	}
	if p.before == nil || becomesAPIOnly(p.scope, before, p.after) {
		p.after.MFARequired, p.after.MFAEnabled, p.after.ForcePasswordChange = false, false, false
	}
}

func (p *validation) checkDates() {
	if p.after.DateTo != "" && p.after.DateTo < p.after.DateFrom && p.mustCheck("dateFrom", "dateTo") {
		p.addFault("dateTo", "beforeDateFrom", "Date to is before Date from ("+string(p.after.DateFrom)+").")
	}
}

func (p *validation) resolveAllCodes(licence catalogue.Entry) {
	had := Account{}
	if p.before != nil {
		had = *p.before
	}
	p.resolveCodes("roles", catalogue.Role, had.Roles, &p.after.Roles)
	p.resolveCodes("groups", catalogue.Group, had.Groups, &p.after.Groups)
	given := slices.ContainsFunc(p.after.DACGroups, func(code string) bool { return !catalogue.ContainsCode(had.DACGroups, code) })
	// those that it has may stay, and come back with a whole form
	if given && p.mustCheck("dacGroups") && !p.scope.Env.Settings.DACEnabled {
		p.addFault("dacGroups", "dacOff", "Data access control is off in this environment; leave DAC groups blank.")
	}
	p.resolveCodes("dacGroups", catalogue.DACGroup, had.DACGroups, &p.after.DACGroups)

	if !p.mustCheck("userType", "roles", "groups") || licence.Code == "" {
		return
	}
	outside := access.OutsideLicence(p.scope.Catalogue, licence, p.after.Roles, p.after.Groups)
	if catalogue.Fold(had.UserType) == catalogue.Fold(p.after.UserType) {
		// What was outside before is not this change's doing: it can be left, and taken away one by one.
		before := access.OutsideLicence(p.scope.Catalogue, licence, had.Roles, had.Groups)
		outside = slices.DeleteFunc(outside, func(code string) bool { return slices.Contains(before, code) })
	}
	if len(outside) == 0 {
		return
	}
	// The message belongs to what was just given: the licence if only that changed.
	name := "roles"
	if _, given := p.patch["roles"]; !given {
		if _, given := p.patch["groups"]; given {
			name = "groups"
		} else if _, given := p.patch["userType"]; given {
			name = "userType"
		}
	}
	p.addFault(name, "outsideLicence",
		"The licence "+licence.Code+" does not allow the roles "+strings.Join(outside, ", ")+
			", given directly or by a group; remove them or choose another licence.")
}

// resolveCodes replaces codes by the catalogue's spelling. A new one has to be active; one that the account had may
// stay though it was retired since, so that others beside it can be changed.
func (p *validation) resolveCodes(name string, kind catalogue.Kind, had []string, codes *[]string) {
	if !p.mustCheck(name) {
		return
	}
	var known, unknown []string
	for _, code := range *codes {
		if e, ok := p.scope.Catalogue.Find(kind, code); ok && (e.Active || catalogue.ContainsCode(had, code)) {
			known = append(known, e.Code)
		} else {
			unknown = append(unknown, catalogue.QuoteCode(code))
		}
	}
	if len(unknown) > 0 {
		p.addFault(name, "unknownCode", "There is no active code "+strings.Join(unknown, ", ")+" here.")
		return
	}
	slices.Sort(known)
	*codes = slices.Compact(known) // two spellings can be one code
}

// checkRights holds the rule that nobody gives a permission they do not have themselves (V61).
func (p *validation) checkRights() {
	if !p.mustCheck("roles", "groups") {
		return
	}
	granted := access.Permissions(p.scope.Catalogue, p.after.Roles, p.after.Groups)
	if p.before != nil {
		for had := range access.Permissions(p.scope.Catalogue, p.before.Roles, p.before.Groups) {
			delete(granted, had)
		}
	}
	beyond := p.scope.Caller.Permissions.Missing(granted)
	if len(beyond) == 0 {
		return
	}
	name := "roles"
	if _, given := p.patch["roles"]; !given {
		name = "groups"
	}
	words := make([]string, len(beyond))
	for i, permission := range beyond {
		words[i] = string(permission)
	}
	p.addFault(name, "aboveOwnRights",
		"This would give permissions that you do not hold yourself: "+strings.Join(words, ", ")+".")
}
