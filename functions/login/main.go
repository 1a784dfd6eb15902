// Command login is the Lambda function that lets people in and out.
package main

import (
	"crypto/rand"
	"time"

	"useraccounts/functions/login/api"
	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/breach"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/passkey"
	"useraccounts/internal/password"
	"useraccounts/internal/recovery"
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
	PerMinute   int    `env:"SIGN_INS_PER_MINUTE"`
	// BreachRanges is empty where published passwords are not asked about.
	BreachRanges string `env:"BREACH_RANGE_URL,optional"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table).WithOutbox(cfg.Outbox)
	gate := &signin.Gate{EnvID: cfg.Environment, Checks: dynamo.NewChecks(table), Now: time.Now}
	factors, sealer := dynamo.Factors{Table: table}, seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), time.Now)
	passwords, breaches := dynamo.Passwords{Table: table}, breach.MustNew(cfg.BreachRanges, boot.Logger("login"))
	desk, passkeys := &mail.Desk{NewID: token.NewIDText, Sealer: sealer}, passkey.New(cfg.PublicURL, "User Accounts")
	service := &signin.Service{
		Gate: gate, Accounts: dynamo.Accounts{Table: table}, Sessions: dynamo.Sessions{Table: table},
		Hasher: password.Argon2id{}, Passwords: password.Argon2id{}, Random: rand.Reader, NewID: token.NewID, Sleep: signin.Sleep,
		ByKey: dynamo.Keys{Table: table}, Own: passwords, Former: passwords, Meter: password.Argon2id{}, Breaches: breaches,
		Factors: factors, Seal: sealer, Throttle: dynamo.Arrivals{Table: table}, PerMinute: cfg.PerMinute, Mail: desk,
		Tally: dynamo.Overviews{Table: table}, Passkeys: factors, MailCodes: factors, Ceremonies: passkeys,
		Enrol: &mfa.SetUp{Store: factors, Seal: sealer, Hasher: password.Argon2id{}, Random: rand.Reader, Now: time.Now, NewID: token.NewIDText, Passkeys: passkeys},
	}
	recovering := &recovery.Service{
		EnvID: cfg.Environment, Asks: dynamo.Links{Table: table}, Links: dynamo.Links{Table: table}, Catalogues: dynamo.NewEnvironments(table),
		Passwords: account.Chooser{Passwords: password.Argon2id{}, Verifier: password.Argon2id{}, Former: passwords, Breaches: breaches},
		Mail:      desk, Random: rand.Reader, Now: time.Now, NewID: token.NewID,
	}
	httpapi.Serve(httpapi.Server{PublicURL: cfg.PublicURL,
		Routes: api.Routes(service, recovering), Authenticate: gate.Authenticate, Log: boot.Logger("login"),
	})
}
