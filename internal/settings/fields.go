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
		{Name: "passwordMinLength", Label: "Shortest password", Section: sectionPassword, Kind: field.Number, Required: true,
			Min: 8, Max: 64,
			Help: "How many characters a new password has at least, unless NIST mode says.",
			At:   func(s *Settings) any { return &s.PasswordMinLength }},
		{Name: "passwordClasses", Label: "Sorts of character", Section: sectionPassword, Kind: field.Number, Max: 4,
			Help: "How many of the four sorts (small letters, capitals, digits, others) a new password has to have; 0 for any.",
			At:   func(s *Settings) any { return &s.PasswordClasses }},
		{Name: "passwordHistory", Label: "Former passwords", Section: sectionPassword, Kind: field.Number, Max: 24,
			Help: "How many former passwords people cannot choose again, besides the present one; 0 for none. They are kept " +
				"as hashes, and fewer of them from the next change of a password on if this is lowered.",
			At: func(s *Settings) any { return &s.PasswordHistory }},
		{Name: "passwordMaxAgeDays", Label: "Oldest password (days)", Section: sectionPassword, Kind: field.Number, Max: 3650,
			Help: "After how many days the sign-in asks for a new password; 0 for never.",
			At:   func(s *Settings) any { return &s.PasswordMaxAgeDays }},
		{Name: "passwordNIST", Label: "NIST mode", Section: sectionPassword, Kind: field.Bool,
			Help: "Keeps this policy to NIST SP 800-63B: a new password has at least 15 characters, or 8 where the account " +
				"has to use a second factor, and sorts of character and an oldest password cannot be asked for.",
			At: func(s *Settings) any { return &s.PasswordNIST }},
		{Name: "adminSetsPasswords", Label: "Administrators set passwords", Section: sectionPassword, Kind: field.Bool,
			Help: "Whether administrators can choose the temporary password of an account. Off, people set their own by a " +
				"mailed link; a generated password stays possible.",
			At: func(s *Settings) any { return &s.AdminSetsPasswords }},
	}
}

func signInFields() field.Table[Settings] {
	return field.Table[Settings]{
		{Name: "failedTryLimit", Label: "Failed tries", Section: sectionSignIn, Kind: field.Number, Required: true, Min: 1,
			Max:  100,
			Help: "How many wrong passwords in a row block an account. The log counts those beyond in one line for each hour.",
			At:   func(s *Settings) any { return &s.FailedTryLimit }},
		{Name: "failedTryRelease", Label: "Timed release", Section: sectionSignIn, Kind: field.Bool,
			Help: "Whether an account that is blocked by failed tries is let one try after a minute, then after 2, 4, 8 and " +
				"each 15 more. The right password ends the block; after a hundred failures in a row only an administrator does.",
			At: func(s *Settings) any { return &s.FailedTryRelease }},
		{Name: "sessionIdleMinutes", Label: "Session idle limit (minutes)", Section: sectionSignIn, Kind: field.Number,
			Required: true, Min: 1, Max: 60,
			Help: "How long a session lasts without being refreshed. A session keeps what it began with until its next refresh.",
			At:   func(s *Settings) any { return (*int)(&s.SessionIdle) }},
		{Name: "sessionHardMinutes", Label: "Session hard limit (minutes)", Section: sectionSignIn, Kind: field.Number,
			Required: true, Min: 5, Max: 24 * 60,
			Help: "How long a session lasts at most; from 5 minutes to 24 hours. It holds for sessions that begin afterwards.",
			At:   func(s *Settings) any { return (*int)(&s.SessionHard) }},
		{Name: "mfaRequired", Label: "MFA required", Section: sectionMFA, Kind: field.Bool,
			Help: "Whether accounts have to use a second factor. Who has none is led to setting one up at the next sign-in, " +
				"except where an administrator chose not to enforce it; new accounts are made with it.",
			At: func(s *Settings) any { return &s.MFARequired }},
		{Name: "emailCodeAllowed", Label: "E-mail code allowed", Section: sectionMFA, Kind: field.Bool,
			Help: "Whether a code by mail does as a second factor: beside those that an account has, and in place of setting " +
				"one up where one is required. Whoever reads a person's mail can also have a new password mailed, so it " +
				"protects less than the others.",
			At: func(s *Settings) any { return &s.EmailCodeAllowed }},
		{Name: "trustedDeviceDays", Label: "Trusted device (days)", Section: sectionMFA, Kind: field.Number, Max: 365,
			Help: "How long a remembered device needs no second factor, beside the password; 0 for not at all. It holds for " +
				"devices that are remembered afterwards; 0 also stops those that are.",
			At: func(s *Settings) any { return &s.TrustedDeviceDays }},
	}
}

func otherFields() field.Table[Settings] {
	return field.Table[Settings]{
		{Name: "setPasswordLinkHours", Label: "Set-password link (hours)", Section: sectionMail, Kind: field.Number,
			Required: true, Min: 1, Max: 168,
			Help: "How long a link to set a password works that an administrator mails, or a password that one gives. A link " +
				"that the person asked for works for 30 minutes.",
			At: func(s *Settings) any { return &s.PasswordLinkHours }},
		{Name: "resetPasswordConfirmation", Label: "Reset password confirmation", Section: sectionMail, Kind: field.Bool,
			Help: "Whether the communication log confirms the delivery of mails about passwords.",
			At:   func(s *Settings) any { return &s.ResetConfirmation }},
		{Name: "mailSenderName", Label: "Mail sender name", Section: sectionMail, Kind: field.Text, Required: true, Max: 60,
			Help: "The name that mails come from and are signed with.",
			At:   func(s *Settings) any { return &s.MailSenderName }},
		{Name: "country", Label: "Default country", Section: sectionRegion, Kind: field.Country, Required: true, Max: 2,
			Help: "ISO 3166-1. Mobile numbers without an international prefix are read as numbers of this country.",
			At:   func(s *Settings) any { return &s.Country }},
		{Name: "currency", Label: "Default currency", Section: sectionRegion, Kind: field.Currency, Required: true, Max: 3,
			Help: "ISO 4217. For resources whose group has none.",
			At:   func(s *Settings) any { return &s.Currency }},
		{Name: "dacEnabled", Label: "Data access control", Section: sectionRegion, Kind: field.Bool,
			Help: "Whether accounts can be put into DAC groups. Turning it off takes nobody out of one.",
			At:   func(s *Settings) any { return &s.DACEnabled }},
		{Name: "logRetentionDays", Label: "Log kept (days)", Section: sectionLog, Kind: field.Number, Required: true,
			Min: 30, Max: 3650,
			Help: "How long the log is kept: older lines are not shown, and are deleted some time after.",
			At:   func(s *Settings) any { return &s.LogRetentionDays }},
	}
}
