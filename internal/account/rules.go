package account

import (
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Rules checks changes of accounts and turns them into writes. POST, PATCH and the rows of an import all use it.
type Rules struct {
	// E164 returns a phone number in E.164 form, or "" if it is not a number of the country (phone.E164).
	E164 func(number, country string) string
}

// validate applies a patch to an account, or to a new one if before is nil, and checks every rule that does not need
// the store. It returns the account as it would be, and everything that is wrong with it.
func (r Rules) validate(sc access.Scope, before *Account, patch field.Patch,
	today field.Date) (Account, []fault.Field) {
	v := validation{scope: sc, before: before, patch: patch}
	if before != nil {
		v.after = *before
	} else {
		v.after = Account{DateFrom: today, MFARequired: sc.Env.Settings.MFARequired, Active: true}
	}
	v.faults = Fields().Apply(&v.after, patch)
	if v.after.DateFrom == "" {
		v.after.DateFrom = today
	}
	v.checkIdentifiers()
	licence := v.resolveLicence()
	v.checkRequired(licence)
	v.endExemption()
	v.checkAPIOnly(licence)
	v.checkDates()
	v.resolveAllCodes(licence)
	v.checkRights()
	if before == nil || before.Mobile != v.after.Mobile {
		v.after.MobileE164 = r.E164(v.after.Mobile, sc.Env.Settings.Country)
	}
	return v.after, v.faults
}

// validation is the state of one validate; its methods are the rules, in the order of the form.
type validation struct {
	scope  access.Scope
	before *Account
	patch  field.Patch
	after  Account
	faults []fault.Field
}

// addFault adds a fault, unless the field has one already: one for each field at a time.
func (v *validation) addFault(name, code, message string) {
	if !slices.ContainsFunc(v.faults, func(f fault.Field) bool { return f.Field == name }) {
		v.faults = append(v.faults, fault.Field{Field: name, Code: code, Message: message})
	}
}

// mustCheck reports whether the rules of these fields have to be checked: always for a new account, otherwise if the
// patch has one of them. So the mobile number of an account with a locked role can still be corrected.
func (v *validation) mustCheck(names ...string) bool {
	if v.before == nil {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool { _, ok := v.patch[name]; return ok })
}

func (v *validation) checkIdentifiers() {
	if v.mustCheck("username") && v.after.Username != "" {
		if _, ok := Normalise(v.after.Username); !ok {
			at := field.LocateRune(v.after.Username, isForbiddenRune)
			if at != "" {
				at = " (" + at + ")"
			}
			v.addFault("username", "character", "Username contains characters that cannot be used to sign in"+at+
				"; use letters, digits and punctuation.")
		}
	}
	if v.mustCheck("email") && v.after.Email != "" {
		normal, ok := Normalise(v.after.Email)
		if !ok || !validEmail(v.after.Email) || !validEmail(normal) {
			v.addFault("email", "address",
				"Email is not a valid address; it should look like name@example.com.")
		}
	}
}

func (v *validation) resolveLicence() catalogue.Entry {
	licence, ok := v.scope.Catalogue.Find(catalogue.Licence, v.after.UserType)
	if v.mustCheck("userType") && v.after.UserType != "" {
		kept := v.before != nil && catalogue.Fold(v.before.UserType) == catalogue.Fold(v.after.UserType)
		if !ok || !licence.Active && !kept {
			v.addFault("userType", "unknownCode", "There is no active licence "+catalogue.QuoteCode(v.after.UserType)+".")
			return catalogue.Entry{}
		}
		v.after.UserType = licence.Code
	}
	return licence
}

func (v *validation) checkRequired(licence catalogue.Entry) {
	for _, f := range Fields().Missing(&v.after) {
		v.addFault(f.Field, f.Code, f.Message)
	}
	if v.after.Email == "" && !licence.APIOnly && v.mustCheck("email", "userType") {
		v.addFault("email", "required", "Email is required, unless the licence is for API clients only.")
	}
}

// endExemption ends the exemption from the second factor if one is required of the account again.
func (v *validation) endExemption() {
	if v.patch["mfaRequired"] == true {
		v.after.MFAExempt = false
	}
}

// checkAPIOnly refuses what an API client cannot have, and removes it if the account becomes one. An account that is
// one already keeps what it has, so that an export can be imported unchanged.
func (v *validation) checkAPIOnly(licence catalogue.Entry) {
	if !licence.APIOnly {
		return
	}
	before := Account{}
	if v.before != nil {
		before = *v.before
	}
	if v.patch["mfaRequired"] == true && !before.MFARequired {
		v.addFault("mfaRequired", "apiOnly",
			"An account with the licence "+licence.Code+" cannot have a second factor, so none can be required.")
	}
	if v.patch["forcePasswordChange"] == true && !before.ForcePasswordChange {
		v.addFault("forcePasswordChange", "apiOnly",
			"An account with the licence "+licence.Code+" has no password to change.")
	}
	if v.before == nil || becomesAPIOnly(v.scope, before, v.after) {
		v.after.MFARequired, v.after.MFAEnabled, v.after.ForcePasswordChange = false, false, false
	}
}

func (v *validation) checkDates() {
	if v.after.DateTo != "" && v.after.DateTo < v.after.DateFrom && v.mustCheck("dateFrom", "dateTo") {
		v.addFault("dateTo", "beforeDateFrom", "Date to is before Date from ("+string(v.after.DateFrom)+").")
	}
}

func (v *validation) resolveAllCodes(licence catalogue.Entry) {
	had := Account{}
	if v.before != nil {
		had = *v.before
	}
	v.resolveCodes("roles", catalogue.Role, had.Roles, &v.after.Roles)
	v.resolveCodes("groups", catalogue.Group, had.Groups, &v.after.Groups)
	isNew := func(code string) bool { return !catalogue.ContainsCode(had.DACGroups, code) }
	// The DAC groups that the account has may stay: a form sends them back.
	if v.mustCheck("dacGroups") && !v.scope.Env.Settings.DACEnabled && slices.ContainsFunc(v.after.DACGroups, isNew) {
		v.addFault("dacGroups", "dacOff", "Data access control is off in this environment; leave DAC groups blank.")
	}
	v.resolveCodes("dacGroups", catalogue.DACGroup, had.DACGroups, &v.after.DACGroups)

	if !v.mustCheck("userType", "roles", "groups") || licence.Code == "" {
		return
	}
	outside := access.OutsideLicence(v.scope.Catalogue, licence, v.after.Roles, v.after.Groups)
	if catalogue.Fold(had.UserType) == catalogue.Fold(v.after.UserType) {
		// Roles that were outside before this change may stay, and be removed one by one.
		before := access.OutsideLicence(v.scope.Catalogue, licence, had.Roles, had.Groups)
		outside = slices.DeleteFunc(outside, func(code string) bool { return slices.Contains(before, code) })
	}
	if len(outside) == 0 {
		return
	}
	// The fault is for the field that was changed.
	name := "roles"
	if _, given := v.patch["roles"]; !given {
		if _, given := v.patch["groups"]; given {
			name = "groups"
		} else if _, given := v.patch["userType"]; given {
			name = "userType"
		}
	}
	v.addFault(name, "outsideLicence",
		"The licence "+licence.Code+" does not allow the roles "+strings.Join(outside, ", ")+
			", given directly or by a group; remove them or choose another licence.")
}

// resolveCodes replaces codes by the catalogue's spelling. New codes have to be active. A code that the account had may
// stay even if it was locked since, so that the others can be changed.
func (v *validation) resolveCodes(name string, kind catalogue.Kind, had []string, codes *[]string) {
	if !v.mustCheck(name) {
		return
	}
	var known, unknown []string
	for _, code := range *codes {
		if e, ok := v.scope.Catalogue.Find(kind, code); ok && (e.Active || catalogue.ContainsCode(had, code)) {
			known = append(known, e.Code)
		} else {
			unknown = append(unknown, catalogue.QuoteCode(code))
		}
	}
	if len(unknown) > 0 {
		v.addFault(name, "unknownCode", "There is no active code "+strings.Join(unknown, ", ")+".")
		return
	}
	slices.Sort(known)
	*codes = slices.Compact(known) // two spellings can be one code
}

// checkRights checks that nobody gives a permission that they do not hold themselves (V61).
func (v *validation) checkRights() {
	if !v.mustCheck("roles", "groups") {
		return
	}
	granted := access.Permissions(v.scope.Catalogue, v.after.Roles, v.after.Groups)
	if v.before != nil {
		for had := range access.Permissions(v.scope.Catalogue, v.before.Roles, v.before.Groups) {
			delete(granted, had)
		}
	}
	missing := access.AboveOwnRights(v.scope.Catalogue, v.scope.Caller, granted)
	if len(missing) == 0 {
		return
	}
	name := "roles"
	if _, given := v.patch["roles"]; !given {
		name = "groups"
	}
	v.addFault(name, "aboveOwnRights", "This would give permissions that you do not hold: "+access.Join(missing)+".")
}
