// Package setup makes a new environment ready to use: settings, reference data with which everything can be tried at
// once, and the first administrator.
package setup

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Environments is the store of environments.
type Environments interface {
	// Seed creates an environment and reports whether it did; an existing one stays as it is.
	Seed(ctx context.Context, env environment.Environment, entries []catalogue.Entry) (bool, error)
	// IDs returns the ids of all environments, sorted. It reads the whole table.
	IDs(ctx context.Context) ([]string, error)
	Environment(ctx context.Context, env string) (environment.Environment, error)
	Catalogue(ctx context.Context, env environment.Environment) (*catalogue.Catalogue, error)
}

// Upgrader brings what earlier releases stored into the form of this one.
type Upgrader interface {
	// Upgrade does so for an environment; it can be repeated.
	Upgrade(ctx context.Context, env string) error
}

// Setup sets up environments.
type Setup struct {
	Environments Environments
	Upgrades     Upgrader
	Accounts     *account.Service
}

// Administrator is who an environment's first administrator is to be.
type Administrator struct {
	Username, Name, Email, Password string
}

// TryOutAdministrator is the first administrator of a system on a developer's machine.
func TryOutAdministrator(password string) Administrator {
	return Administrator{Username: "admin", Name: "Administrator", Email: "admin@example.com", Password: password}
}

// CheckNew guards against a mistyped id, which would make an environment that nobody's functions serve. It returns an
// error, which names the environments that there are, for an id that is none of them; in an empty table every id is
// welcome.
func (s Setup) CheckNew(ctx context.Context, id string) error {
	if err := environment.CheckID(id); err != nil {
		return err
	}
	ids, err := s.Environments.IDs(ctx)
	if err != nil || len(ids) == 0 || slices.Contains(ids, id) {
		return err
	}
	return fmt.Errorf("there is no environment %s in this table, which has %s", id, strings.Join(ids, ", "))
}

// CreateEnvironment creates the environment, unless it exists, and upgrades what is stored, which may be from an
// earlier release. It reports whether it created the environment. It returns an error for an id that is none. With
// tryOut a new environment has data and settings with which everything can be tried.
func (s Setup) CreateEnvironment(ctx context.Context, id string, tryOut bool) (bool, error) {
	if err := environment.CheckID(id); err != nil {
		return false, err
	}
	settings := environment.Defaults()
	settings.DACEnabled = tryOut
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return false, fmt.Errorf("read random bytes: %w", err)
	}
	created, err := s.Environments.Seed(ctx, environment.Environment{ID: id, Settings: settings, CursorKey: key},
		Entries(tryOut))
	if err != nil {
		return false, err
	}
	return created, s.Upgrades.Upgrade(ctx, id)
}

// CreateAdministrator creates the first administrator and allows login access. It reports whether it did: an existing
// account with the username stays as it is. A password that the environment's rules refuse is an error, and then nobody
// is created.
func (s Setup) CreateAdministrator(ctx context.Context, env string, of Administrator) (created bool, err error) {
	scope, err := s.systemScope(ctx, env)
	if err != nil {
		return false, err
	}
	words := []string{of.Username, of.Name, of.Email}
	if wrong := s.Accounts.Passwords.Check(scope.Env.Settings, of.Password, words); len(wrong) > 0 {
		return false, fault.InvalidFields(wrong)
	}
	a, err := s.Accounts.Create(ctx, scope, field.Patch{
		"username": of.Username, "name": of.Name, "email": of.Email, "userType": "FULL", "roles": []string{"ADMIN"},
	})
	if fault.HasCode(err, "taken") {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, s.setPassword(ctx, scope, a.ID, of.Password)
}

// RecoverAdministrator lets an administrator in again, whatever keeps them out: it unlocks the account, clears its
// dates, gives it the role ADMIN, removes its second factors where removeFactors says so, sets the password and allows
// login access. Each of these stands in the account's log, by "setup".
func (s Setup) RecoverAdministrator(ctx context.Context, env, accountID, password string, removeFactors bool) error {
	scope, err := s.systemScope(ctx, env)
	if err != nil {
		return err
	}
	scope.Env.Settings.AdminSetsPasswords = true
	if _, err := s.Accounts.Unlock(ctx, scope, accountID, 0); err != nil {
		return err
	}
	if _, err := s.Accounts.ChangeCodes(ctx, scope, accountID, "roles", []string{"ADMIN"}, nil); err != nil {
		return err
	}
	patch := field.Patch{"dateFrom": field.Date(""), "dateTo": field.Date("")}
	if _, err := s.Accounts.Change(ctx, scope, accountID, 0, patch); err != nil {
		return err
	}
	if removeFactors {
		if _, err := s.Accounts.RemoveMFA(ctx, scope, accountID, 0); err != nil {
			return err
		}
	}
	return s.setPassword(ctx, scope, accountID, password)
}

// SetPassword gives an account a password and allows login access.
func (s Setup) SetPassword(ctx context.Context, env, accountID, password string) error {
	scope, err := s.systemScope(ctx, env)
	if err != nil {
		return err
	}
	return s.setPassword(ctx, scope, accountID, password)
}

func (s Setup) setPassword(ctx context.Context, scope access.Scope, accountID, password string) error {
	_, err := s.Accounts.SetPassword(ctx, scope, accountID, 0,
		account.NewPasswordRequest{Password: password, Unlock: true})
	return err
}

// CreateDemoAccounts creates some accounts to look at, unless they exist.
func (s Setup) CreateDemoAccounts(ctx context.Context, env string) error {
	scope, err := s.systemScope(ctx, env)
	if err != nil {
		return err
	}
	for _, p := range demoAccounts() {
		if _, err := s.Accounts.Create(ctx, scope, p); err != nil && !fault.HasCode(err, "taken") {
			return err
		}
	}
	return nil
}

// systemScope is the scope of the set-up itself. It holds every permission, because there is nobody yet who could give
// them.
func (s Setup) systemScope(ctx context.Context, id string) (access.Scope, error) {
	env, err := s.Environments.Environment(ctx, id)
	if err != nil {
		return access.Scope{}, err
	}
	data, err := s.Environments.Catalogue(ctx, env)
	if err != nil {
		return access.Scope{}, err
	}
	all := access.Set{}
	for p := range access.All() {
		all[p] = struct{}{}
	}
	return access.Scope{Env: env, Catalogue: data, Caller: access.Caller{
		Username: "setup", Permissions: all, AuthenticatedAt: s.Accounts.Now(),
	}}, nil
}

func demoAccounts() []field.Patch {
	day := func(offset int) field.Date {
		return field.DateOf(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC).AddDate(0, 0, offset))
	}
	return []field.Patch{
		{"username": "doej", "name": "John Doe", "email": "john.doe@example.com", "mobile": "07700 900123",
			"userType": "FULL",
			"roles":    []string{"EDITOR"}, "groups": []string{"STAFF"}, "dateFrom": day(0)},
		{"username": "smithm", "name": "Mary Smith", "email": "mary.smith@example.com", "userType": "TEAM",
			"groups": []string{"HELPDESK"}, "dateFrom": day(7)},
		{"username": "garciaa", "name": "Ana García", "email": "ana.garcia@example.com", "userType": "TEAM",
			"roles":     []string{"VIEWER"},
			"dacGroups": []string{"DAC1"}, "mfaRequired": true, "dateFrom": day(14)},
		{"username": "payroll-sync", "name": "Payroll interface", "userType": "API", "roles": []string{"VIEWER"},
			"dateFrom": day(21)},
	}
}
