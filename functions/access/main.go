// Command access is the Lambda function of reference data: licences, roles and groups, and what resources refer to.
package main

import (
	"time"

	"useraccounts/functions/access/api"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/reference"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

type config struct {
	boot.AWS
	Table       string `env:"TABLE_NAME"`
	Environment string `env:"ENVIRONMENT_ID"`
	PublicURL   string `env:"PUBLIC_URL"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table)
	gate := &signin.TokenAuthenticator{EnvID: cfg.Environment, Credentials: sessions.NewCredentials(table), Now: time.Now}
	resources := dynamo.Resources{Table: table}
	entries := &reference.Service{
		Store: dynamo.NewReference(table),
		HolderSources: []reference.HolderSource{
			dynamo.AccountHolders{Accounts: dynamo.Accounts{Table: table}, Now: time.Now}, resources,
			dynamo.Delegations{Table: table}},
		Resources: resources, Now: time.Now, NewID: token.NewIDString,
	}
	httpapi.Serve(httpapi.Server{PublicURL: cfg.PublicURL,
		Routes: api.Routes(entries), Authenticate: gate.Authenticate, Idempotency: dynamo.Idempotency{Table: table},
		Log: boot.Logger("access"),
	})
}
