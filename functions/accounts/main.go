// Command accounts is the Lambda function of accounts: list, create, read, change, and what is done to them.
package main

import (
	"time"

	"useraccounts/functions/accounts/api"
	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/journal"
	"useraccounts/internal/password"
	"useraccounts/internal/phone"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

type config struct {
	boot.AWS
	Table       string `env:"TABLE_NAME"`
	Environment string `env:"ENVIRONMENT_ID"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table)
	gate := &signin.Gate{EnvID: cfg.Environment, Checks: dynamo.NewChecks(table), Now: time.Now}
	store := dynamo.Accounts{Table: table}
	accounts := &account.Service{
		Rules: account.Rules{E164: phone.E164},
		Store: store, Directory: store, Remover: store, Seats: store, Passwords: password.Argon2id{}, Generator: password.Argon2id{}, Now: time.Now, NewID: token.NewIDText,
	}
	desk := account.Desk{Accounts: accounts, Now: time.Now, NewID: token.NewIDText}
	log, delegations := dynamo.Timeline{Table: table}, dynamo.Delegations{Table: table}
	tabs := api.Tabs{
		Log: &journal.Log{Source: log, Now: time.Now}, Notes: &account.Notes{Desk: desk, Store: log},
		Contacts:    &account.Contacts{Desk: desk, Store: dynamo.Contacts{Table: table}},
		Delegations: &account.Delegations{Desk: desk, Store: delegations, Resources: delegations},
	}
	httpapi.Serve(httpapi.Server{
		Routes: append(api.Routes(accounts), api.TabRoutes(accounts, tabs)...), Authenticate: gate.Authenticate, Idempotency: dynamo.Idempotency{Table: table},
		Log: boot.Logger("accounts"),
	})
}
