// Command access is the Lambda function of reference data: licences, roles and groups, applications, and what
// resources refer to.
package main

import (
	"crypto/rand"
	"time"

	"useraccounts/functions/access/api"
	"useraccounts/internal/application"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mail"
	"useraccounts/internal/password"
	"useraccounts/internal/reference"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

type config struct {
	boot.AWS
	Table       string `env:"TABLE_NAME"`
	Outbox      string `env:"OUTBOX_TABLE"`
	Environment string `env:"ENVIRONMENT_ID"`
	PublicURL   string `env:"PUBLIC_URL"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table, now := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table).WithOutbox(cfg.Outbox), time.Now
	gate := &signin.TokenAuthenticator{
		EnvID:       cfg.Environment,
		Credentials: sessions.NewCredentials(table),
		Now:         now,
	}
	resources := dynamo.Resources{Table: table}
	entries := &reference.Service{
		Store: dynamo.NewReference(table),
		HolderSources: []reference.HolderSource{
			dynamo.AccountHolders{Accounts: dynamo.Accounts{Table: table}, Now: now},
			resources,
			dynamo.Delegations{Table: table},
		},
		Resources: resources,
		Now:       now,
		NewID:     token.NewIDString,
	}
	applications := &application.Service{
		Entries: entries,
		Prover:  reauthenticator(gate, table),
		Now:     now,
		NewID:   token.NewID,
		Random:  rand.Reader,
	}
	httpapi.Serve(httpapi.Server{
		PublicURL:    cfg.PublicURL,
		Routes:       api.Routes(entries, applications),
		Authenticate: gate.Authenticate,
		Idempotency:  dynamo.Idempotency{Table: table},
		Log:          boot.Logger("access"),
	})
}

// reauthenticator verifies the caller's own password, which a credential is made with.
func reauthenticator(gate *signin.TokenAuthenticator, table *dynamo.Table) *signin.Reauthenticator {
	return &signin.Reauthenticator{
		Attempts: &signin.Attempts{
			TokenAuthenticator: gate,
			Accounts:           attempts.Store{Table: table},
			Stats:              dynamo.Statistics{Table: table},
			Mail:               &mail.Composer{NewID: token.NewIDString},
			NewID:              token.NewID,
			Sleep:              signin.Sleep,
		},
		Tries:    sessions.OwnPasswords{Table: table},
		Verifier: password.Argon2id{},
	}
}
