// Command settings is the Lambda function of the environment defaults, the environment's log, the communication log,
// and Sets.
package main

import (
	"slices"
	"time"

	"useraccounts/functions/settings/api"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mail"
	"useraccounts/internal/sets"
	"useraccounts/internal/settings"
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
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table)
	gate := &signin.TokenAuthenticator{EnvID: cfg.Environment, Credentials: sessions.NewCredentials(table), Now: time.Now}
	defaults := &settings.Service{Store: dynamo.NewSettings(table), Now: time.Now, NewID: token.NewIDString}
	views := &sets.Service{Store: dynamo.Sets{Table: table}, Now: time.Now, NewID: token.NewIDString}
	mails := &mail.CommunicationLog{Store: dynamo.NewOutbox(table.WithOutbox(cfg.Outbox)), Now: time.Now}
	httpapi.Serve(httpapi.Server{PublicURL: cfg.PublicURL,
		Routes: slices.Concat(api.Routes(defaults), api.CommunicationRoutes(mails), api.SetRoutes(views),
			api.HealthRoutes(mails)),
		Authenticate: gate.Authenticate,
		Idempotency:  dynamo.Idempotency{Table: table}, Log: boot.Logger("settings"),
	})
}
