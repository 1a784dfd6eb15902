// Command apikeys is the Lambda function that administers the API keys of accounts. Every function checks the keys
// themselves.
package main

import (
	"crypto/rand"
	"time"

	"useraccounts/functions/apikeys/api"
	"useraccounts/internal/account"
	"useraccounts/internal/apikey"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mail"
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
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table).WithOutbox(cfg.Outbox)
	authenticator := &signin.TokenAuthenticator{
		EnvID:       cfg.Environment,
		Credentials: sessions.NewCredentials(table),
		Now:         time.Now,
	}
	keys := &apikey.Service{
		Store:    dynamo.APIKeys{Table: table},
		Accounts: &account.Service{Store: dynamo.Accounts{Table: table}},
		Now:      time.Now,
		NewID:    token.NewID,
		Random:   rand.Reader,
		Mail:     &mail.Composer{NewID: token.NewIDString},
	}
	httpapi.Serve(httpapi.Server{
		PublicURL:    cfg.PublicURL,
		Routes:       api.Routes(keys, time.Now),
		Authenticate: authenticator.Authenticate,
		Idempotency:  dynamo.Idempotency{Table: table},
		Log:          boot.Logger("apikeys"),
	})
}
