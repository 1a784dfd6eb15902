package account

// ValidEmail is validEmail, for the tests of this folder.
func ValidEmail(text string) bool { return validEmail(text) }
