package sso

import (
	"fmt"
	"slices"
	"time"
)

// Claims is who a provider says somebody is. It is found by Subject at its provider, never by Email, which anybody may
// be able to write there (C36).
type Claims struct {
	Subject string
	Email   string
	// Methods and Class are the claims amr and acr: how the person proved who they are (RFC 8176, OpenID Connect Core
	// 1.0).
	Methods      []string
	ContextClass string
	At           time.Time
}

// SecondFactor reports whether the provider says, and may say, that the person used a second factor.
func (p Provider) AssertsSecondFactor(i Claims) bool {
	return p.SecondFactor &&
		(slices.Contains(i.Methods, "mfa") || i.ContextClass != "" && slices.Contains(p.FactorClasses, i.ContextClass))
}

// AuthParams is what binds a provider's answer to the question: made anew for each.
type AuthParams struct {
	// State comes back beside the code; Nonce comes back within the token; Verifier is PKCE's (RFC 7636, S256).
	State, Nonce, Verifier string
	// Scopes are asked for besides openid, email and profile.
	Scopes []string
}

// ProviderError is a provider that did not do its part. People who sign in are not told of it; administrators are.
type ProviderError struct {
	// Code is stable: unreachable, slow, notFound, issuer, keys, client, consent, code, token, clock, claims, directory.
	Code string
	// Advice is for an administrator: what happened, and what to change.
	Advice string
	cause  error
}

// NewProviderError returns a Trouble with a cause that is logged and never shown.
func NewProviderError(code string, cause error, advice string, args ...any) *ProviderError {
	return &ProviderError{Code: code, Advice: fmt.Sprintf(advice, args...), cause: cause}
}

// Error returns the code with its cause, for the log.
func (t *ProviderError) Error() string {
	if t.cause == nil {
		return "provider: " + t.Code
	}
	return "provider: " + t.Code + ": " + t.cause.Error()
}

// Unwrap returns the cause.
func (t *ProviderError) Unwrap() error { return t.cause }
