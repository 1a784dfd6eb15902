package sso

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/credential"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// MaxProviders is the maximum number of providers of an environment: a sign-in page has a button for each.
const MaxProviders = 20

// ErrConcurrentChange is what a store returns if a condition of a write no longer holds. Nothing was written.
var ErrConcurrentChange = errors.New("changed since it was read")

// ProviderWrite is one change of one provider, with its event in the environment's log.
type ProviderWrite struct {
	Env string
	// ExpectedVersion is the version that was read, 0 for a new provider.
	ExpectedVersion int64
	// Provider is the provider after the change; Delete says that it is deleted.
	Provider Provider
	Delete   bool
	Event    auditlog.Event
	// CallerEpoch makes the write conditional on the epoch of the caller's account (Event.ByID).
	CallerEpoch int64
}

// ProviderStore is the store of Providers.
type ProviderStore interface {
	// Providers returns all providers of an environment, in the order of their creation.
	Providers(ctx context.Context, env string) ([]Provider, error)
	// WriteProvider writes w; ErrConcurrentChange if the provider is at another version.
	WriteProvider(ctx context.Context, w ProviderWrite) error
	// HasIdentities reports whether any account is linked to the provider.
	HasIdentities(ctx context.Context, env, providerID string) (bool, error)
	// EventsSince returns a subject's events with versions above the given one, oldest first.
	EventsSince(ctx context.Context, env, subject string, version int64) ([]auditlog.Event, error)
}

// Sealer encrypts secrets for the table with a key that is not in the table.
type Sealer interface {
	// Seal encrypts plain. Open needs the same context.
	Seal(ctx context.Context, plain, context []byte) ([]byte, error)
	Open(ctx context.Context, sealed, context []byte) ([]byte, error)
}

// Checker checks whether a provider works.
type Checker interface {
	// Check returns a *ProviderError if a sign-in would fail.
	Check(ctx context.Context, p Provider) error
}

// Providers administers providers.
type Providers struct {
	Store   ProviderStore
	Sealer  Sealer
	Checker Checker
	// AzureURL is Azure's sign-in address; empty for its worldwide cloud.
	AzureURL string
	Now      func() time.Time
	NewID    func() string
}

// secretContext binds a provider's sealed secret to the provider.
func secretContext(env, providerID string) []byte { return []byte("sso/" + env + "/" + providerID) }

// List returns the environment's providers.
func (s *Providers) List(ctx context.Context, sc access.Scope) ([]Provider, error) {
	return s.Store.Providers(ctx, sc.Env.ID)
}

// Enabled returns the providers that people can sign in with, which the sign-in page shows to everybody.
func (s *Providers) Enabled(ctx context.Context, env string) ([]Provider, error) {
	all, err := s.Store.Providers(ctx, env)
	var out []Provider
	for _, p := range all {
		if p.Enabled {
			out = append(out, p)
		}
	}
	return out, err
}

// Get returns one provider; NotFound if the environment has none with that id.
func (s *Providers) Get(ctx context.Context, env, id string) (Provider, error) {
	all, err := s.Store.Providers(ctx, env)
	if err != nil {
		return Provider{}, err
	}
	for _, p := range all {
		if p.ID == id {
			return p, nil
		}
	}
	return Provider{}, fault.New(fault.NotFound, "notFound", "There is no such provider.")
}

// Secret returns the client secret of a provider; empty if it has none.
func (s *Providers) Secret(ctx context.Context, env string, p Provider) (string, error) {
	if len(p.Secret) == 0 {
		return "", nil
	}
	plain, err := s.Sealer.Open(ctx, p.Secret, secretContext(env, p.ID))
	return string(plain), err
}

// Draft is an administrator's input for a provider. A nil Secret leaves the secret as it is; an empty one removes it.
type Draft struct {
	Patch  field.Patch
	Secret *string
}

// Create creates a provider. It is disabled unless the draft enables it.
func (s *Providers) Create(ctx context.Context, sc access.Scope, d Draft) (Provider, error) {
	all, err := s.Store.Providers(ctx, sc.Env.ID)
	if err != nil {
		return Provider{}, err
	}
	if len(all) >= MaxProviders {
		return Provider{},
			fault.New(fault.Conflict, "tooMany",
				"There can be at most %d providers. Delete one that is not used.", MaxProviders)
	}
	after := Provider{ID: s.NewID(), CreatedAt: s.now()}
	return s.write(ctx, sc, Provider{}, after, d, auditlog.ProviderAdded)
}

// Change applies a draft if version is still the latest. A draft without changes writes nothing.
func (s *Providers) Change(ctx context.Context, sc access.Scope, id string, version int64, d Draft) (Provider, error) {
	before, err := s.atVersion(ctx, sc, id, version)
	if err != nil {
		return Provider{}, err
	}
	return s.write(ctx, sc, before, before, d, auditlog.ProviderChanged)
}

func (s *Providers) write(ctx context.Context, sc access.Scope, before, after Provider, d Draft,
	kind auditlog.Kind,
) (Provider, error) {
	bad := Fields().Apply(&after, d.Patch)
	if len(bad) == 0 {
		bad = append(Fields().Missing(&after), after.normalise(s.AzureURL)...)
	}
	if before.Version > 0 && after.Kind != before.Kind && len(bad) == 0 {
		bad = append(bad,
			fault.Field{
				Field: "kind", Code: "fixed",
				Message: "The kind cannot be changed, because links to identities depend on it. Add another provider.",
			})
	}
	if before.Version > 0 && after.Issuer != before.Issuer && len(bad) == 0 {
		linked, err := s.Store.HasIdentities(ctx, sc.Env.ID, before.ID)
		if err != nil {
			return Provider{}, err
		}
		if linked { // the same subject at another issuer is another person
			bad = append(bad,
				fault.Field{
					Field: issuerField(after), Code: "linked",
					Message: "Accounts are linked to identities at " + before.Issuer +
						". Add another provider, or remove the links first.",
				})
		}
	}
	if d.Secret != nil && len(*d.Secret) > 1000 {
		bad = append(bad,
			fault.Field{Field: "clientSecret", Code: "tooLong", Message: "A secret has at most 1,000 characters."})
	}
	if err := fault.InvalidFields(bad); err != nil {
		return Provider{}, err
	}
	diff := Fields().Compare(&before, &after)
	if d.Secret != nil {
		changed, err := s.seal(ctx, sc.Env.ID, before, &after, *d.Secret)
		if err != nil {
			return Provider{}, err
		}
		if changed { // whether there is a secret, never the secret
			diff = append(diff, field.Diff{Field: "clientSecret", From: len(before.Secret) > 0, To: len(after.Secret) > 0})
		}
	}
	if before.Version > 0 && len(diff) == 0 {
		return before, nil
	}
	if err := s.checkMayChange(sc); err != nil {
		return Provider{}, err
	}
	after.Version, after.UpdatedAt = before.Version+1, s.now()
	err := s.Store.WriteProvider(ctx, ProviderWrite{
		Env: sc.Env.ID, ExpectedVersion: before.Version, Provider: after, Event: s.event(sc, after, kind, diff),
		CallerEpoch: sc.Caller.Epoch,
	})
	return after, s.concurrentChange(ctx, sc, after.ID, before.Version, err)
}

// checkMayChange holds the rule about who changes providers: what a provider says of a person lets them in (V101).
func (s *Providers) checkMayChange(sc access.Scope) error {
	return credential.Check(sc, credential.WeakenSignIn, credential.Target{}, s.now())
}

// seal sets a new secret of the provider, unless it is the current one.
func (s *Providers) seal(ctx context.Context, env string, before Provider, after *Provider,
	secret string,
) (changed bool, err error) {
	current, err := s.Secret(ctx, env, before)
	if err != nil || subtle.ConstantTimeCompare([]byte(current), []byte(secret)) == 1 {
		return false, err
	}
	after.Secret = nil
	if secret != "" {
		after.Secret, err = s.Sealer.Seal(ctx, []byte(secret), secretContext(env, after.ID))
	}
	return true, err
}

// Delete deletes a provider without linked accounts, if version is still the latest.
func (s *Providers) Delete(ctx context.Context, sc access.Scope, id string, version int64) error {
	before, err := s.atVersion(ctx, sc, id, version)
	if err != nil {
		return err
	}
	linked, err := s.Store.HasIdentities(ctx, sc.Env.ID, id)
	if err != nil {
		return err
	}
	if linked {
		return fault.New(fault.Conflict, "linked",
			"Accounts are linked to %s. Disable it instead, or remove the links first.", before.Name)
	}
	if err := s.checkMayChange(sc); err != nil {
		return err
	}
	gone := before
	gone.Version++
	err = s.Store.WriteProvider(ctx, ProviderWrite{
		Env: sc.Env.ID, ExpectedVersion: version, Provider: gone, Delete: true, CallerEpoch: sc.Caller.Epoch,
		Event: s.event(sc, gone, auditlog.ProviderRemoved, Fields().Compare(&before, &Provider{})),
	})
	return s.concurrentChange(ctx, sc, id, version, err)
}

// Check asks the provider for its discovery document and keys. What is wrong is a Conflict with the ProviderError's
// code and advice.
func (s *Providers) Check(ctx context.Context, sc access.Scope, id string) error {
	p, err := s.Get(ctx, sc.Env.ID, id)
	if err != nil {
		return err
	}
	return ProviderFault(s.Checker.Check(ctx, p))
}

// ProviderFault turns a *ProviderError into a fault with its advice, for administrators. Other errors stay as they are.
func ProviderFault(err error) error {
	var t *ProviderError
	if errors.As(err, &t) {
		return fault.New(fault.Conflict, "provider."+t.Code, "%s", t.Advice).WithCause(t)
	}
	return err
}

// atVersion returns a provider; a Stale fault if the caller read another version.
func (s *Providers) atVersion(ctx context.Context, sc access.Scope, id string, version int64) (Provider, error) {
	p, err := s.Get(ctx, sc.Env.ID, id)
	if err != nil || p.Version == version {
		return p, err
	}
	events, err := s.Store.EventsSince(ctx, sc.Env.ID, subject(id), version)
	if err != nil {
		return Provider{}, err
	}
	return Provider{}, auditlog.Stale("The provider "+p.Name, p.Version, events)
}

func (s *Providers) concurrentChange(ctx context.Context, sc access.Scope, id string, version int64, err error) error {
	if !errors.Is(err, ErrConcurrentChange) {
		return err
	}
	if _, err := s.atVersion(ctx, sc, id, version); err != nil {
		return err
	}
	return fault.New(fault.Conflict, "busy",
		"Somebody else is changing this provider. Try again.").WithRetryAfter(time.Second)
}

func (s *Providers) event(sc access.Scope, p Provider, kind auditlog.Kind, diff []field.Diff) auditlog.Event {
	return auditlog.Event{
		ID: s.NewID(), At: s.now(), Kind: kind, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID,
		Subject: subject(p.ID), Version: p.Version, Changes: diff, Note: p.Name, RetentionDays: retentionDays(sc.Env),
	}
}

func (s *Providers) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

func retentionDays(env environment.Environment) int { return env.Settings.LogRetentionDays }

// subject names a provider in the environment's log.
func subject(id string) string { return "ssoProvider/" + id }

// issuerField is the field in which an administrator states the issuer.
func issuerField(p Provider) string {
	if p.Kind == Azure {
		return "tenant"
	}
	return "issuer"
}
