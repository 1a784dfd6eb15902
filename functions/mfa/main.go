// Command mfa is the Lambda function of second factors: people administer their own, administrators see and remove
// those of others.
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
	accounts, store, hash := dynamo.Accounts{Table: table}, factors.Store{Table: table}, password.Argon2id{}
	composer := &mail.Composer{NewID: token.NewIDString}
	authenticator := &signin.TokenAuthenticator{
		EnvID:       cfg.Environment,
		Credentials: sessions.NewCredentials(table),
		Now:         time.Now,
	}
	own := &factor.Service{
		Accounts: accounts,
		Store:    store,
		PasswordVerifier: &signin.Reauthenticator{
			Attempts: &signin.Attempts{
				TokenAuthenticator: authenticator,
				Accounts:           attempts.Store{Table: table},
				NewID:              token.NewID,
				Sleep:              signin.Sleep,
			},
			Tries:    sessions.OwnPasswords{Table: table},
			Verifier: hash,
		},
		Enroller: &mfa.Enroller{
			Store:    store,
			Sealer:   seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), time.Now),
			Hasher:   hash,
			Passkeys: passkey.New(cfg.PublicURL, "User Accounts"),
			Random:   rand.Reader,
			Now:      time.Now,
			NewID:    token.NewIDString,
		},
		Challenges: store,
		Providers:  dynamo.NewSSO(table),
		Hasher:     hash,
		Mail:       composer,
		Random:     rand.Reader,
		Now:        time.Now,
		NewID:      token.NewIDString,
	}
	others := &account.Service{
		Store: accounts,
		Mail:  composer,
		Now:   time.Now,
		NewID: token.NewIDString,
	}
	httpapi.Serve(httpapi.Server{
		PublicURL:    cfg.PublicURL,
		Routes:       api.Routes(own, others),
		Authenticate: authenticator.Authenticate,
		Idempotency:  dynamo.Idempotency{Table: table},
		Log:          boot.Logger("mfa"),
	})
}
