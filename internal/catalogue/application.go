package catalogue

import (
	"strings"
	"time"
)

// ApplicationData is what an application has: a system of the organisation, or of a third party, that trusts these
// accounts.
type ApplicationData struct {
	// Type is service, web or native.
	Type string `json:"type,omitempty" dynamodbav:"type,omitempty"`
	// Audience is what tokens for the application name in aud.
	Audience   string `json:"audience,omitempty" dynamodbav:"audience,omitempty"`
	ThirdParty bool   `json:"thirdParty,omitempty" dynamodbav:"thirdParty,omitempty"`
	// Guarded applications' permissions are given only by those who hold them, and by administrators.
	Guarded bool `json:"guarded,omitempty" dynamodbav:"guarded,omitempty"`
	// RedirectURIs and LogoutURIs are where sign-ins and sign-outs may lead back to, Origins whose pages may call the API.
	RedirectURIs []string `json:"redirectUris,omitempty" dynamodbav:"redirectUris,omitempty"`
	LogoutURIs   []string `json:"logoutUris,omitempty" dynamodbav:"logoutUris,omitempty"`
	Origins      []string `json:"origins,omitempty" dynamodbav:"origins,omitempty"`
	// APIs are the ids of the HTTP APIs whose authorizer asks for this application.
	APIs []string `json:"apis,omitempty" dynamodbav:"apis,omitempty"`
	// Permissions are names and descriptions. Roles hold them as "<code>:<name>"; see PermissionName.
	Permissions map[string]string `json:"permissions,omitempty" dynamodbav:"permissions,omitempty"`
	Credentials []Credential      `json:"credentials,omitempty" dynamodbav:"credentials,omitempty"`
}

// Credential is a secret by which an application proves who it is.
type Credential struct {
	ID string `json:"id" dynamodbav:"id"`
	// Hash is the SHA-256 of the secret, which is shown once and stored nowhere.
	Hash      []byte    `json:"hash" dynamodbav:"hash"`
	CreatedAt time.Time `json:"createdAt" dynamodbav:"createdAt"`
	// CreatedBy is a username.
	CreatedBy string `json:"createdBy" dynamodbav:"createdBy"`
}

// The types of application: one that has no users of its own, one with pages on a server, and one that runs on its
// users' devices and can keep no secret.
const (
	ServiceApplication = "service"
	WebApplication     = "web"
	NativeApplication  = "native"
)

// PermissionName returns the name by which roles hold a permission of the application.
func (e Entry) PermissionName(permission string) string { return e.Code + ":" + permission }

// ApplicationPermission returns the application of a permission, the permission's own name, and whether there is such
// a permission.
func (c *Catalogue) ApplicationPermission(name string) (Entry, string, bool) {
	code, _, _ := strings.Cut(name, ":")
	e, _ := c.Find(Application, code)
	permission, found := e.HeldPermission(name)
	return e, permission, found
}

// HeldPermission returns the application's own name of a permission that a role holds, and whether the permission is
// one of the application's.
func (e Entry) HeldPermission(held string) (string, bool) {
	code, permission, found := strings.Cut(held, ":")
	if !found || Fold(code) != Fold(e.Code) {
		return "", false
	}
	_, found = e.Application.Permissions[permission]
	return permission, found
}
