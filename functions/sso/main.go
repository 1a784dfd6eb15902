// Command sso is the Lambda function of single sign-on: signing in by a provider, the providers, and the links.
package main

import (
	"crypto/rand"
	"time"

	"useraccounts/functions/sso/api"
	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mail"
	"useraccounts/internal/objectstore/linkfiles"
	"useraccounts/internal/oidc"
	"useraccounts/internal/password"
	"useraccounts/internal/seal"
	"useraccounts/internal/signin"
	"useraccounts/internal/sso"
	"useraccounts/internal/token"
)

type config struct {
	boot.AWS
	Table       string `env:"TABLE_NAME"`
	Outbox      string `env:"OUTBOX_TABLE"`
	Environment string `env:"ENVIRONMENT_ID"`
	PublicURL   string `env:"PUBLIC_URL"`
	SealKey     string `env:"SEAL_KEY"`
	Bucket      string `env:"FILES_BUCKET"`
	PerMinute   int    `env:"SIGN_INS_PER_MINUTE"`
	Azure       string `env:"AZURE_URL"`
	Graph       string `env:"GRAPH_URL"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table, log, now := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table).WithOutbox(cfg.Outbox), boot.Logger("sso"), time.Now
	accounts, store, hash := dynamo.Accounts{Table: table}, dynamo.NewSignOn(table), password.Argon2id{}
	sealer := seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), now)
	gate, desk := &signin.Gate{EnvID: cfg.Environment, Checks: dynamo.NewChecks(table), Now: now}, &mail.Desk{NewID: token.NewIDText}
	door := &signin.Service{
		Gate: gate, Accounts: accounts, Sessions: dynamo.Sessions{Table: table}, Own: dynamo.Passwords{Table: table}, Factors: dynamo.Factors{Table: table},
		Hasher: hash, Random: rand.Reader, NewID: token.NewID, Sleep: signin.Sleep, Mail: desk,
		Throttle: dynamo.Arrivals{Table: table}, PerMinute: cfg.PerMinute, Tally: dynamo.Overviews{Table: table},
	}
	// Only beside local services are providers asked that run on the same machine, without TLS (V56).
	web := oidc.NewHTTP(cfg.Local())
	asker := &oidc.Client{HTTP: web, RedirectURL: cfg.PublicURL + "/sso/callback", Now: now}
	providers := &sso.Providers{Store: store, Sealer: sealer, Checker: asker, AzureURL: cfg.Azure, Now: now, NewID: token.NewIDText}
	flow := &sso.Flow{Providers: providers, Attempts: store, Asker: asker, GraphURL: cfg.Graph, Now: now}
	links := &sso.Links{Store: store, Accounts: &account.Service{Store: accounts}, Providers: providers, Mail: desk, Now: now, NewID: token.NewIDText}
	httpapi.Serve(httpapi.Server{PublicURL: cfg.PublicURL, Authenticate: gate.Authenticate, Idempotency: dynamo.Idempotency{Table: table}, Log: log, Routes: api.Routes(api.Services{
		Door: door, Providers: providers, Flow: flow, Links: links, RedirectURL: asker.RedirectURL,
		Own:    &sso.Own{Links: links, Flow: flow, Prover: door, Factors: dynamo.Factors{Table: table}, Now: now},
		Wizard: &sso.Wizard{Links: links, Flow: flow, Directory: oidc.Directory{HTTP: web, URL: cfg.Graph}, Sealer: sealer, Now: now},
		Files:  &sso.Files{Links: links, Store: linkfiles.Open(cfg.Config(boot.S3), cfg.Bucket), Now: now, NewID: token.NewIDText},
	})})
}
