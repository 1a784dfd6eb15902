// Command mfa is the Lambda function of the second factor: one's own, and what administrators see and take away of
// others'.
package main

import (
	"crypto/rand"
	"time"

	"useraccounts/functions/mfa/api"
	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/dynamo/sessions"
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
	accounts, factors, hash := dynamo.Accounts{Table: table}, factors.Store{Table: table}, password.Argon2id{}
	authenticator := &signin.TokenAuthenticator{EnvID: cfg.Environment, Credentials: sessions.NewCredentials(table),
		Now: time.Now}
	composer := &mail.Composer{NewID: token.NewIDString}
	own := &factor.Service{
		Accounts: accounts, Store: factors, Hasher: hash, Random: rand.Reader, Now: time.Now, NewID: token.NewIDString,
		Mail: composer,
		PasswordVerifier: &signin.Service{TokenAuthenticator: authenticator, Accounts: attempts.Store{Table: table},
			OwnPasswords: sessions.OwnPasswords{Table: table}, Verifier: hash, NewID: token.NewID, Sleep: signin.Sleep},
		Challenges: factors, Providers: dynamo.NewSSO(table),
		Enroller: &mfa.Enroller{
			Passkeys: passkey.New(cfg.PublicURL, "User Accounts"),
			Store:    factors, Hasher: hash, Random: rand.Reader, Now: time.Now, NewID: token.NewIDString,
			Sealer: seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), time.Now),
		},
	}
	accountService := &account.Service{Store: accounts, Mail: composer, Now: time.Now, NewID: token.NewIDString}
	httpapi.Serve(httpapi.Server{PublicURL: cfg.PublicURL,
		Routes: api.Routes(own, accountService), Authenticate: authenticator.Authenticate,
		Idempotency: dynamo.Idempotency{Table: table}, Log: boot.Logger("mfa"),
	})
}
