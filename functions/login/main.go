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
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/dynamo/passwordlinks"
	"useraccounts/internal/dynamo/sessions"
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
	authenticator := &signin.TokenAuthenticator{EnvID: cfg.Environment, Credentials: sessions.NewCredentials(table),
		Now: time.Now}
	factors, sealer := factors.Store{Table: table}, seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), time.Now)
	history, breaches := dynamo.PasswordHistory{Table: table}, breach.MustNew(cfg.BreachRanges, boot.Logger("login"))
	composer, passkeys := &mail.Composer{NewID: token.NewIDString, Sealer: sealer},
		passkey.New(cfg.PublicURL, "User Accounts")
	service := &signin.Service{
		TokenAuthenticator: authenticator, Accounts: attempts.Store{Table: table}, Sessions: sessions.Store{Table: table},
		Verifier: password.Argon2id{}, Passwords: password.Argon2id{}, Random: rand.Reader, NewID: token.NewID,
		Sleep:       signin.Sleep,
		KeySessions: dynamo.APIKeys{Table: table}, OwnPasswords: sessions.OwnPasswords{Table: table}, History: history,
		Strength: password.Argon2id{}, Breaches: breaches,
		Factors: factors, Opener: sealer, RateLimiter: attempts.RateLimiter{Table: table}, RequestsPerMinute: cfg.PerMinute,
		Mail:  composer,
		Stats: dynamo.Statistics{Table: table}, Passkeys: factors, MailCodes: factors, RelyingParty: passkeys,
		Enroller: &mfa.Enroller{Store: factors, Sealer: sealer, Hasher: password.Argon2id{}, Random: rand.Reader,
			Now: time.Now, NewID: token.NewIDString, Passkeys: passkeys},
	}
	recovering := &recovery.Service{
		EnvID: cfg.Environment, Requests: passwordlinks.Store{Table: table}, Links: passwordlinks.Store{Table: table},
		Catalogues: dynamo.NewEnvironments(table),
		Passwords: account.PasswordSetter{Passwords: password.Argon2id{}, Verifier: password.Argon2id{}, History: history,
			Breaches: breaches},
		Mail: composer, Random: rand.Reader, Now: time.Now, NewID: token.NewID,
	}
	httpapi.Serve(httpapi.Server{PublicURL: cfg.PublicURL,
		Routes: api.Routes(service, recovering), Authenticate: authenticator.Authenticate, Log: boot.Logger("login"),
	})
}
