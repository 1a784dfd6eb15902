// Command sso is the Lambda function of single sign-on: sign-in with a provider, the providers, and the links of
// accounts.
package main

import (
	"crypto/rand"
	"time"

	"useraccounts/functions/sso/api"
	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/authrequests"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mail"
	"useraccounts/internal/objectstore/identityfiles"
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
	table, log, now := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table).WithOutbox(cfg.Outbox), boot.Logger("sso"),
		time.Now
	accounts, store, hash := dynamo.Accounts{Table: table}, dynamo.NewSSO(table), password.Argon2id{}
	sealer := seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), now)
	gate, composer := &signin.TokenAuthenticator{EnvID: cfg.Environment, Credentials: sessions.NewCredentials(table),
		Now: now},
		&mail.Composer{NewID: token.NewIDString}
	signIn := &signin.Service{
		TokenAuthenticator: gate, Accounts: attempts.Store{Table: table}, Sessions: sessions.Store{Table: table},
		OwnPasswords: sessions.OwnPasswords{Table: table}, Factors: factors.Store{Table: table},
		Verifier: hash, Random: rand.Reader, NewID: token.NewID, Sleep: signin.Sleep, Mail: composer,
		RateLimiter: attempts.RateLimiter{Table: table}, RequestsPerMinute: cfg.PerMinute,
		Stats: dynamo.Statistics{Table: table},
	}
	// Requests to providers on the same machine, without TLS, are allowed beside local services only (V56).
	httpClient := oidc.NewHTTP(cfg.Local())
	client := &oidc.Client{HTTP: httpClient, RedirectURL: cfg.PublicURL + "/sso/callback", Now: now}
	providers := &sso.Providers{
		Store: store, Sealer: sealer, Checker: client, AzureURL: cfg.Azure, Now: now,
		NewID: token.NewIDString,
	}
	flow := &sso.Flow{Providers: providers, Requests: authrequests.Store{Table: table}, Client: client,
		GraphURL: cfg.Graph, Now: now}
	identities := &sso.Identities{
		Store: store, Accounts: &account.Service{Store: accounts}, Providers: providers,
		Mail: composer, Now: now, NewID: token.NewIDString,
	}
	httpapi.Serve(
		httpapi.Server{
			PublicURL: cfg.PublicURL, Authenticate: gate.Authenticate,
			Idempotency: dynamo.Idempotency{Table: table}, Log: log, Routes: api.Routes(api.Services{
				SignIn: signIn, Providers: providers, Flow: flow, Identities: identities, RedirectURL: client.RedirectURL,
				SelfService: &sso.SelfService{
					Identities: identities, Flow: flow, Prover: signIn,
					Factors: factors.Store{Table: table}, Now: now,
				},
				Wizard: &sso.Wizard{
					Identities: identities, Flow: flow,
					Directory: oidc.Directory{HTTP: httpClient, URL: cfg.Graph}, Sealer: sealer, Now: now,
				},
				Files: &sso.LinkFiles{
					Identities: identities, Store: identityfiles.Open(cfg.Config(boot.S3), cfg.Bucket),
					Now: now, NewID: token.NewIDString,
				},
			}),
		})
}
