package account

import "useraccounts/internal/field"

// Names of the sections of the account form.
const (
	sectionUser    = "user"
	sectionContact = "contact"
	sectionMFA     = "mfa"
	sectionStatus  = "status"
	sectionAccess  = "permissions"
)

// Sections returns the sections of the form, in order.
func Sections() []field.Section {
	return []field.Section{
		{Name: sectionUser, Label: "User"},
		{Name: sectionContact, Label: "Contact"},
		{Name: sectionMFA, Label: "Multi-factor"},
		{Name: sectionStatus, Label: "Status"},
		{Name: sectionAccess, Label: "Permissions", Tab: "permissions"},
	}
}

// The longest texts, in characters.
const (
	MaxUsername = 50
	MaxName     = 200
	MaxEmail    = 250
	MaxMobile   = 50
	MaxReason   = 200
)

// Fields is the account's field table, the only place that lists its fields.
func Fields() field.Table[Account] {
	return field.Table[Account]{
		{Name: "accessLocked", Label: "Access locked", Section: sectionStatus, Kind: field.Bool, ReadOnly: true, Grid: 1,
			Help: "Ticked while login access is blocked or not yet allowed. Allow login access and Block login access change " +
				"it.",
			At: func(a *Account) any { return &a.AccessLocked }},
		{Name: "status", Label: "Status", Section: sectionStatus, Kind: field.Choice, ReadOnly: true, Live: true,
			NeverBlank: true, Choices: Statuses(),
			Help: "Whether the account can sign in today (UTC), and if not, why: the first that holds of locked, blocked by " +
				"an administrator, too many failed tries, not yet allowed, not started, expired.",
			At: func(a *Account) any { return &a.Status }},
		{Name: "userType", Label: "User type", Section: sectionUser, Kind: field.Code, Required: true, Grid: 2,
			Refers: "licence", Max: field.MaxCode,
			Help: "The access licence. It limits which roles the account may have.",
			At:   func(a *Account) any { return &a.UserType }},
		{Name: "username", Label: "Username", Section: sectionUser, Kind: field.Text, Required: true, Grid: 3,
			Max:  MaxUsername,
			Help: "For signing in. Unique without regard to case; usually last name and initial, such as doej.",
			At:   func(a *Account) any { return &a.Username }},
		{Name: "name", Label: "Name", Section: sectionContact, Kind: field.Text, Required: true, Grid: 4, Max: MaxName,
			Help: "The person's full name.",
			At:   func(a *Account) any { return &a.Name }},
		{Name: "email", Label: "Email", Section: sectionContact, Kind: field.Email, Grid: 5, Max: MaxEmail,
			Help: "Also for signing in, and for mail about the account. Required unless the licence is for API clients only.",
			At:   func(a *Account) any { return &a.Email }},
		{Name: "mobile", Label: "Mobile", Section: sectionContact, Kind: field.Phone, Grid: 6, Max: MaxMobile,
			Help: "Stored as typed.",
			At:   func(a *Account) any { return &a.Mobile }},
		{Name: "mobileE164", Label: "Mobile (international)", Section: sectionContact, Kind: field.Phone, ReadOnly: true,
			Max:  20,
			Help: "The mobile number in E.164 form, where it is a number of the environment's country or an international one.",
			At:   func(a *Account) any { return &a.MobileE164 }},
		{Name: "dateFrom", Label: "Date from", Section: sectionUser, Kind: field.Day,
			Help: "First day (UTC) on which the account can sign in; today for a new account.",
			At:   func(a *Account) any { return &a.DateFrom }},
		{Name: "dateTo", Label: "Date to", Section: sectionUser, Kind: field.Day,
			Help: "Last day (UTC) on which the account can sign in; blank for no end.",
			At:   func(a *Account) any { return &a.DateTo }},
		{Name: "mfaRequired", Label: "MFA required", Section: sectionMFA, Kind: field.Bool, Grid: 7,
			Help: "Whether a second factor is required. The environment has a default.",
			At:   func(a *Account) any { return &a.MFARequired }},
		{Name: "mfaEnabled", Label: "MFA enabled", Section: sectionMFA, Kind: field.Bool, ReadOnly: true, Grid: 8,
			Help: "Whether a second factor has been set up.",
			At:   func(a *Account) any { return &a.MFAEnabled }},
		{Name: "mfaExempt", Label: "MFA not enforced", Section: sectionMFA, Kind: field.Bool, ReadOnly: true,
			Help: "Whether an administrator stopped enforcing the second factor, whatever the environment's default is. " +
				"Requiring it again ends that.",
			At: func(a *Account) any { return &a.MFAExempt }},
		{Name: "active", Label: "Active", Section: sectionStatus, Kind: field.Bool, ReadOnly: true,
			Help: "Not ticked for a locked account. Lock and Unlock change it.",
			At:   func(a *Account) any { return &a.Active }},
		{Name: "lockedAt", Label: "Locked date", Section: sectionStatus, Kind: field.Instant, ReadOnly: true, Grid: 9,
			Help: "When access was blocked (UTC).",
			At:   func(a *Account) any { return &a.LockedAt }},
		{Name: "lockedReason", Label: "Locked reason", Section: sectionStatus, Kind: field.Text, ReadOnly: true, Grid: 10,
			Max:  MaxReason,
			Help: "Why access was blocked.",
			At:   func(a *Account) any { return &a.LockedReason }},
		{Name: "lockedBy", Label: "Locked by", Section: sectionStatus, Kind: field.Text, ReadOnly: true, Max: MaxUsername,
			Help: "Who blocked access; blank for the system.",
			At:   func(a *Account) any { return &a.LockedBy }},
		{Name: "forcePasswordChange", Label: "Force change password on next login", Section: sectionStatus, Kind: field.Bool,
			Help: "The person has to choose a new password at the next sign-in.",
			At:   func(a *Account) any { return &a.ForcePasswordChange }},
		{Name: "lastLogin", Label: "Last login", Section: sectionStatus, Kind: field.Instant, ReadOnly: true, Live: true,
			Grid: 11,
			Help: "When the account last signed in (UTC).",
			At:   func(a *Account) any { return &a.LastLogin }},
		{Name: "failedTries", Label: "Failed tries", Section: sectionStatus, Kind: field.Number, ReadOnly: true, Live: true,
			Grid: 12,
			Help: "Wrong passwords since the last sign-in.",
			At:   func(a *Account) any { return &a.FailedTries }},
		{Name: "roles", Label: "Roles", Section: sectionAccess, Kind: field.Codes, Refers: "role", Max: 100,
			Help: "Roles given directly. All roles, direct or through groups, must be within the licence.",
			At:   func(a *Account) any { return &a.Roles }},
		{Name: "groups", Label: "Groups", Section: sectionAccess, Kind: field.Codes, Refers: "group", Max: 100,
			Help: "Each group gives its roles and those of the groups in it.",
			At:   func(a *Account) any { return &a.Groups }},
		{Name: "dacGroups", Label: "DAC groups", Section: sectionAccess, Kind: field.Codes, Refers: "dacGroup", Max: 100,
			Help: "Data access control groups, where the environment uses them.",
			At:   func(a *Account) any { return &a.DACGroups }},
		{Name: "resource", Label: "Resource", Section: sectionUser, Kind: field.Code, ReadOnly: true, Max: field.MaxCode,
			Help: "The code of the linked resource: the person as staff.",
			At:   func(a *Account) any { return &a.Resource }},
		{Name: "signOn", Label: "Single sign-on", Section: sectionStatus, Kind: field.Codes, Refers: "provider",
			ReadOnly: true, Live: true,
			Help: "The providers that the account is linked to, by their ids.",
			At:   func(a *Account) any { return &a.LinkedProviders }},
		{Name: "createdAt", Label: "Created", Section: sectionStatus, Kind: field.Instant, ReadOnly: true,
			NeverBlank: true,
			Help:       "When the account was created (UTC).",
			At:         func(a *Account) any { return &a.CreatedAt }},
		{Name: "updatedAt", Label: "Last changed", Section: sectionStatus, Kind: field.Instant, ReadOnly: true,
			NeverBlank: true,
			Help:       "When the account was last changed (UTC).",
			At:         func(a *Account) any { return &a.UpdatedAt }},
	}
}
