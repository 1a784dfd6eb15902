package account

import (
	"context"
	"errors"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/credential"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// TargetKind is the kind of a delegation's target.
type TargetKind string

// The kinds: one resource, or all resources of a group.
const (
	TargetResource      TargetKind = "resource"
	TargetResourceGroup TargetKind = "resourceGroup"
)

// Delegation says that an account manages the timesheets of a resource or a resource group, or may view them.
type Delegation struct {
	ID      string
	Version int64
	Kind    TargetKind
	// Code is the target's code in its own spelling.
	Code string
	// Manager is false for view only.
	Manager bool
	// ChangedBy is the username that last changed it, at ChangedAt.
	ChangedBy string
	ChangedAt time.Time
}

// logText is how the log shows a delegation.
func (d Delegation) logText() string {
	what, may := "Resource ", " (view only)"
	if d.Kind == TargetResourceGroup {
		what = "Resource group "
	}
	if d.Manager {
		may = " (manager)"
	}
	return what + d.Code + may
}

// DelegationField is what the log calls a delegation as a field.
const DelegationField = "delegation"

// DelegationStore keeps delegations. Each write includes its event, and is NotFound if the environment has no such
// account.
type DelegationStore interface {
	// Delegations returns up to limit delegations of an account, oldest first, after the given id, and the id to go on
	// from.
	Delegations(ctx context.Context, accountID, after string, limit int) ([]Delegation, string, error)
	// Delegation returns one; NotFound if the account has none of that id.
	Delegation(ctx context.Context, accountID, id string) (Delegation, error)
	// AddDelegation writes a new one; Conflict if the account has the target already, or the target was deleted.
	AddDelegation(ctx context.Context, env environment.Environment, accountID string, d Delegation, e auditlog.Event) error
	// ChangeDelegation writes the next version; ErrConcurrentChange if the stored one is not the version before it.
	ChangeDelegation(ctx context.Context, env environment.Environment, accountID string, d Delegation,
		e auditlog.Event) error
	// RemoveDelegation deletes that version; ErrConcurrentChange if the stored one is another.
	RemoveDelegation(ctx context.Context, env environment.Environment, accountID string, d Delegation,
		e auditlog.Event) error
}

// Resources finds the resources that can be delegated.
type Resources interface {
	// ActiveResource returns the code of a resource in its own spelling, and whether there is an active one.
	ActiveResource(ctx context.Context, env environment.Environment, code string) (string, bool, error)
}

// Delegations says whose timesheets an account manages.
type Delegations struct {
	Editor
	Store     DelegationStore
	Resources Resources
}

// List returns up to limit delegations of an account after the given id, and the id to go on from.
func (s *Delegations) List(ctx context.Context, sc access.Scope, id, after string,
	limit int) ([]Delegation, string, error) {
	if _, err := s.Accounts.Get(ctx, sc, id); err != nil {
		return nil, "", err
	}
	return s.Store.Delegations(ctx, id, after, limit)
}

// Add delegates a target to an account, which can have each target once.
func (s *Delegations) Add(ctx context.Context, sc access.Scope, id string, kind TargetKind, code string,
	manager bool) (Delegation, error) {
	a, err := s.accountToChange(ctx, sc, id)
	if err != nil {
		return Delegation{}, err
	}
	if code, err = s.resolveTarget(ctx, sc, a, kind, code); err != nil {
		return Delegation{}, err
	}
	if err := s.checkGrant(sc, a, Delegation{Kind: kind, Code: code}); err != nil {
		return Delegation{}, err
	}
	e := s.newEvent(sc, auditlog.DelegationAdded)
	d := Delegation{ID: s.NewID(), Version: 1, Kind: kind, Code: code, Manager: manager, ChangedBy: e.By, ChangedAt: e.At}
	return d, s.Store.AddDelegation(ctx, sc.Env, a.ID, d, withDelegation(e, d, nil, d.logText()))
}

// resolveTarget returns the code of a target in its own spelling, or why the account cannot have it.
func (s *Delegations) resolveTarget(ctx context.Context, sc access.Scope, a Account, kind TargetKind,
	code string) (string, error) {
	code, invalid := codeField.Clean(code)
	refuse := func(name, code, message string) (string, error) {
		return "", fault.InvalidFields([]fault.Field{{Field: "target." + name, Code: code, Message: message}})
	}
	switch {
	case invalid != nil:
		return refuse("code", invalid.Code, invalid.Message)
	case code == "":
		return refuse("code", "required", "Choose a resource or a resource group.")
	case kind == TargetResourceGroup:
		group, ok := sc.Catalogue.Find(catalogue.ResourceGroup, code)
		if !ok || !group.Active {
			return refuse("code", "unknownCode", "There is no active resource group "+catalogue.QuoteCode(code)+".")
		}
		return group.Code, nil
	case kind != TargetResource:
		return refuse("kind", "choice", "This must be resource or resourceGroup.")
	case a.Resource != "" && catalogue.Fold(a.Resource) == catalogue.Fold(code):
		return refuse("code", "ownResource",
			a.Resource+" is this account's own resource, and nobody manages their own timesheets. Choose another.")
	case catalogue.CodeFault(code) != "":
		return refuse("code", "unknownCode", "There is no active resource "+catalogue.QuoteCode(code)+".")
	}
	canonical, ok, err := s.Resources.ActiveResource(ctx, sc.Env, code)
	if err != nil {
		return "", err
	}
	if !ok {
		return refuse("code", "unknownCode", "There is no active resource "+catalogue.QuoteCode(code)+".")
	}
	return canonical, nil
}

var codeField = field.Def[Delegation]{Label: "Code", Kind: field.Code, Max: field.MaxCode}

// Change sets whether the account manages the target or only views it, if version is still the newest.
func (s *Delegations) Change(ctx context.Context, sc access.Scope, id, delegation string, version int64,
	manager bool) (Delegation, error) {
	a, before, err := s.loadAtVersion(ctx, sc, id, delegation, &version)
	if err != nil || before.Manager == manager {
		return before, err
	}
	if manager {
		if err := s.checkGrant(sc, a, before); err != nil {
			return Delegation{}, err
		}
	}
	e := s.newEvent(sc, auditlog.DelegationChanged)
	after := before
	after.Version, after.Manager, after.ChangedBy, after.ChangedAt = before.Version+1, manager, e.By, e.At
	err = s.Store.ChangeDelegation(ctx, sc.Env, id, after, withDelegation(e, after, before.logText(), after.logText()))
	return after, s.conflictFault(ctx, sc, id, delegation, &version, err)
}

// Remove deletes a delegation, if version is still the newest; nil means any version.
func (s *Delegations) Remove(ctx context.Context, sc access.Scope, id, delegation string, version *int64) error {
	_, before, err := s.loadAtVersion(ctx, sc, id, delegation, version)
	if err != nil {
		return err
	}
	e := withDelegation(s.newEvent(sc, auditlog.DelegationRemoved), before, before.logText(), nil)
	err = s.Store.RemoveDelegation(ctx, sc.Env, id, before, e)
	return s.conflictFault(ctx, sc, id, delegation, version, err)
}

// checkGrant holds the rule about giving a delegation to an account: nobody gives themselves one.
func (s *Delegations) checkGrant(sc access.Scope, a Account, d Delegation) error {
	target := credentialTarget(sc, a)
	target.GivesOneself = "the delegation of " + d.Code
	return credential.Check(sc, credential.GrantAccess, target, s.Now())
}

// loadAtVersion returns an account and a delegation of it that the caller may change, if it has the version given.
func (s *Delegations) loadAtVersion(ctx context.Context, sc access.Scope, id, delegation string,
	version *int64) (Account, Delegation, error) {
	a, err := s.accountToChange(ctx, sc, id)
	if err != nil {
		return Account{}, Delegation{}, err
	}
	d, err := s.Store.Delegation(ctx, a.ID, delegation)
	if err != nil {
		return Account{}, Delegation{}, err
	}
	if version != nil && *version != d.Version {
		return Account{}, Delegation{}, auditlog.Stale("The delegation", d.Version, []auditlog.Event{{
			At: d.ChangedAt, By: d.ChangedBy, Changes: []field.Diff{{Field: "manager"}},
		}})
	}
	return a, d, nil
}

// conflictFault returns the error of a write, and explains it if the delegation was changed at the same time.
func (s *Delegations) conflictFault(ctx context.Context, sc access.Scope, id, delegation string, version *int64,
	err error) error {
	if !errors.Is(err, ErrConcurrentChange) {
		return err
	}
	if _, _, err := s.loadAtVersion(ctx, sc, id, delegation, version); err != nil {
		return err // stale or deleted
	}
	return fault.New(fault.Conflict, "busy",
		"Others are changing this delegation; try again in a moment.").WithRetryAfter(time.Second)
}

// withDelegation returns the event with the delegation and its change.
func withDelegation(e auditlog.Event, d Delegation, from, to any) auditlog.Event {
	e.Subject, e.Version = DelegationField+"/"+d.ID, d.Version
	e.Changes = []field.Diff{{Field: DelegationField, From: from, To: to}}
	return e
}
