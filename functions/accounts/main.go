// Command accounts is the Lambda function of accounts: list, create, read, change, and what is done to them.
package main

import (
	"time"

	"useraccounts/functions/accounts/api"
	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/httpapi"
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
	accounts := &account.Service{
		Rules: account.Rules{E164: phone.E164},
		Store: dynamo.Accounts{Table: table}, Passwords: password.Argon2id{}, Now: time.Now, NewID: token.NewIDText,
	}
	httpapi.Serve(httpapi.Server{
		Routes: api.Routes(accounts), Authenticate: gate.Authenticate, Idempotency: dynamo.Idempotency{Table: table},
		Log: boot.Logger("accounts"),
	})
}
