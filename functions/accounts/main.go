// Command accounts is the Lambda function of accounts: list, create, read, change, and what is done to them.
package main

import (
	"time"

	"useraccounts/functions/accounts/api"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/signin"
)

type config struct {
	boot.AWS
	Table       string `env:"TABLE_NAME"`
	Outbox      string `env:"OUTBOX_TABLE"`
	Environment string `env:"ENVIRONMENT_ID"`
	PublicURL   string `env:"PUBLIC_URL"`
	SealKey     string `env:"SEAL_KEY"`
	// BreachRanges is empty where published passwords are not asked about.
	BreachRanges string `env:"BREACH_RANGE_URL,optional"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table).WithOutbox(cfg.Outbox)
	gate := &signin.TokenAuthenticator{EnvID: cfg.Environment, Credentials: sessions.NewCredentials(table), Now: time.Now}
	httpapi.Serve(httpapi.Server{
		PublicURL: cfg.PublicURL, Routes: api.Routes(services(cfg, table)), Authenticate: gate.Authenticate,
		Idempotency: dynamo.Idempotency{Table: table}, Log: boot.Logger("accounts"),
	})
}
