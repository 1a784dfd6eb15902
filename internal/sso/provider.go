package sso

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Kinds of provider. They differ in how the issuer is stated and which claim identifies a person.
const (
	Azure    = "azure"
	Google   = "google"
	OneLogin = "onelogin"
	OIDC     = "oidc"
)

// Kinds returns the kinds of provider, in the order of forms.
func Kinds() []string { return []string{Azure, Google, OneLogin, OIDC} }

// Azure's addresses in its worldwide cloud; national clouds have others.
const (
	AzureURL = "https://login.microsoftonline.com"
	GraphURL = "https://graph.microsoft.com"
)

// googleIssuer is Google's one issuer (https://accounts.google.com/.well-known/openid-configuration).
const googleIssuer = "https://accounts.google.com"

// Provider is an OpenID provider of an environment.
type Provider struct {
	ID      string
	Version int64

	Name    string
	Kind    string
	Enabled bool
	// Issuer identifies the provider (OpenID Connect Core 1.0, section 2); Tenant is the directory at Azure.
	Issuer, Tenant string
	ClientID       string
	// SecondFactor accepts the provider's own second factor if its token says that it was used.
	SecondFactor bool
	// FactorClasses are the values of the claim acr that say so, besides amr "mfa" (RFC 8176).
	FactorClasses []string
	// Secret is the client secret, sealed. It is never returned.
	Secret []byte

	CreatedAt, UpdatedAt time.Time
}

// SubjectClaim returns the claim that identifies a person at the provider and is never reassigned: sub, or at Azure the
// object id, which is the same for every client (C36).
func (p Provider) SubjectClaim() string {
	if p.Kind == Azure {
		return "oid"
	}
	return "sub"
}

// Fields is the field table of providers: their labels, bounds and help.
func Fields() field.Table[Provider] {
	return field.Table[Provider]{
		{
			Name: "name", Label: "Name", Kind: field.Text, Required: true, Max: 60,
			Help: "What the button on the sign-in page says, after \"Sign in with\".",
			At:   func(p *Provider) any { return &p.Name },
		},
		{
			Name: "kind", Label: "Kind", Kind: field.Text, Required: true, Max: 10,
			Help: "azure (Microsoft Entra ID), google, onelogin, or oidc for any other OpenID provider. Cannot be changed " +
				"later.",
			At: func(p *Provider) any { return &p.Kind },
		},
		{
			Name: "enabled", Label: "Enabled", Kind: field.Bool,
			Help: "Whether people can sign in with it. If disabled, the next sign-in is refused; open sessions continue.",
			At:   func(p *Provider) any { return &p.Enabled },
		},
		{
			Name: "tenant", Label: "Tenant", Kind: field.Text, Max: 36,
			Help: "For azure: the directory (tenant) id of your organisation. People of other directories are refused.",
			At:   func(p *Provider) any { return &p.Tenant },
		},
		{
			Name: "issuer", Label: "Issuer", Kind: field.Text, Max: 250,
			Help: "For onelogin and oidc: the address whose /.well-known/openid-configuration describes the provider.",
			At:   func(p *Provider) any { return &p.Issuer },
		},
		{
			Name: "clientId", Label: "Client id", Kind: field.Text, Required: true, Max: 250,
			Help: "The application's id, as shown by the provider where you registered this service.",
			At:   func(p *Provider) any { return &p.ClientID },
		},
		{
			Name: "secondFactor", Label: "Accept its second factor", Kind: field.Bool,
			Help: "If the provider's token says that a second factor was used (amr mfa, or one of the classes below), none " +
				"is requested here.",
			At: func(p *Provider) any { return &p.SecondFactor },
		},
		{
			Name: "factorClasses", Label: "Classes with a second factor", Kind: field.Codes, Max: 5,
			Help: "Values of the claim acr that stand for a sign-in with a second factor, if the provider uses this claim.",
			At:   func(p *Provider) any { return &p.FactorClasses },
		},
	}
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// normalise sets what the kind determines and returns what is wrong with the rest. azure is Azure's sign-in address.
func (p *Provider) normalise(azure string) []fault.Field {
	wrong := func(name, code, message string) []fault.Field {
		return []fault.Field{{Field: name, Code: code, Message: message}}
	}
	switch p.Kind {
	case Azure:
		p.Tenant = strings.ToLower(p.Tenant)
		if !guid.MatchString(p.Tenant) {
			// "common" and the like would let in everybody with an account at Microsoft.
			return wrong("tenant", "tenant",
				"Enter the directory (tenant) id of your organisation, such as 8eaef023-2b34-4da1-9baa-8bc8c9d6a490; Azure "+
					"shows it under Overview.")
		}
		p.Issuer = cmp.Or(azure, AzureURL) + "/" + p.Tenant + "/v2.0"
	case Google:
		if p.Tenant != "" {
			return wrong("tenant", "tenant", "Only providers of the kind azure have a tenant; leave it empty.")
		}
		p.Issuer = googleIssuer
	case OneLogin, OIDC:
		if p.Tenant != "" {
			return wrong("tenant", "tenant", "Only providers of the kind azure have a tenant; leave it empty.")
		}
		if message := issuerError(p.Issuer); message != "" {
			return wrong("issuer", "issuer", message)
		}
	default:
		return wrong("kind", "unknown", "The kind must be one of "+strings.Join(Kinds(), ", ")+".")
	}
	return nil
}

// issuerError returns what is wrong with an issuer, or "". Loopback addresses may lack TLS; whether requests go there
// is decided by the adapter.
func issuerError(issuer string) string {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return "Enter the provider's issuer, such as https://example.onelogin.com/oidc/2."
	case err != nil || u.Host == "" || u.Opaque != "":
		return "This is not an address such as https://example.onelogin.com/oidc/2."
	case u.Scheme != "https" &&
		(u.Scheme != "http" || !slices.Contains([]string{"127.0.0.1", "localhost", "::1"}, u.Hostname())):
		return "The issuer's address must start with https://."
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(issuer, "?") ||
		strings.HasSuffix(issuer, "#"):
		return "An issuer must not contain a user name, a password, ? or #."
	}
	return ""
}
