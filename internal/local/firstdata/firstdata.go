// Package firstdata puts into a local system what a newcomer needs to try everything: an environment with reference
// data, an administrator, and some accounts to look at.
package firstdata

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"strings"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/local"
	"useraccounts/internal/password"
	"useraccounts/internal/phone"
	"useraccounts/internal/setup"
	"useraccounts/internal/token"
)

// Seed is the local.Seeder of the product. On data that is there already it changes nothing, but for the
// administrator's password where one is asked for.
func Seed(ctx context.Context, target local.SeedTarget) ([]string, error) {
	table := &dynamo.Table{Client: target.Endpoints.DynamoDBClient(), Name: target.TableName}
	environments := dynamo.NewEnvironments(table)
	s := setup.Setup{Environments: environments, Upgrades: dynamo.Upgrades{Table: table}, Accounts: &account.Service{
		Rules: account.Rules{E164: phone.E164},
		Store: dynamo.Accounts{Table: table}, Passwords: noPasswordPolicy{}, Now: time.Now, NewID: token.NewIDString,
	}}
	if _, err := s.CreateEnvironment(ctx, target.EnvironmentID, true); err != nil {
		return nil, err
	}
	secret, given := target.AdminPassword, target.AdminPassword != ""
	if !given {
		secret = generate()
	}
	administrator := setup.TryOutAdministrator(secret)
	made, err := s.CreateAdministrator(ctx, target.EnvironmentID, administrator)
	if err != nil {
		return nil, err
	}
	if made {
		if err := s.CreateDemoAccounts(ctx, target.EnvironmentID); err != nil {
			return nil, err
		}
	}
	switch {
	case given:
		if !made {
			err = resetAdministratorPassword(ctx, s, environments, target, administrator)
		}
		return []string{"Sign in: " + administrator.Username + " with the password of ADMIN_PASSWORD"}, err
	case made:
		return []string{"Sign in: " + administrator.Username + " / " + secret + "   (shown this once)"}, nil
	default:
		return []string{"Sign in: " + administrator.Username +
			" with the password of the first start (ADMIN_PASSWORD=... sets another)"}, nil
	}
}

// resetAdministratorPassword gives the administrator of kept data the password asked for now.
func resetAdministratorPassword(ctx context.Context, s setup.Setup, environments *dynamo.Environments,
	target local.SeedTarget, administrator setup.Administrator) error {
	directory := dynamo.Directory{Accounts: dynamo.Accounts{Table: environments.Table}, Environments: environments,
		Now: time.Now}
	env, err := environments.Environment(ctx, target.EnvironmentID)
	if err != nil {
		return err
	}
	found, err := directory.AccountsByUsername(ctx, env, 0, []string{administrator.Username})
	if err != nil {
		return err
	}
	if !found[0].Exists || !found[0].Account.Active {
		return nil // renamed or locked since; whoever did has another way in
	}
	return s.SetPassword(ctx, target.EnvironmentID, found[0].Account.ID, administrator.Password)
}

// generate returns a password that is easily typed: 16 letters and digits, 80 random bits.
func generate() string {
	raw := make([]byte, 10)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	text := strings.ToLower(base32.StdEncoding.EncodeToString(raw))
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
}

// noPasswordPolicy hashes as the product does but takes any password: on a laptop it is the developer's own affair.
type noPasswordPolicy struct{ password.Argon2id }

// Check finds nothing wrong.
func (noPasswordPolicy) Check(environment.Settings, string, []string) []fault.Field { return nil }
