package account

// ValidEmail is validEmail, for tests.
func ValidEmail(text string) bool { return validEmail(text) }
