package sso

// Person is somebody in a provider's directory.
type Person struct {
	ObjectID, Name, Email string
	// Disabled says that the directory lets the person in nowhere.
	Disabled bool
}
