// Package settings is the environment defaults as administrators see and change them: their fields, the rules between
// them, and the one document they make, versioned like an account.
package settings

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/credential"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// ErrConcurrentChange is what Store.Write returns when the document is no longer as the write read it. Nothing was
// written.
var ErrConcurrentChange = errors.New("settings changed since they were read")

// Subject is what the environment's log calls the document.
const Subject = "settings"

// Write is one change of the document and its event.
type Write struct {
	Env string
	// BaseVersion is the version that the change was made on; the event has the next.
	BaseVersion int64
	After       Settings
	Event       auditlog.Event
}

// Store is what the service needs of the table.
type Store interface {
	Environment(ctx context.Context, env string) (environment.Environment, error)
	// WriteSettings does w; ErrConcurrentChange if the document is at another version.
	WriteSettings(ctx context.Context, w Write) error
	// Events returns up to limit events of the environment, newest first, after the given id, and the id to go on from.
	Events(ctx context.Context, env, after string, limit int) ([]auditlog.Event, string, error)
	// EventsSince returns the events of a subject that made versions after the given one, oldest first.
	EventsSince(ctx context.Context, env, subject string, version int64) ([]auditlog.Event, error)
}

// Service changes settings.
type Service struct {
	Store Store
	Now   func() time.Time
	NewID func() string
}

// Document is the settings at one version.
type Document struct {
	Settings
	Version int64
}

// Get returns the settings that the caller's request acts under.
func (s *Service) Get(sc access.Scope) Document {
	return Document{Settings: sc.Env.Settings, Version: sc.Env.SettingsVersion}
}

// Change applies a patch if version is still the newest. A patch that changes nothing writes nothing.
func (s *Service) Change(ctx context.Context, sc access.Scope, version int64, patch field.Patch) (Document, error) {
	now, err := s.Store.Environment(ctx, sc.Env.ID)
	if err != nil {
		return Document{}, err
	}
	if now.SettingsVersion != version {
		return Document{}, s.stale(ctx, now, version)
	}
	after, invalid := validate(now.Settings, patch)
	if err := fault.InvalidFields(invalid); err != nil {
		return Document{}, err
	}
	diff := Fields().Compare(&now.Settings, &after)
	if len(diff) == 0 {
		return Document{Settings: after, Version: version}, nil
	}
	if weakensSignIn(now.Settings, after) {
		if err := credential.Check(sc, credential.WeakenSignIn, credential.Target{}, s.Now()); err != nil {
			return Document{}, err
		}
	}
	err = s.Store.WriteSettings(ctx, Write{Env: now.ID, BaseVersion: version, After: after, Event: auditlog.Event{
		ID: s.NewID(), At: s.Now().UTC().Truncate(time.Millisecond), Kind: auditlog.Changed, By: sc.Caller.Username,
		ByID: sc.Caller.AccountID,
		Key:  sc.Caller.KeyID, Subject: Subject, Version: version + 1, Changes: diff, RetentionDays: after.LogRetentionDays,
	}})
	if errors.Is(err, ErrConcurrentChange) {
		if now, err = s.Store.Environment(ctx, sc.Env.ID); err == nil {
			err = s.stale(ctx, now, version)
		}
	}
	return Document{Settings: after, Version: version + 1}, err
}

func (s *Service) stale(ctx context.Context, now environment.Environment, version int64) error {
	events, err := s.Store.EventsSince(ctx, now.ID, Subject, version)
	if err != nil {
		return err
	}
	return auditlog.Stale("The settings", now.SettingsVersion, events)
}

// Log returns up to limit events of the environment, newest first, after the given id, and the id to go on from. It
// ends at the environment's retention time, whether older events are deleted already or not.
func (s *Service) Log(ctx context.Context, sc access.Scope, after string, limit int) ([]auditlog.Event, string, error) {
	events, next, err := s.Store.Events(ctx, sc.Env.ID, after, limit)
	kept := s.Now().Add(-auditlog.Retention(sc.Env.Settings.LogRetentionDays))
	if i := slices.IndexFunc(events, func(e auditlog.Event) bool { return e.At.Before(kept) }); i >= 0 {
		events, next = events[:i], ""
	}
	return events, next, err
}

// validate applies a patch and checks the rules between fields.
func validate(before Settings, patch field.Patch) (Settings, []fault.Field) {
	after := before
	invalid := Fields().Apply(&after, patch)
	if len(invalid) > 0 {
		return after, invalid
	}
	invalid = Fields().Missing(&after)
	if after.SessionHard < after.SessionIdle {
		invalid = append(invalid,
			fault.Field{Field: fieldAtFault(patch, "sessionHardMinutes", "sessionIdleMinutes"), Code: "order",
				Message: fmt.Sprintf(
					"The hard limit (%d minutes) cannot be shorter than the idle limit (%d minutes).", after.SessionHard,
					after.SessionIdle)})
	}
	if after.PasswordNIST && after.PasswordClasses > 0 {
		invalid = append(invalid, fault.Field{Field: fieldAtFault(patch, "passwordClasses", "passwordNIST"), Code: "nist",
			Message: "NIST mode has no rule about character classes. Set them to 0, or turn NIST mode off."})
	}
	if after.PasswordNIST && after.PasswordMaxAgeDays > 0 {
		invalid = append(invalid, fault.Field{Field: fieldAtFault(patch, "passwordMaxAgeDays", "passwordNIST"), Code: "nist",
			Message: "NIST mode has no maximum age of passwords. Set it to 0, or turn NIST mode off."})
	}
	return after, invalid
}

// fieldAtFault returns the field at which a rule between two is reported: the first, unless only the second was given.
func fieldAtFault(patch field.Patch, first, second string) string {
	if _, ok := patch[first]; ok {
		return first
	}
	return second
}
