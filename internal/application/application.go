// Package application administers the credentials of applications, by which they prove who they are. What else an
// application has is reference data; see package reference.
package application

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/credential"
	"useraccounts/internal/fault"
	"useraccounts/internal/token"
)

// MaxCredentials is how many credentials an application has at most: the one in use, and the next one while its
// servers are being changed to it.
const MaxCredentials = 2

// Entries changes reference data.
type Entries interface {
	// Amend changes what no field of an entry holds.
	Amend(ctx context.Context, sc access.Scope, kind catalogue.Kind, code string, event auditlog.Kind,
		amend func(catalogue.Entry) (after catalogue.Entry, note string, err error)) (catalogue.Entry, error)
}

// Prover verifies the caller's own password, as a fresh proof of who they are.
type Prover interface {
	VerifyOwnPassword(ctx context.Context, sc access.Scope, password string) error
}

// Service makes and ends credentials.
type Service struct {
	Entries Entries
	Prover  Prover
	Now     func() time.Time
	NewID   func() ulid.ULID
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
}

// Create makes a credential, after a fresh proof: whoever has it can act as the application. The token is its secret,
// which nobody can read again.
func (s *Service) Create(ctx context.Context, sc access.Scope, code, password string) (catalogue.Credential,
	token.Token, error,
) {
	if err := s.requireProof(ctx, sc, password); err != nil {
		return catalogue.Credential{}, token.Token{}, err
	}
	secret, err := token.Issue(s.Random, token.ClientSecret, ulid.ULID{}, s.NewID())
	if err != nil {
		return catalogue.Credential{}, token.Token{}, err
	}
	made := catalogue.Credential{ID: secret.ID.String(), Hash: secret.Hash(), CreatedBy: sc.Caller.Username,
		CreatedAt: s.Now().UTC().Truncate(time.Millisecond)}
	_, err = s.Entries.Amend(ctx, sc, catalogue.Application, code, auditlog.CredentialCreated,
		func(e catalogue.Entry) (catalogue.Entry, string, error) {
			had := e.Application.Credentials
			switch {
			case e.Application.Type == catalogue.NativeApplication:
				return e, "", fault.New(fault.Conflict, "native",
					"A native application can keep no secret, so it has no credentials. It proves itself by PKCE.")
			case len(had) >= MaxCredentials:
				return e, "", fault.New(fault.Conflict, "tooManyCredentials",
					"%s has %d credentials, the most that an application can have. End the one that is no longer used first.",
					e.Code, len(had))
			}
			e.Application.Credentials = append(slices.Clone(had), made)
			return e, made.ID, nil
		})
	return made, secret, err
}

// requireProof requires the password now, or a proof that is fresh already (C15).
func (s *Service) requireProof(ctx context.Context, sc access.Scope, password string) error {
	if password != "" && sc.Caller.KeyID == "" {
		return s.Prover.VerifyOwnPassword(ctx, sc, password)
	}
	return credential.CheckProof(sc, s.Now())
}

// End ends a credential, at once and for ever.
func (s *Service) End(ctx context.Context, sc access.Scope, code, id string) error {
	_, err := s.Entries.Amend(ctx, sc, catalogue.Application, code, auditlog.CredentialEnded,
		func(e catalogue.Entry) (catalogue.Entry, string, error) {
			left := slices.DeleteFunc(slices.Clone(e.Application.Credentials),
				func(c catalogue.Credential) bool { return c.ID == id })
			if len(left) == len(e.Application.Credentials) {
				return e, "", fault.New(fault.NotFound, "notFound",
					"The application has no such credential; it may have been ended already.")
			}
			e.Application.Credentials = left
			return e, id, nil
		})
	return err
}

// Authenticate returns the application that a client id and a secret belong to, and whether there is one that is
// active.
func Authenticate(c *catalogue.Catalogue, clientID, secret string) (catalogue.Entry, bool) {
	e, ok := c.Find(catalogue.Application, clientID)
	if !ok || !e.Active || e.Code != clientID {
		return catalogue.Entry{}, false
	}
	given, err := token.Parse(token.ClientSecret, secret)
	if err != nil {
		return catalogue.Entry{}, false
	}
	return e, slices.ContainsFunc(e.Application.Credentials,
		func(c catalogue.Credential) bool { return given.Matches(c.Hash) })
}
