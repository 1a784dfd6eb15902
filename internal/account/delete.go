package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Dependent is something else that is stored for an account, other than its log.
type Dependent struct {
	Kind DependentKind
	ID   string
	// Used says that an API key was used.
	Used bool
	// Identity is the provider's id of the person, for a link to a provider.
	Identity string
}

// DependentKind is the kind of a dependent.
type DependentKind string

// The kinds. The store reports what it does not know as DependentOther, which blocks a deletion.
const (
	DependentSession         DependentKind = "session"
	DependentAPIKey          DependentKind = "apiKey"
	DependentDelegation      DependentKind = "delegation"
	DependentContact         DependentKind = "contact"
	DependentTicket          DependentKind = "ticket"
	DependentSecondFactor    DependentKind = "secondFactor"
	DependentTrustedDevice   DependentKind = "device"
	DependentIdentity        DependentKind = "signOn"
	DependentPasswordHistory DependentKind = "formerPasswords"
	DependentOther           DependentKind = "other"
)

// blocksDeletion reports whether the account cannot be deleted because of d. Otherwise d is deleted with the account.
func (d Dependent) blocksDeletion() bool {
	switch d.Kind {
	case DependentContact, DependentTicket, DependentPasswordHistory, DependentSecondFactor, DependentTrustedDevice,
		DependentIdentity:
		return false
	case DependentAPIKey:
		return d.Used
	default:
		return true
	}
}

// Dependents is everything that belongs to an account. KeysMade counts the API keys that were ever made, TabWrites the
// writes of its tabs: a deletion depends on both, so that it does not miss what comes later.
type Dependents struct {
	All       []Dependent
	KeysMade  int64
	TabWrites int64
}

// Deletion deletes an account with everything that belongs to it, in one transaction. It fails if the account or its
// keys were changed since they were read, or if the account has signed in.
type Deletion struct {
	Before     Account
	Dependents Dependents
	// Event goes into the environment's log, because the account's log is deleted.
	Event       auditlog.Event
	CallerEpoch int64
}

// Deleter is what deleting needs of the table.
type Deleter interface {
	// Dependents returns what belongs to the account with the id.
	Dependents(ctx context.Context, id string) (Dependents, error)
	// Delete does d in one transaction; ErrConcurrentChange if something changed since it was read.
	Delete(ctx context.Context, env environment.Environment, d Deletion) error
}

// MaxDeletedKeys is the most unused API keys that are deleted with an account: all are in one transaction.
const MaxDeletedKeys = 50

// Delete deletes an account that was never used: it has not signed in, and has no used API key, resource or delegation.
// Its username and email become free, its id is not used again, and the environment's log keeps who deleted whom.
// Version 0 means any version.
func (s *Service) Delete(ctx context.Context, sc access.Scope, id string, version int64) error {
	const maxAttempts = 5
	for attempt := 1; ; attempt++ {
		before, err := s.Store.Account(ctx, sc.Env, id)
		if err != nil {
			return err
		}
		if version != 0 && version != before.Version {
			return s.staleFault(ctx, sc, before, version)
		}
		if before.ID == sc.Caller.AccountID {
			return fault.New(fault.Conflict, "self", "You cannot delete yourself; another administrator can.")
		}
		if err := GuardAdministrator(sc, before); err != nil {
			return err
		}
		dependents, err := s.Deleter.Dependents(ctx, id)
		if err != nil {
			return err
		}
		if blockers := deletionBlockers(before, dependents); len(blockers) > 0 {
			return inUseFault(before, blockers)
		}
		if before.Stored.Pending {
			return fault.New(fault.Conflict, "busy",
				"An import is changing this account; try again in a moment.").WithRetryAfter(2 * time.Second)
		}
		err = s.Deleter.Delete(ctx, sc.Env, s.newDeletion(sc, before, dependents))
		if !errors.Is(err, ErrConcurrentChange) {
			return err
		}
		if attempt == maxAttempts {
			return accountBusyFault()
		}
	}
}

func (s *Service) newDeletion(sc access.Scope, before Account, dependents Dependents) Deletion {
	blank := Account{Active: before.Active}
	event := newEvent(sc, auditlog.Deleted, s.now())
	event.ID, event.Subject, event.Version, event.Note = s.NewID(), "account/"+before.Username, before.Version, before.ID
	event.Changes = Fields().Compare(&before, &blank)
	return Deletion{Before: before, Dependents: dependents, CallerEpoch: sc.Caller.Epoch, Event: event}
}

// deletionBlockers returns the reasons why the account cannot be deleted.
func deletionBlockers(a Account, dependents Dependents) []fault.Field {
	var blockers []fault.Field
	add := func(name, message string) {
		blockers = append(blockers, fault.Field{Field: name, Code: "inUse", Message: message})
	}
	counts := map[DependentKind]int{}
	unused := 0
	for _, d := range dependents.All {
		if d.blocksDeletion() {
			counts[d.Kind]++
		} else if d.Kind == DependentAPIKey {
			unused++
		}
	}
	switch {
	case !a.LastLogin.IsZero():
		add("lastLogin", "It last signed in on "+field.FormatInstant(a.LastLogin)+".")
	case counts[DependentSession] > 0:
		add("sessions", "It has signed in.")
	}
	if a.Resource != "" {
		add("resource", "It has the resource "+a.Resource+".")
	}
	if n := counts[DependentAPIKey]; n > 0 {
		add("apiKeys", "It has "+pluralise(n, "API key that was", "API keys that were")+" used.")
	}
	if unused > MaxDeletedKeys {
		add("apiKeys",
			fmt.Sprintf("It has %d unused API keys; at most %d are deleted with an account.", unused, MaxDeletedKeys))
	}
	if n := counts[DependentDelegation]; n > 0 {
		add("delegations", "It has "+pluralise(n, "delegation", "delegations")+".")
	}
	if n := counts[DependentOther]; n > 0 {
		add("other", "It has "+pluralise(n, "other item", "other items")+".")
	}
	return blockers
}

func pluralise(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// inUseFault is the conflict of an account that was used, with all reasons and what to do instead.
func inUseFault(a Account, blockers []fault.Field) error {
	reasons := make([]string, len(blockers))
	for i, b := range blockers {
		reasons[i] = b.Message
	}
	return fault.New(fault.Conflict, "inUse",
		"%s was used, so it cannot be deleted. %s Lock it instead: that ends its access and frees its seat.",
		a.Username, strings.Join(reasons, " ")).WithFields(blockers...)
}
