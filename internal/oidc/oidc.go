// Package oidc is the OpenID Connect client of sso: it makes authorization requests, exchanges codes for verified
// claims, and reads Azure's directory. Tokens are verified by coreos/go-oidc; this package adds the checks that it
// leaves to its callers.
package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"useraccounts/internal/sso"
)

const (
	// discoveryTTL is how long a provider's discovery document is cached.
	discoveryTTL = time.Hour
	// skew is how much a provider's clock may differ, and maxTokenAge how long ago a token may have been issued: it comes
	// directly from the provider.
	skew, maxTokenAge = 2 * time.Minute, 10 * time.Minute
	// maxToken bounds an id token in bytes before it is parsed (C34).
	maxToken = 32 << 10
)

// algorithms are the accepted signature algorithms, whatever a provider's discovery document says: none with a shared
// key, and never "none" (C39).
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256,
	oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// Client is a client of all providers. Keep one for the life of the process: it caches discovery documents and keys.
type Client struct {
	HTTP *http.Client
	// RedirectURL is the callback address that is registered with providers.
	RedirectURL string
	// Loopback is true beside local services only: a provider's authorization address may then be on this machine,
	// without TLS. HTTP has its own rule for the addresses that are fetched.
	Loopback bool
	Now      func() time.Time

	mutex      sync.Mutex
	discovered map[string]*discovery
}

// discovery is a cached discovery document.
type discovery struct {
	provider *oidc.Provider
	expires  time.Time
}

// AuthURL returns the address at which a person authenticates. *sso.ProviderError if discovery fails.
func (c *Client) AuthURL(ctx context.Context, p sso.Provider, a sso.AuthParams) (string, error) {
	known, err := c.discover(ctx, p)
	if err != nil {
		return "", err
	}
	return c.config(known, p, "", a).AuthCodeURL(a.State, oauth2.S256ChallengeOption(a.Verifier), oidc.Nonce(a.Nonce)), nil
}

func (c *Client) config(known *oidc.Provider, p sso.Provider, secret string, a sso.AuthParams) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: secret, Endpoint: known.Endpoint(), RedirectURL: c.RedirectURL,
		Scopes: append([]string{oidc.ScopeOpenID, "email", "profile"}, a.Scopes...),
	}
}

// Exchange turns the code that came back into who it was, and the access token for the scopes asked for.
// *sso.ProviderError if the provider fails or its token is not beyond doubt.
func (c *Client) Exchange(ctx context.Context, p sso.Provider, secret, code string, a sso.AuthParams) (sso.Claims,
	string, error,
) {
	known, err := c.discover(ctx, p)
	if err != nil {
		return sso.Claims{}, "", err
	}
	clientCtx := oidc.ClientContext(ctx, c.HTTP)
	got, err := c.config(known, p, secret, a).Exchange(clientCtx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return sso.Claims{}, "", exchangeError(err)
	}
	raw, ok := got.Extra("id_token").(string)
	if !ok || len(raw) > maxToken {
		return sso.Claims{}, "",
			sso.NewProviderError("token", nil,
				"The provider returned no usable id token. Check that the application is registered there for OpenID Connect.")
	}
	identity, err := c.verifyToken(ctx, known, p, raw, a.Nonce)
	return identity, got.AccessToken, err
}

// Check fetches the provider's discovery document and keys, as the first sign-in would. *sso.ProviderError says what is
// wrong.
func (c *Client) Check(ctx context.Context, p sso.Provider) error {
	c.forget(p.Issuer)
	known, err := c.discover(ctx, p)
	if err != nil {
		return err
	}
	var claims struct {
		Keys string `json:"jwks_uri"`
	}
	if err := known.Claims(&claims); err != nil {
		return sso.NewProviderError("keys", err, "The provider's discovery document cannot be read.")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, claims.Keys, nil)
	if err != nil {
		return sso.NewProviderError("keys", err, "The provider's discovery document has no address of its keys.")
	}
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return networkError(err, "keys")
	}
	defer func() { _ = answer.Body.Close() }() // there is nothing to flush
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&set); err != nil || answer.StatusCode != http.StatusOK ||
		len(set.Keys) == 0 {
		return sso.NewProviderError("keys", err,
			"The provider returns no keys at the address in its discovery document (status %d).", answer.StatusCode)
	}
	return nil
}

// discover returns the provider's discovery document, fetched at most once an hour.
func (c *Client) discover(ctx context.Context, p sso.Provider) (*oidc.Provider, error) {
	now := c.Now()
	c.mutex.Lock()
	cached := c.discovered[p.Issuer]
	c.mutex.Unlock()
	if cached != nil && now.Before(cached.expires) {
		return cached.provider, nil
	}
	// oidc.Provider keeps this context for its keys, so it must not end with the request.
	got, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), c.HTTP), p.Issuer)
	if err != nil {
		return nil, discoveryError(p, err)
	}
	if !c.mayAuthorizeAt(got.Endpoint().AuthURL) {
		return nil, sso.NewProviderError("authorization", nil,
			"The provider's discovery document has an authorization address that does not start with https://.")
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.discovered == nil {
		c.discovered = map[string]*discovery{}
	}
	c.discovered[p.Issuer] = &discovery{got, now.Add(discoveryTTL)}
	return got, nil
}

// mayAuthorizeAt reports whether a browser may be sent to an address: it is https, and no script (V103).
func (c *Client) mayAuthorizeAt(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Opaque != "" || u.User != nil {
		return false
	}
	ip, _ := netip.ParseAddr(u.Hostname()) // the zero address is on no machine
	return u.Scheme == "https" || c.Loopback && u.Scheme == "http" && (u.Hostname() == "localhost" || ip.IsLoopback())
}

func (c *Client) forget(issuer string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.discovered, issuer)
}

// claims are read from a token in addition to those that go-oidc checks.
type claims struct {
	ObjectID string   `json:"oid"`
	Tenant   string   `json:"tid"`
	Party    string   `json:"azp"`
	Email    string   `json:"email"`
	Name     string   `json:"preferred_username"`
	Methods  []string `json:"amr"`
	Class    string   `json:"acr"`
}

// verifyToken verifies a token: go-oidc checks signature, issuer, audience and expiry; this method nonce, time of
// issue, authorised party and Azure's tenant (OpenID Connect Core 1.0, 3.1.3.7; V52).
func (c *Client) verifyToken(ctx context.Context, known *oidc.Provider, p sso.Provider, raw, nonce string) (sso.Claims,
	error,
) {
	token, err := known.Verifier(&oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: algorithms, Now: c.Now}).
		Verify(oidc.ClientContext(ctx, c.HTTP), raw)
	if err != nil {
		return sso.Claims{}, tokenError(err)
	}
	var more claims
	if err := token.Claims(&more); err != nil {
		return sso.Claims{},
			sso.NewProviderError("claims", err, "The claims of the provider's token do not conform to OpenID Connect.")
	}
	tokenMismatch := func(format string, args ...any) error {
		return sso.NewProviderError("token", fmt.Errorf(format, args...),
			"The provider's token does not belong to this sign-in. Start again; if that does not help, check the client id.")
	}
	now := c.Now()
	switch {
	case nonce == "" || subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		return sso.Claims{}, tokenMismatch("nonce")
	case token.IssuedAt.IsZero() || token.IssuedAt.Unix() <= 0:
		return sso.Claims{}, tokenMismatch("no time of issue")
	case token.IssuedAt.After(now.Add(skew)), token.IssuedAt.Before(now.Add(-maxTokenAge)):
		return sso.Claims{}, sso.NewProviderError("clock", fmt.Errorf("issued at %s, now %s", token.IssuedAt, now),
			"The provider's clock differs by more than two minutes, or its response took more than ten. Check the provider's "+
				"time.")
	case len(token.Audience) > 1 && more.Party != p.ClientID, more.Party != "" && more.Party != p.ClientID:
		return sso.Claims{}, tokenMismatch("authorised party %q", more.Party)
	}
	subject := token.Subject
	if p.Kind == sso.Azure {
		if !strings.EqualFold(more.Tenant, p.Tenant) {
			return sso.Claims{},
				sso.NewProviderError("tenant", fmt.Errorf("tenant %q", more.Tenant),
					"The person belongs to another directory than the tenant of this provider.")
		}
		subject = more.ObjectID
	}
	if subject == "" || len(subject) > sso.MaxObjectID {
		return sso.Claims{},
			sso.NewProviderError("claims", nil, "The provider's token does not identify the person (claim %s).",
				p.SubjectClaim())
	}
	return sso.Claims{
		Subject: subject, Email: more.Email, Methods: slices.Clip(more.Methods), ContextClass: more.Class, At: token.IssuedAt,
	}, nil
}

func discoveryError(p sso.Provider, err error) error {
	where := p.Issuer + "/.well-known/openid-configuration"
	switch text := err.Error(); {
	case strings.Contains(text, "did not match the issuer"):
		return sso.NewProviderError("issuer", truncated(err),
			"%s describes another issuer than %s. Copy the issuer from the provider exactly, with or without a slash at its "+
				"end.", where, p.Issuer)
	case strings.HasPrefix(text, "404 "):
		return sso.NewProviderError("notFound", truncated(err), "There is no %s. Check the issuer, or the tenant.", where)
	case strings.HasPrefix(text, "400 "):
		return sso.NewProviderError("notFound", truncated(err), "%s was refused. Check the issuer, or the tenant.", where)
	}
	return networkError(err, "unreachable")
}

// networkError returns why there was no response; code is used where there is no more specific one.
func networkError(err error, code string) error {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return sso.NewProviderError("slow", truncated(err),
			"The provider did not respond within two seconds. Try again; if it happens again, contact the provider.")
	case errors.Is(err, errHost):
		return sso.NewProviderError(code, truncated(err),
			"The provider's address redirects to another host. Enter the address of that host.")
	case errors.Is(err, errScheme), errors.Is(err, errPrivateAddress):
		return sso.NewProviderError(code, truncated(err),
			"The provider's address must be on the internet and start with https://.")
	case errors.Is(err, errSize):
		return sso.NewProviderError(code, truncated(err),
			"The provider's response is longer than a megabyte. Check its address.")
	}
	return sso.NewProviderError(code, truncated(err),
		"The provider could not be reached, or did not respond as an OpenID provider does. Check its address.")
}

func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return networkError(err, "unreachable")
	}
	// without the description, which may quote the code
	cause := fmt.Errorf("status %d, %q", refused.Response.StatusCode, refused.ErrorCode)
	switch refused.ErrorCode {
	case "invalid_client", "unauthorized_client":
		return sso.NewProviderError("client", cause,
			"The provider does not accept the client id or secret. If the secret has expired, create a new one there and "+
				"enter it here.")
	case "invalid_grant":
		return sso.NewProviderError("code", cause,
			"The sign-in at the provider took too long, or its page was loaded twice. Start again. If it happens again, "+
				"check that the redirect address is registered there exactly.")
	case "invalid_request", "unsupported_grant_type", "invalid_scope":
		return sso.NewProviderError("client", cause,
			"The provider refused the request (%s). Check how the application is registered there.", refused.ErrorCode)
	}
	return sso.NewProviderError("unreachable", cause,
		"The provider responded with an error (status %d). Try again; if it happens again, contact the provider.",
		refused.Response.StatusCode)
}

func tokenError(err error) error {
	var expired *oidc.TokenExpiredError
	if errors.As(err, &expired) {
		return sso.NewProviderError("clock", truncated(err),
			"The provider's token had expired when it arrived. Check that the provider's time is right.")
	}
	if strings.Contains(err.Error(), "fetching keys") {
		return sso.NewProviderError("keys", truncated(err),
			"The provider's keys could not be fetched. Try again; if it happens again, contact the provider.")
	}
	if strings.Contains(err.Error(), "failed to verify signature") {
		return sso.NewProviderError("keys", truncated(err),
			"The provider's token is not signed by one of its keys. Check the issuer.")
	}
	return sso.NewProviderError("token", truncated(err),
		"The provider's token is not for this service. Check the issuer and the client id.")
}

// truncated bounds a cause for the log: some contain a whole response.
func truncated(err error) error {
	const most = 300
	if text := err.Error(); len(text) > most {
		return errors.New(text[:most])
	}
	return err
}
