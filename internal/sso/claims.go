package sso

import (
	"fmt"
	"slices"
	"time"
)

// Claims are what a provider's token says about a person. The person is identified by Subject, never by Email, which
// people may be able to change at the provider (C36).
type Claims struct {
	Subject string
	Email   string
	// Methods and ContextClass are the claims amr and acr: how the person authenticated (RFC 8176, OpenID Connect Core
	// 1.0).
	Methods      []string
	ContextClass string
	At           time.Time
}

// AssertsSecondFactor reports whether the claims say that the person used a second factor, and the provider is trusted
// to say so.
func (p Provider) AssertsSecondFactor(i Claims) bool {
	return p.SecondFactor &&
		(slices.Contains(i.Methods, "mfa") || i.ContextClass != "" && slices.Contains(p.FactorClasses, i.ContextClass))
}

// AuthParams bind a provider's response to its request; each request has new ones.
type AuthParams struct {
	// State returns beside the code, Nonce within the token; Verifier is that of PKCE (RFC 7636, S256).
	State, Nonce, Verifier string
	// Scopes are requested besides openid, email and profile.
	Scopes []string
}

// ProviderError is a failure of a provider. Administrators see its advice, people who sign in do not.
type ProviderError struct {
	// Code is stable: unreachable, slow, notFound, issuer, keys, client, consent, code, token, clock, claims, directory.
	Code string
	// Advice tells an administrator what happened and what to change.
	Advice string
	cause  error
}

// NewProviderError returns a ProviderError with a cause that is logged and never shown.
func NewProviderError(code string, cause error, advice string, args ...any) *ProviderError {
	return &ProviderError{Code: code, Advice: fmt.Sprintf(advice, args...), cause: cause}
}

// Error returns the code and the cause, for the log.
func (t *ProviderError) Error() string {
	if t.cause == nil {
		return "provider: " + t.Code
	}
	return "provider: " + t.Code + ": " + t.cause.Error()
}

// Unwrap returns the cause.
func (t *ProviderError) Unwrap() error { return t.cause }
