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

// Dependent is something that the store keeps for an account besides itself and its log.
type Dependent struct {
	Kind DependentKind
	ID   string
	// Used says that an API key was used.
	Used bool
	// Identity is the provider's id of the person, of a link for single sign-on.
	Identity string
}

// DependentKind says what belongs to an account.
type DependentKind string

// The kinds of belonging. One that the store does not know is Other, and holds the account.
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

// blocksDeletion reports whether the belonging keeps its account from being deleted. What does not goes with the
// account.
func (b Dependent) blocksDeletion() bool {
	switch b.Kind {
	case DependentContact, DependentTicket, DependentPasswordHistory, DependentSecondFactor, DependentTrustedDevice,
		DependentIdentity:
		return false
	case DependentAPIKey:
		return b.Used
	}
	return true
}

// Dependents is what belongs to an account. KeysMade is how many API keys were made for it so far, TabWrites how often
// its tabs were written, so that what comes later is noticed.
type Dependents struct {
	All       []Dependent
	KeysMade  int64
	TabWrites int64
}

// Deletion is an account to delete with all that belongs to it, whole: on the condition that the account is as it was
// read, never signed in, and its keys are as they were read.
type Deletion struct {
	Before     Account
	Dependents Dependents
	// Event goes into the environment's log, as the account's own is gone with it.
	Event       auditlog.Event
	CallerEpoch int64
}

// Deleter is what deleting needs of the table.
type Deleter interface {
	// Dependents returns what belongs to the account with the id.
	Dependents(ctx context.Context, id string) (Dependents, error)
	// Delete does d whole; ErrConcurrentChange if it is no longer as it was read.
	Delete(ctx context.Context, env environment.Environment, d Deletion) error
}

// MaxDeletedKeys is how many unused API keys an account may have to be deleted: they go in one transaction with it.
const MaxDeletedKeys = 50

// Delete deletes an account that was never used: it never signed in, and owns no used API key, resource or delegation.
// Its username and email are free again, its id is never given again, and the environment's log keeps who deleted whom.
// version 0 acts on whatever version there is.
func (s *Service) Delete(ctx context.Context, sc access.Scope, id string, version int64) error {
	const tries = 5
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
				"An import is changing this account just now; try again in a moment.").WithRetryAfter(2 * time.Second)
		}
		err = s.Deleter.Delete(ctx, sc.Env, s.newDeletion(sc, before, dependents))
		if !errors.Is(err, ErrConcurrentChange) {
			return err
		}
		if attempt == tries {
			return fault.New(fault.Conflict, "busy",
				"The account is being changed by others just now; try again.").WithRetryAfter(time.Second)
		}
	}
}

func (s *Service) newDeletion(sc access.Scope, before Account, dependents Dependents) Deletion {
	blank := Account{Active: before.Active}
	return Deletion{Before: before, Dependents: dependents, CallerEpoch: sc.Caller.Epoch, Event: auditlog.Event{
		ID: s.NewID(), At: s.now(), Kind: auditlog.Deleted, By: sc.Caller.Username, ByID: sc.Caller.AccountID,
		Key:     sc.Caller.KeyID,
		Subject: "account/" + before.Username, Version: before.Version, Note: before.ID,
		Changes:       Fields().Compare(&before, &blank),
		RetentionDays: sc.Env.Settings.LogRetentionDays,
	}}
}

// deletionBlockers returns what keeps the account from being deleted: the name of each reason and what it is in words.
func deletionBlockers(a Account, b Dependents) []fault.Field {
	var blockers []fault.Field
	add := func(name, message string) {
		blockers = append(blockers, fault.Field{Field: name, Code: "inUse", Message: message})
	}
	counts := map[DependentKind]int{}
	unused := 0
	for _, one := range b.All {
		if one.blocksDeletion() {
			counts[one.Kind]++
		} else if one.Kind == DependentAPIKey {
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
		add("resource", "It is linked with the resource "+a.Resource+".")
	}
	if n := counts[DependentAPIKey]; n > 0 {
		add("apiKeys",
			pluralise(n, "API key", "API keys")+" of it "+map[bool]string{true: "was", false: "were"}[n == 1]+" used.")
	}
	if unused > MaxDeletedKeys {
		add("apiKeys", fmt.Sprintf("It has %d API keys, more than go with an account.", unused))
	}
	if n := counts[DependentDelegation]; n > 0 {
		add("delegations", "It has "+pluralise(n, "delegation", "delegations")+".")
	}
	if n := counts[DependentOther]; n > 0 {
		add("other", "It has "+pluralise(n, "other thing", "other things")+" of its own.")
	}
	return blockers
}

func pluralise(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// inUseFault is the conflict of an account that was used: the list of what holds it, and what to do instead.
func inUseFault(a Account, blockers []fault.Field) error {
	reasons := make([]string, len(blockers))
	for i, h := range blockers {
		reasons[i] = h.Message
	}
	return fault.New(fault.Conflict, "inUse",
		"%s was used, so it cannot be deleted. %s Lock it instead: that ends its access and frees its seat.",
		a.Username, strings.Join(reasons, " ")).WithFields(blockers...)
}
