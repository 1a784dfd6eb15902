package sso

// Person is a person in a provider's directory.
type Person struct {
	ObjectID, Name, Email string
	// Disabled says that the person is disabled in the directory.
	Disabled bool
}
