// Command sso is the Lambda function of single sign-on: signing in by a provider, the providers, and the links.
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
	log, now := boot.Logger("sso"), time.Now
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table).WithOutbox(cfg.Outbox)
	accounts, store, factorStore := dynamo.Accounts{Table: table}, dynamo.NewSSO(table), factors.Store{Table: table}
	sealer := seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), now)
	composer := &mail.Composer{NewID: token.NewIDString}
	counted := &signin.Attempts{
		TokenAuthenticator: &signin.TokenAuthenticator{
			EnvID:       cfg.Environment,
			Credentials: sessions.NewCredentials(table),
			Now:         now,
		},
		Accounts: attempts.Store{Table: table},
		Stats:    dynamo.Statistics{Table: table},
		Mail:     composer,
		NewID:    token.NewID,
		Sleep:    signin.Sleep,
	}
	// Requests to providers on the same machine, without TLS, are allowed beside local services only (V56).
	httpClient := oidc.NewHTTP(cfg.Local())
	client := &oidc.Client{HTTP: httpClient, RedirectURL: cfg.PublicURL + "/sso/callback",
		Loopback: cfg.Local(), Now: now}
	providers := &sso.Providers{
		Store:    store,
		Sealer:   sealer,
		Checker:  client,
		AzureURL: cfg.Azure,
		Now:      now,
		NewID:    token.NewIDString,
	}
	flow := &sso.Flow{
		Providers: providers,
		Requests:  authrequests.Store{Table: table},
		Client:    client,
		GraphURL:  cfg.Graph,
		Now:       now,
	}
	identities := &sso.Identities{
		Store:     store,
		Accounts:  &account.Service{Store: accounts},
		Providers: providers,
		Mail:      composer,
		Now:       now,
		NewID:     token.NewIDString,
	}
	services := api.Services{
		Limiter: &signin.RateLimiter{
			EnvID:     cfg.Environment,
			Counter:   attempts.RateLimiter{Table: table},
			PerMinute: cfg.PerMinute,
			Now:       now,
		},
		SignIn: &signin.ProviderService{
			Steps: &signin.Steps{
				Attempts: counted,
				Sessions: sessions.Store{Table: table},
				Devices:  factorStore,
				Random:   rand.Reader,
			},
			Directory: accounts,
		},
		Providers:   providers,
		Flow:        flow,
		Identities:  identities,
		RedirectURL: client.RedirectURL,
		SelfService: &sso.SelfService{
			Identities: identities,
			Flow:       flow,
			Prover:     reauthenticator(counted, table),
			Factors:    factorStore,
			Now:        now,
		},
		Wizard: &sso.Wizard{
			Identities: identities,
			Flow:       flow,
			Directory:  oidc.Directory{HTTP: httpClient, URL: cfg.Graph},
			Sealer:     sealer,
			Now:        now,
		},
		Files: &sso.LinkFiles{
			Identities: identities,
			Store:      identityfiles.Open(cfg.Config(boot.S3), cfg.Bucket),
			Now:        now,
			NewID:      token.NewIDString,
		},
	}
	httpapi.Serve(httpapi.Server{
		PublicURL:    cfg.PublicURL,
		Routes:       api.Routes(services),
		Authenticate: counted.Authenticate,
		Idempotency:  dynamo.Idempotency{Table: table},
		Log:          log,
	})
}

func reauthenticator(attempts *signin.Attempts, table *dynamo.Table) *signin.Reauthenticator {
	return &signin.Reauthenticator{
		Attempts: attempts,
		Tries:    sessions.OwnPasswords{Table: table},
		Verifier: password.Argon2id{},
	}
}
