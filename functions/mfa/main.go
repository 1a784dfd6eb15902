// Command mfa is the Lambda function of the second factor: one's own, and what administrators see and take away of others'.
package main

import (
	"crypto/rand"
	"time"

	"useraccounts/functions/mfa/api"
	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/factor"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/passkey"
	"useraccounts/internal/password"
	"useraccounts/internal/seal"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

type config struct {
	boot.AWS
	Table       string `env:"TABLE_NAME"`
	Environment string `env:"ENVIRONMENT_ID"`
	PublicURL   string `env:"PUBLIC_URL"`
	SealKey     string `env:"SEAL_KEY"`
	Outbox      string `env:"OUTBOX_TABLE"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table).WithOutbox(cfg.Outbox)
	accounts, factors, hash := dynamo.Accounts{Table: table}, dynamo.Factors{Table: table}, password.Argon2id{}
	gate := &signin.Gate{EnvID: cfg.Environment, Checks: dynamo.NewChecks(table), Now: time.Now}
	desk := &mail.Desk{NewID: token.NewIDText}
	own := &factor.Service{
		Accounts: accounts, Store: factors, Hasher: hash, Random: rand.Reader, Now: time.Now, NewID: token.NewIDText, Mail: desk,
		Prover:   &signin.Service{Gate: gate, Accounts: accounts, Own: dynamo.Passwords{Table: table}, Hasher: hash, NewID: token.NewID, Sleep: signin.Sleep},
		Passkeys: factors, Providers: dynamo.NewSignOn(table),
		SetUp: &mfa.SetUp{
			Passkeys: passkey.New(cfg.PublicURL, "User Accounts"),
			Store:    factors, Hasher: hash, Random: rand.Reader, Now: time.Now, NewID: token.NewIDText,
			Seal: seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), time.Now),
		},
	}
	others := &account.Service{Store: accounts, Mail: desk, Now: time.Now, NewID: token.NewIDText}
	httpapi.Serve(httpapi.Server{PublicURL: cfg.PublicURL,
		Routes: api.Routes(own, others), Authenticate: gate.Authenticate, Idempotency: dynamo.Idempotency{Table: table}, Log: boot.Logger("mfa"),
	})
}
