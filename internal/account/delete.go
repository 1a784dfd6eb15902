package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/journal"
)

// Belonging is something that the store keeps for an account besides itself and its log.
type Belonging struct {
	Kind BelongingKind
	ID   string
	// Used says that an API key was used.
	Used bool
	// Identity is the provider's id of the person, of a link for single sign-on.
	Identity string
}

// BelongingKind says what belongs to an account.
type BelongingKind string

// The kinds of belonging. One that the store does not know is Other, and holds the account.
const (
	ASession    BelongingKind = "session"
	AKey        BelongingKind = "apiKey"
	ADelegation BelongingKind = "delegation"
	AContact    BelongingKind = "contact"
	ATicket     BelongingKind = "ticket"
	AFactor     BelongingKind = "secondFactor"
	ADevice     BelongingKind = "device"
	ASignOn     BelongingKind = "signOn"
	AFormer     BelongingKind = "formerPasswords"
	Other       BelongingKind = "other"
)

// holds reports whether the belonging keeps its account from being deleted. What does not goes with the account.
func (b Belonging) holds() bool {
	switch b.Kind {
	case AContact, ATicket, AFormer, AFactor, ADevice, ASignOn:
		return false
	case AKey:
		return b.Used
	}
	return true
}

// Belongings is what belongs to an account. KeysMade is how many API keys were made for it so far, TabWrites how often its
// tabs were written, so that what comes later is noticed.
type Belongings struct {
	All       []Belonging
	KeysMade  int64
	TabWrites int64
}

// Deletion is an account to delete with all that belongs to it, whole: on the condition that the account is as it was read,
// never signed in, and its keys are as they were read.
type Deletion struct {
	Before     Account
	Belongings Belongings
	// Event goes into the environment's log, as the account's own is gone with it.
	Event       journal.Event
	CallerEpoch int64
}

// Remover is what deleting needs of the table.
type Remover interface {
	// Belongings returns what belongs to the account with the id.
	Belongings(ctx context.Context, id string) (Belongings, error)
	// Delete does d whole; ErrRaced if it is no longer as it was read.
	Delete(ctx context.Context, env environment.Environment, d Deletion) error
}

// MaxDeletedKeys is how many unused API keys an account may have to be deleted: they go in one transaction with it.
const MaxDeletedKeys = 50

// Delete deletes an account that was never used: it never signed in, and owns no used API key, resource or delegation. Its
// username and email are free again, its id is never given again, and the environment's log keeps who deleted whom. version 0
// acts on whatever version there is.
func (s *Service) Delete(ctx context.Context, sc access.Scope, id string, version int64) error {
	const tries = 5
	for attempt := 1; ; attempt++ {
		before, err := s.Store.Account(ctx, sc.Env, id)
		if err != nil {
			return err
		}
		if version != 0 && version != before.Version {
			return s.stale(ctx, sc, before, version)
		}
		if before.ID == sc.Caller.AccountID {
			return fault.New(fault.Conflict, "self", "You cannot delete yourself; another administrator can.")
		}
		if err := GuardAdministrator(sc, before); err != nil {
			return err
		}
		belongings, err := s.Remover.Belongings(ctx, id)
		if err != nil {
			return err
		}
		if held := heldBy(before, belongings); len(held) > 0 {
			return inUse(before, held)
		}
		if before.Stored.Pending {
			return fault.New(fault.Conflict, "busy", "An import is changing this account just now; try again in a moment.").After(2 * time.Second)
		}
		err = s.Remover.Delete(ctx, sc.Env, s.deletion(sc, before, belongings))
		if !errors.Is(err, ErrRaced) {
			return err
		}
		if attempt == tries {
			return fault.New(fault.Conflict, "busy", "The account is being changed by others just now; try again.").After(time.Second)
		}
	}
}

func (s *Service) deletion(sc access.Scope, before Account, belongings Belongings) Deletion {
	blank := Account{Active: before.Active}
	return Deletion{Before: before, Belongings: belongings, CallerEpoch: sc.Caller.Epoch, Event: journal.Event{
		ID: s.NewID(), At: s.now(), Kind: journal.Deleted, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID,
		Subject: "account/" + before.Username, Version: before.Version, Note: before.ID, Changes: Fields().Compare(&before, &blank),
		Keep: sc.Env.Settings.LogRetentionDays,
	}}
}

// heldBy returns what keeps the account from being deleted: the name of each reason and what it is in words.
func heldBy(a Account, b Belongings) []fault.Field {
	var held []fault.Field
	add := func(name, message string) {
		held = append(held, fault.Field{Field: name, Code: "inUse", Message: message})
	}
	counts := map[BelongingKind]int{}
	unused := 0
	for _, one := range b.All {
		if one.holds() {
			counts[one.Kind]++
		} else if one.Kind == AKey {
			unused++
		}
	}
	switch {
	case !a.LastLogin.IsZero():
		add("lastLogin", "It last signed in on "+field.Stamp(a.LastLogin)+".")
	case counts[ASession] > 0:
		add("sessions", "It has signed in.")
	}
	if a.Resource != "" {
		add("resource", "It is linked with the resource "+a.Resource+".")
	}
	if n := counts[AKey]; n > 0 {
		add("apiKeys", number(n, "API key", "API keys")+" of it "+map[bool]string{true: "was", false: "were"}[n == 1]+" used.")
	}
	if unused > MaxDeletedKeys {
		add("apiKeys", fmt.Sprintf("It has %d API keys, more than go with an account.", unused))
	}
	if n := counts[ADelegation]; n > 0 {
		add("delegations", "It has "+number(n, "delegation", "delegations")+".")
	}
	if n := counts[Other]; n > 0 {
		add("other", "It has "+number(n, "other thing", "other things")+" of its own.")
	}
	return held
}

func number(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// inUse is the conflict of an account that was used: the list of what holds it, and what to do instead.
func inUse(a Account, held []fault.Field) error {
	reasons := make([]string, len(held))
	for i, h := range held {
		reasons[i] = h.Message
	}
	return fault.New(fault.Conflict, "inUse", "%s was used, so it cannot be deleted. %s Lock it instead: that ends its access and frees its seat.",
		a.Username, strings.Join(reasons, " ")).WithFields(held...)
}
