// Command seed makes the environment and the first administrator of a deployed stack, from a laptop with AWS
// credentials in its environment: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. What is
// there already stays. A table with other environments gets one more only where NEW=1 says that it is meant.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/password"
	"useraccounts/internal/phone"
	"useraccounts/internal/setup"
	"useraccounts/internal/token"
)

type config struct {
	boot.AWS
	Table         string      `env:"TABLE_NAME"`
	Environment   string      `env:"ENVIRONMENT_ID" default:"main"`
	New           bool        `env:"NEW,optional"`
	AdminPassword boot.Secret `env:"ADMIN_PASSWORD"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table)
	s := setup.Setup{Environments: dynamo.NewEnvironments(table), Upgrades: dynamo.Upgrades{Table: table},
		Accounts: &account.Service{
			Rules: account.Rules{E164: phone.E164},
			Store: dynamo.Accounts{Table: table}, Passwords: password.Argon2id{}, Now: time.Now, NewID: token.NewIDString,
		}}
	if err := seed(context.Background(), s, cfg); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func seed(ctx context.Context, s setup.Setup, cfg config) error {
	if err := s.CheckNew(ctx, cfg.Environment); err != nil && !cfg.New {
		return fmt.Errorf("%w: give one of these as ENVIRONMENT_ID, or NEW=1 to make another", err)
	}
	made, err := s.CreateEnvironment(ctx, cfg.Environment)
	if err != nil {
		return err
	}
	fmt.Printf("environment %s: %s\n", cfg.Environment, word(made))
	made, err = s.CreateAdministrator(ctx, cfg.Environment, cfg.AdminPassword.Reveal())
	if err != nil {
		return err
	}
	fmt.Printf("administrator %s: %s\n", setup.AdministratorUsername, word(made))
	return nil
}

func word(made bool) string {
	if made {
		return "made"
	}
	return "is there already, left as it is"
}
