package settings

import (
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
)

// Settings are the environment defaults.
type Settings = environment.Settings

// Names of the sections of the form.
const (
	sectionPassword = "password"
	sectionSignIn   = "signIn"
	sectionMFA      = "mfa"
	sectionRegion   = "region"
	sectionMail     = "mail"
	sectionLog      = "log"
)

// Sections returns the sections of the form, in order.
func Sections() []field.Section {
	return []field.Section{
		{Name: sectionPassword, Label: "Passwords"},
		{Name: sectionSignIn, Label: "Signing in"},
		{Name: sectionMFA, Label: "Multi-factor"},
		{Name: sectionMail, Label: "Mail"},
		{Name: sectionRegion, Label: "Region and access control"},
		{Name: sectionLog, Label: "Log"},
	}
}

// Fields is the field table of the environment defaults: the one place that knows their labels, bounds and help.
func Fields() field.Table[Settings] {
	return append(append(passwordFields(), signInFields()...), otherFields()...)
}

func passwordFields() field.Table[Settings] {
	return field.Table[Settings]{
		{Name: "passwordMinLength", Label: "Minimum length", Section: sectionPassword, Kind: field.Number, Required: true,
			Min: 8, Max: 64,
			Help: "The least number of characters of a new password, unless NIST mode sets it.",
			At:   func(s *Settings) any { return &s.PasswordMinLength }},
		{Name: "passwordClasses", Label: "Character classes", Section: sectionPassword, Kind: field.Number, Max: 4,
			Help: "How many of the four classes a new password must contain: lower-case letters, upper-case " +
				"letters, digits, others. 0 for no rule.",
			At: func(s *Settings) any { return &s.PasswordClasses }},
		{Name: "passwordHistory", Label: "Password history", Section: sectionPassword, Kind: field.Number, Max: 24,
			Help: "How many previous passwords cannot be chosen again, besides the current one; 0 for none. They " +
				"are stored as hashes. If you lower this, the surplus is deleted at the next change of each " +
				"password.",
			At: func(s *Settings) any { return &s.PasswordHistory }},
		{Name: "passwordMaxAgeDays", Label: "Maximum age (days)", Section: sectionPassword, Kind: field.Number, Max: 3650,
			Help: "After how many days a person must choose a new password when signing in; 0 for never.",
			At:   func(s *Settings) any { return &s.PasswordMaxAgeDays }},
		{Name: "passwordNIST", Label: "NIST mode", Section: sectionPassword, Kind: field.Bool,
			Help: "Keeps the password rules to NIST SP 800-63B. A new password has at least 15 characters, or 8 if " +
				"the account must use a second factor. Character classes and a maximum age cannot be set.",
			At: func(s *Settings) any { return &s.PasswordNIST }},
		{Name: "adminSetsPasswords", Label: "Administrators set passwords", Section: sectionPassword, Kind: field.Bool,
			Help: "Whether administrators can choose the temporary password of an account. If not, people set their " +
				"own by a link in a mail; a generated password is still possible.",
			At: func(s *Settings) any { return &s.AdminSetsPasswords }},
	}
}

func signInFields() field.Table[Settings] {
	return field.Table[Settings]{
		{Name: "failedTryLimit", Label: "Failed tries", Section: sectionSignIn, Kind: field.Number, Required: true, Min: 1,
			Max: 100,
			Help: "How many wrong passwords in a row block an account. Trusted devices, and networks that the person " +
				"signed in from within 30 days, are counted by themselves. The log has one entry per hour for those beyond.",
			At: func(s *Settings) any { return &s.FailedTryLimit }},
		{Name: "failedTryRelease", Label: "Timed release", Section: sectionSignIn, Kind: field.Bool,
			Help: "Whether a person whose account is blocked by failed tries may try again after 1 minute, then " +
				"after 2, 4, 8 and every further 15 minutes. The right password ends the block. After at most 100 " +
				"failures in a row only an administrator can end it.",
			At: func(s *Settings) any { return &s.FailedTryRelease }},
		{Name: "sessionIdleMinutes", Label: "Session idle limit (minutes)", Section: sectionSignIn, Kind: field.Number,
			Required: true, Min: 1, Max: 60,
			Help: "How long a session lasts without being refreshed. A change applies to a session from its next " +
				"refresh on.",
			At: func(s *Settings) any { return (*int)(&s.SessionIdle) }},
		{Name: "sessionHardMinutes", Label: "Session hard limit (minutes)", Section: sectionSignIn, Kind: field.Number,
			Required: true, Min: 5, Max: 24 * 60,
			Help: "How long a session lasts at most, from 5 minutes to 24 hours. A change applies to new sessions.",
			At:   func(s *Settings) any { return (*int)(&s.SessionHard) }},
		{Name: "confirmAgainMinutes", Label: "Confirm again after (minutes)", Section: sectionSignIn, Kind: field.Number,
			Required: true, Min: 1, Max: 60,
			Help: "How long after a sign-in people can change passwords, second factors, addresses and administrators " +
				"without confirming again who they are.",
			At: func(s *Settings) any { return (*int)(&s.ConfirmAgain) }},
		{Name: "mfaRequired", Label: "MFA required", Section: sectionMFA, Kind: field.Bool,
			Help: "Whether accounts must use a second factor. A person without one sets it up at the next sign-in, " +
				"unless an administrator chose not to enforce it. It is also the default for new accounts.",
			At: func(s *Settings) any { return &s.MFARequired }},
		{Name: "emailCodeAllowed", Label: "E-mail code allowed", Section: sectionMFA, Kind: field.Bool,
			Help: "Whether a code by mail counts as a second factor: besides those that an account has, and instead " +
				"of setting one up where one is required. It protects less than the others, because a person who " +
				"reads the mail can also reset the password.",
			At: func(s *Settings) any { return &s.EmailCodeAllowed }},
		{Name: "trustedDeviceDays", Label: "Trusted device (days)", Section: sectionMFA, Kind: field.Number, Max: 365,
			Help: "How long a trusted device needs only the password; 0 for never. A change applies to devices that " +
				"are trusted from then on; 0 applies to all.",
			At: func(s *Settings) any { return &s.TrustedDeviceDays }},
	}
}

func otherFields() field.Table[Settings] {
	return field.Table[Settings]{
		{Name: "setPasswordLinkHours", Label: "Set-password link (hours)", Section: sectionMail, Kind: field.Number,
			Required: true, Min: 1, Max: 168,
			Help: "How long a link to set a password, or a temporary password, is valid. A link that the person " +
				"requested is valid for 30 minutes.",
			At: func(s *Settings) any { return &s.PasswordLinkHours }},
		{Name: "resetPasswordConfirmation", Label: "Reset password confirmation", Section: sectionMail, Kind: field.Bool,
			Help: "Whether the communication log confirms the delivery of mails about passwords.",
			At:   func(s *Settings) any { return &s.ResetConfirmation }},
		{Name: "mailSenderName", Label: "Mail sender name", Section: sectionMail, Kind: field.Text, Required: true, Max: 60,
			Help: "The name with which mails are sent and signed.",
			At:   func(s *Settings) any { return &s.MailSenderName }},
		{Name: "country", Label: "Default country", Section: sectionRegion, Kind: field.Country, Required: true, Max: 2,
			Help: "ISO 3166-1. Mobile numbers without an international prefix are numbers of this country.",
			At:   func(s *Settings) any { return &s.Country }},
		{Name: "currency", Label: "Default currency", Section: sectionRegion, Kind: field.Currency, Required: true, Max: 3,
			Help: "ISO 4217. For resources whose group has no currency.",
			At:   func(s *Settings) any { return &s.Currency }},
		{Name: "dacEnabled", Label: "Data access control", Section: sectionRegion, Kind: field.Bool,
			Help: "Whether accounts can be members of DAC groups. Turning it off removes nobody from a group.",
			At:   func(s *Settings) any { return &s.DACEnabled }},
		{Name: "logRetentionDays", Label: "Log retention (days)", Section: sectionLog, Kind: field.Number, Required: true,
			Min: 30, Max: 3650,
			Help: "How long the log is kept. Older entries are no longer shown, and are deleted some time later.",
			At:   func(s *Settings) any { return &s.LogRetentionDays }},
	}
}
