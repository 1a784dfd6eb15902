// Package oauth issues tokens for applications and tells applications about them: client credentials and token
// exchange (RFC 6749, RFC 8693), JWT access tokens (RFC 9068), introspection (RFC 7662).
//
// A token lasts five minutes and is for one audience. It names the session or API key that it came from, so that
// introspection refuses it as soon as they end. A session's own token and an API key are never handed to another
// system: for introspection they are inactive.
package oauth

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/application"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/signin"
)

// TokenLife is how long a token is valid.
const TokenLife = 5 * time.Minute

// tokenType is the typ of an access token (RFC 9068, 2.1), so that no other JWT passes for one.
const tokenType = "at+jwt"

// Origin is what a token came from: a session, an API key and perhaps its session, or, with neither, an application
// itself.
type Origin struct {
	AccountID, SessionID, KeyID string
}

// Subject is what one read brings for a token.
type Subject struct {
	Env  environment.Environment
	Keys KeySet
	// Found says that what the token came from is there: Session for a person's, Key for a program's.
	Found   bool
	Session signin.SessionContext
	Key     signin.KeyContext
}

// SubjectStore reads what a token needs.
type SubjectStore interface {
	// FindSubject reads the environment, the signing keys and what the token came from, in one round trip.
	FindSubject(ctx context.Context, env string, from Origin) (Subject, error)
	// Catalogue returns the environment's reference data.
	Catalogue(ctx context.Context, env environment.Environment) (*catalogue.Catalogue, error)
}

// Service issues and introspects tokens.
type Service struct {
	// Issuer is the address of this service; EnvID is the environment that it serves.
	Issuer, EnvID string
	Subjects      SubjectStore
	Keys          *Keys
	// Authenticate checks a session's token or an API key, as for any request.
	Authenticate func(ctx context.Context, bearer string) (access.Scope, error)
	Now          func() time.Time
	NewID        func() string
}

// Client is how an application says who it is. A client without a secret did not say it.
type Client struct{ ID, Secret string }

// claims are those of a token besides the registered ones.
type claims struct {
	jwt.Claims
	ClientID string `json:"client_id"`
	Scope    string `json:"scope,omitempty"`
	// SessionID and KeyID say what the token came from.
	SessionID string `json:"sid,omitempty"`
	KeyID     string `json:"key,omitempty"`
	// AuthTime is when the person signed in.
	AuthTime int64 `json:"auth_time,omitempty"`
}

func (c claims) origin() Origin {
	if c.SessionID == "" && c.KeyID == "" {
		return Origin{}
	}
	return Origin{AccountID: c.Subject, SessionID: c.SessionID, KeyID: c.KeyID}
}

// Token is a new token.
type Token struct {
	JWT     string
	Expires time.Duration
	Scope   string
}

// The codes of RFC 6749, 5.2 and RFC 8693, 2.2.2 that faults have here.
const (
	codeInvalidRequest = "invalid_request"
	codeInvalidClient  = "invalid_client"
	codeInvalidTarget  = "invalid_target"
)

func invalidClient() error {
	return fault.New(fault.Unauthenticated, codeInvalidClient,
		"There is no active application with this client id and secret.")
}

// ClientCredentials issues a token to an application for itself, for the audience, or for its own if that is empty.
func (s *Service) ClientCredentials(ctx context.Context, client Client, audience string) (Token, error) {
	known, err := s.catalogue(ctx)
	if err != nil {
		return Token{}, err
	}
	e, ok := application.Authenticate(known, client.ID, client.Secret)
	if !ok {
		return Token{}, invalidClient()
	}
	if audience == "" {
		audience = e.Application.Audience
	}
	if _, err := findAudience(known, audience); err != nil {
		return Token{}, err
	}
	return s.issue(ctx, claims{Claims: jwt.Claims{Subject: e.Code, Audience: jwt.Audience{audience}}, ClientID: e.Code})
}

// Exchange issues a token for one audience to the holder of a session or an API key. An application that exchanges on
// its user's behalf may say who it is; the token names it then.
func (s *Service) Exchange(ctx context.Context, client Client, subject, audience string) (Token, error) {
	sc, err := s.Authenticate(ctx, subject)
	if fault.Is(err, fault.Unauthenticated) {
		return Token{}, fault.New(fault.Malformed, codeInvalidRequest, "The subject token is not valid.")
	}
	if err != nil {
		return Token{}, err
	}
	c := claims{ClientID: s.Issuer}
	if client != (Client{}) {
		e, ok := application.Authenticate(sc.Catalogue, client.ID, client.Secret)
		if !ok {
			return Token{}, invalidClient()
		}
		c.ClientID = e.Code
	}
	target, err := findAudience(sc.Catalogue, audience)
	if err != nil {
		return Token{}, err
	}
	c.Subject, c.Audience = sc.Caller.AccountID, jwt.Audience{audience}
	c.SessionID, c.KeyID = sc.Caller.SessionID, sc.Caller.KeyID
	c.Scope = strings.Join(sc.Caller.Permissions.OfApplication(target), " ")
	if !sc.Caller.AuthenticatedAt.IsZero() {
		c.AuthTime = sc.Caller.AuthenticatedAt.Unix()
	}
	return s.issue(ctx, c)
}

// findAudience returns the active application of an audience.
func findAudience(known *catalogue.Catalogue, audience string) (catalogue.Entry, error) {
	for _, e := range known.All(catalogue.Application) {
		if e.Active && e.Application.Audience == audience {
			return e, nil
		}
	}
	return catalogue.Entry{}, fault.New(fault.Malformed, codeInvalidTarget,
		"There is no active application of this audience.")
}

func (s *Service) catalogue(ctx context.Context) (*catalogue.Catalogue, error) {
	subject, err := s.Subjects.FindSubject(ctx, s.EnvID, Origin{})
	if err != nil {
		return nil, err
	}
	return s.Subjects.Catalogue(ctx, subject.Env)
}

func (s *Service) issue(ctx context.Context, c claims) (Token, error) {
	key, private, err := s.Keys.Signing(ctx)
	if err != nil {
		return Token{}, err
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: key.ID}},
		(&jose.SignerOptions{}).WithType(tokenType))
	if err != nil {
		return Token{}, err
	}
	now := s.Now()
	c.Issuer, c.ID = s.Issuer, s.NewID()
	c.IssuedAt, c.Expiry = jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(TokenLife))
	text, err := jwt.Signed(signer).Claims(c).Serialize()
	return Token{JWT: text, Expires: TokenLife, Scope: c.Scope}, err
}

// Facts is what an application learns of a token. Only Active is there if the token is not active for it.
type Facts struct {
	Active    bool     `json:"active"`
	Subject   string   `json:"sub,omitzero"`
	Username  string   `json:"username,omitzero"`
	Name      string   `json:"name,omitzero"`
	SessionID string   `json:"sid,omitzero"`
	ClientID  string   `json:"client_id,omitzero"`
	Audience  string   `json:"aud,omitzero"`
	Issuer    string   `json:"iss,omitzero"`
	TokenType string   `json:"token_type,omitzero" help:"Bearer."`
	IssuedAt  int64    `json:"iat,omitzero" minimum:"0"`
	Expires   int64    `json:"exp,omitzero" minimum:"0"`
	Scope     string   `json:"scope,omitzero" help:"The application's own permissions that the account has now, separated by blanks."`
	Roles     []string `json:"roles,omitzero" help:"All effective roles."`
	Groups    []string `json:"groups,omitzero"`
	DACGroups []string `json:"dac_groups,omitzero"`
	Resource  string   `json:"resource,omitzero"`
}

// Introspect tells an application about a token that was issued for it (V106).
func (s *Service) Introspect(ctx context.Context, client Client, text string) (Facts, error) {
	given, c := parse(text)
	subject, known, err := s.read(ctx, c)
	if err != nil {
		return Facts{}, err
	}
	e, ok := application.Authenticate(known, client.ID, client.Secret)
	if !ok {
		return Facts{}, invalidClient()
	}
	return s.judge(given, subject, known, e), nil
}

// Authorize tells the API with that id about a token for the application that it belongs to.
func (s *Service) Authorize(ctx context.Context, apiID, text string) (Facts, error) {
	given, c := parse(text)
	subject, known, err := s.read(ctx, c)
	if err != nil {
		return Facts{}, err
	}
	for _, e := range known.All(catalogue.Application) {
		if e.Active && slices.Contains(e.Application.APIs, apiID) {
			return s.judge(given, subject, known, e), nil
		}
	}
	return Facts{}, nil
}

func (s *Service) read(ctx context.Context, c claims) (Subject, *catalogue.Catalogue, error) {
	subject, err := s.Subjects.FindSubject(ctx, s.EnvID, c.origin())
	if err != nil {
		return Subject{}, nil, err
	}
	known, err := s.Subjects.Catalogue(ctx, subject.Env)
	return subject, known, err
}

// maxToken bounds a token before it is parsed.
const maxToken = 4096

// parse reads a token without believing it: the claims only say what to read. A text that is no token has no claims.
func parse(text string) (*jwt.JSONWebToken, claims) {
	if len(text) > maxToken {
		return nil, claims{}
	}
	given, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || len(given.Headers) != 1 {
		return nil, claims{}
	}
	var c claims
	if given.UnsafeClaimsWithoutVerification(&c) != nil {
		return nil, claims{}
	}
	from := c.origin()
	for _, id := range []string{from.AccountID, from.SessionID, from.KeyID} {
		if parsed, err := ulid.ParseStrict(id); id != "" && (err != nil || parsed.String() != id) {
			return nil, claims{} // what is read must be an id, whoever made the token
		}
	}
	if from != (Origin{}) && from.AccountID == "" {
		return nil, claims{}
	}
	return given, c
}

// judge returns what an application may know of a token: that it is inactive, unless it was issued here, for this
// application, has not expired, and what it came from may still work.
func (s *Service) judge(given *jwt.JSONWebToken, subject Subject, known *catalogue.Catalogue, e catalogue.Entry) Facts {
	if given == nil {
		return Facts{}
	}
	head := given.Headers[0]
	public, ok := subject.Keys.find(head.KeyID)
	if !ok || head.ExtraHeaders[jose.HeaderType] != tokenType {
		return Facts{}
	}
	var c claims
	if given.Claims(public, &c) != nil || c.Expiry == nil || c.IssuedAt == nil ||
		c.ValidateWithLeeway(jwt.Expected{Issuer: s.Issuer, Time: s.Now()}, 0) != nil ||
		!slices.Equal(c.Audience, jwt.Audience{e.Application.Audience}) {
		return Facts{}
	}
	out := Facts{
		Active: true, Subject: c.Subject, ClientID: c.ClientID, Audience: c.Audience[0], Issuer: c.Issuer,
		TokenType: "Bearer", IssuedAt: c.IssuedAt.Time().Unix(), Expires: c.Expiry.Time().Unix(), SessionID: c.SessionID,
	}
	anchor := subject.Session.Anchor
	switch from := c.origin(); {
	case from == (Origin{}):
		if issuedTo, ok := known.Find(catalogue.Application, c.ClientID); !ok || !issuedTo.Active {
			return Facts{}
		}
		return out
	case !subject.Found:
		return Facts{}
	case from.KeyID != "":
		if anchor = subject.Key.Anchor; !subject.Key.Usable(known, s.Now()) {
			return Facts{}
		}
	case !subject.Session.Usable(known, s.Now()):
		return Facts{}
	}
	out.Username, out.Name, out.Groups = anchor.Username, anchor.Name, anchor.Groups
	out.DACGroups, out.Resource = anchor.DACGroups, anchor.Resource
	out.Roles = access.EffectiveRoles(known, anchor.Roles, anchor.Groups)
	out.Scope = strings.Join(access.Permissions(known, anchor.Roles, anchor.Groups).OfApplication(e), " ")
	return out
}
