// Package access is who may do what: permissions, the roles and groups that give them, the licences that limit roles,
// and the caller of a request.
package access

import (
	"maps"
	"slices"
	"strings"
)

// Permission is a key such as "account.read". The zero value is nobody's.
type Permission string

// What a route can need instead of a permission: nothing, or a signed-in caller.
const (
	Public   Permission = "public"
	SignedIn Permission = "signedIn"
)

// The permissions. AccountAdmin makes an administrator.
const (
	AccountAdmin    Permission = "account.admin"
	AccountRead     Permission = "account.read"
	AccountCreate   Permission = "account.create"
	AccountUpdate   Permission = "account.update"
	AccountBlock    Permission = "account.block"
	AccountLock     Permission = "account.lock"
	AccountDelete   Permission = "account.delete"
	AccountPassword Permission = "account.password"
	AccountSession  Permission = "account.session"
	AccountKey      Permission = "account.key"
	// AccountLink adds another way to sign in as an account, so it is a permission of its own, like AccountPassword.
	AccountLink Permission = "account.link"
	// AccountIdentity is not part of AccountUpdate: whoever controls the address of an account can have its password.
	AccountIdentity Permission = "account.identity"
	AccountNote     Permission = "account.note"
	AccountImport   Permission = "account.import"
	AccountExport   Permission = "account.export"
	AccessRead      Permission = "access.read"
	AccessWrite     Permission = "access.write"
	ReferenceRead   Permission = "reference.read"
	ReferenceWrite  Permission = "reference.write"
	ResourceRead    Permission = "resource.read"
	ResourceWrite   Permission = "resource.write"
	SettingsRead    Permission = "settings.read"
	SettingsWrite   Permission = "settings.write"
	SetShare        Permission = "set.share"
	// ApplicationWrite decides who can act as an application, so it is not part of AccessWrite.
	ApplicationRead  Permission = "application.read"
	ApplicationWrite Permission = "application.write"
	// CommunicationRead is not part of AccountRead: it shows the mails of the whole environment.
	CommunicationRead Permission = "communication.read"
)

// All returns every permission that a role can have, with its description.
func All() map[Permission]string {
	return map[Permission]string{ //nolint:gosec // what permissions are for, no password
		AccountAdmin:      "Administer everybody's access, including that of administrators",
		AccountRead:       "List and read accounts, their permissions and their log",
		AccountCreate:     "Create accounts",
		AccountUpdate:     "Change accounts, their roles, groups, contact and delegations",
		AccountBlock:      "Allow and block login access, reset failed tries",
		AccountLock:       "Lock and unlock accounts",
		AccountDelete:     "Delete accounts that were never used",
		AccountPassword:   "Set and reset passwords, force a change of password",
		AccountSession:    "See and close other people's sessions",
		AccountKey:        "Create and lock API keys of accounts with an API licence",
		AccountLink:       "Link accounts to identities for single sign-on",
		AccountIdentity:   "Change the usernames and emails of accounts",
		AccountNote:       "Write notes into the logs of accounts",
		AccountImport:     "Import accounts from a workbook",
		AccountExport:     "Export accounts to a workbook",
		AccessRead:        "Read licences, roles, groups and DAC groups",
		AccessWrite:       "Change licences, roles, groups and DAC groups",
		ReferenceRead:     "Read departments, cost centres and other reference data",
		ReferenceWrite:    "Change departments, cost centres and other reference data",
		ResourceRead:      "Read resources",
		ResourceWrite:     "Create and change resources",
		SettingsRead:      "Read environment defaults",
		SettingsWrite:     "Change environment defaults",
		SetShare:          "Share Sets with everybody",
		ApplicationRead:   "Read applications, their permissions and addresses",
		ApplicationWrite:  "Register and change applications, and make their credentials",
		CommunicationRead: "Read the communication log: which mails went to whom",
	}
}

// Set is a set of permissions.
type Set map[Permission]struct{}

// Has reports whether the set contains p.
func (s Set) Has(p Permission) bool {
	_, ok := s[p]
	return ok
}

// Missing returns what is in other and not in s, sorted.
func (s Set) Missing(other Set) []Permission {
	var out []Permission
	for _, p := range slices.Sorted(maps.Keys(other)) {
		if !s.Has(p) {
			out = append(out, p)
		}
	}
	return out
}

// Join returns permissions as a message lists them.
func Join(permissions []Permission) string {
	texts := make([]string, len(permissions))
	for i, p := range permissions {
		texts[i] = string(p)
	}
	return strings.Join(texts, ", ")
}

// Sorted returns the permissions in order.
func (s Set) Sorted() []Permission { return slices.Sorted(maps.Keys(s)) }

// UpgradePermissions returns the permissions of a role that was stored before account.identity, account.link and
// communication.read existed: who administers everybody's access holds them all, and who could change accounts can
// still change usernames and emails. To upgrade again changes nothing.
func UpgradePermissions(stored []string) []string {
	var added []Permission
	switch {
	case slices.Contains(stored, string(AccountAdmin)):
		added = slices.Sorted(maps.Keys(All()))
	case slices.Contains(stored, string(AccountUpdate)):
		added = []Permission{AccountIdentity}
	}
	out := slices.Clone(stored)
	for _, p := range added {
		if !slices.Contains(out, string(p)) {
			out = append(out, string(p))
		}
	}
	return out
}
