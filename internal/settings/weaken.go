package settings

// weakensSignIn reports whether a change of the settings makes it easier to sign in as somebody else (V101).
func weakensSignIn(before, after Settings) bool {
	for _, weaker := range weaknesses() {
		if weaker != nil && weaker(before, after) {
			return true
		}
	}
	return false
}

// weaknesses returns for each setting how it weakens sign-in: whether after is weaker than before. nil is for a setting
// that has no part in it. Every setting has its line here; a test says so.
func weaknesses() map[string]func(before, after Settings) bool {
	return map[string]func(b, a Settings) bool{
		"passwordMinLength":         func(b, a Settings) bool { return a.PasswordMinLength < b.PasswordMinLength },
		"passwordClasses":           func(b, a Settings) bool { return a.PasswordClasses < b.PasswordClasses },
		"passwordHistory":           func(b, a Settings) bool { return a.PasswordHistory < b.PasswordHistory },
		"passwordMaxAgeDays":        func(b, a Settings) bool { return older(b.PasswordMaxAgeDays, a.PasswordMaxAgeDays) },
		"passwordNIST":              func(b, a Settings) bool { return b.PasswordNIST && !a.PasswordNIST },
		"adminSetsPasswords":        func(b, a Settings) bool { return !b.AdminSetsPasswords && a.AdminSetsPasswords },
		"failedTryLimit":            func(b, a Settings) bool { return a.FailedTryLimit > b.FailedTryLimit },
		"failedTryRelease":          func(b, a Settings) bool { return !b.FailedTryRelease && a.FailedTryRelease },
		"sessionIdleMinutes":        func(b, a Settings) bool { return a.SessionIdle > b.SessionIdle },
		"sessionHardMinutes":        func(b, a Settings) bool { return a.SessionHard > b.SessionHard },
		"confirmAgainMinutes":       func(b, a Settings) bool { return a.ConfirmAgainAfter() > b.ConfirmAgainAfter() },
		"mfaRequired":               func(b, a Settings) bool { return b.MFARequired && !a.MFARequired },
		"emailCodeAllowed":          func(b, a Settings) bool { return !b.EmailCodeAllowed && a.EmailCodeAllowed },
		"trustedDeviceDays":         func(b, a Settings) bool { return a.TrustedDeviceDays > b.TrustedDeviceDays },
		"setPasswordLinkHours":      func(b, a Settings) bool { return a.PasswordLinkHours > b.PasswordLinkHours },
		"resetPasswordConfirmation": nil,
		"country":                   nil,
		"currency":                  nil,
		"dacEnabled":                nil,
		"logRetentionDays":          nil,
		"mailSenderName":            nil,
	}
}

// older reports whether passwords may grow older than before; 0 is without end.
func older(before, after int) bool { return before > 0 && (after == 0 || after > before) }
