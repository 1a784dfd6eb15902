// Command accounts is the Lambda function of accounts: list, create, read, change, and what is done to them.
package main

import (
	"crypto/rand"
	"slices"
	"time"

	"useraccounts/functions/accounts/api"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/boot"
	"useraccounts/internal/breach"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mail"
	"useraccounts/internal/overview"
	"useraccounts/internal/password"
	"useraccounts/internal/phone"
	"useraccounts/internal/seal"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
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
	gate := &signin.TokenAuthenticator{EnvID: cfg.Environment, Credentials: dynamo.NewChecks(table), Now: time.Now}
	store := dynamo.Accounts{Table: table}
	accounts := &account.Service{
		Rules: account.Rules{E164: phone.E164},
		Store: store, Directory: store, Deleter: store, Seats: store, Passwords: password.Argon2id{},
		Generator: password.Argon2id{}, Now: time.Now, NewID: token.NewIDString,
		PasswordHistory: dynamo.Passwords{Table: table}, Breaches: breach.MustNew(cfg.BreachRanges, boot.Logger("accounts")),
		Mail: &mail.Composer{NewID: token.NewIDString,
			Sealer: seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), time.Now)},
		LinkIssuer: &account.PasswordLinkIssuer{Random: rand.Reader, NewID: token.NewID},
	}
	log, delegations, overviews := dynamo.AccountLog{Table: table}, dynamo.Delegations{Table: table},
		dynamo.Statistics{Table: table}
	home := &overview.Service{Directory: store, Seats: accounts, Cache: overviews, Live: overviews, Now: time.Now,
		Sleep: signin.Sleep}
	desk := account.Editor{Accounts: accounts, Now: time.Now, NewID: token.NewIDString}
	tabs := api.Tabs{
		Log: &auditlog.Reader{Store: log, Now: time.Now}, Notes: &account.Notes{Editor: desk, Store: log},
		Contacts:    &account.Contacts{Editor: desk, Store: dynamo.Contacts{Table: table}},
		Delegations: &account.Delegations{Editor: desk, Store: delegations, Resources: delegations},
	}
	httpapi.Serve(httpapi.Server{PublicURL: cfg.PublicURL,
		Routes:       slices.Concat(api.Routes(accounts), api.TabRoutes(accounts, tabs), api.OverviewRoutes(home)),
		Authenticate: gate.Authenticate, Idempotency: dynamo.Idempotency{Table: table}, Log: boot.Logger("accounts"),
	})
}
