// Command login is the Lambda function of signing in and out.
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
	// BreachRanges is empty where breached passwords are not checked.
	BreachRanges string `env:"BREACH_RANGE_URL,optional"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	log := boot.Logger("login")
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table).WithOutbox(cfg.Outbox)
	factorStore, sessionStore := factors.Store{Table: table}, sessions.Store{Table: table}
	passwords := sessions.OwnPasswords{Table: table}
	sealer := seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), time.Now)
	composer := &mail.Composer{NewID: token.NewIDString, Sealer: sealer}
	relyingParty, hash := passkey.New(cfg.PublicURL, "User Accounts"), password.Argon2id{}

	authenticator := &signin.TokenAuthenticator{
		EnvID:       cfg.Environment,
		Credentials: sessions.NewCredentials(table),
		Now:         time.Now,
	}
	counted := &signin.Attempts{
		TokenAuthenticator: authenticator,
		Accounts:           attempts.Store{Table: table},
		Stats:              dynamo.Statistics{Table: table},
		Mail:               composer,
		NewID:              token.NewID,
		Sleep:              signin.Sleep,
	}
	steps := &signin.Steps{
		Attempts: counted,
		Sessions: sessionStore,
		Devices:  factorStore,
		Random:   rand.Reader,
	}
	limiter := &signin.RateLimiter{
		EnvID:     cfg.Environment,
		Counter:   attempts.RateLimiter{Table: table},
		PerMinute: cfg.PerMinute,
		Now:       time.Now,
	}
	setter := account.PasswordSetter{
		Passwords: hash,
		Verifier:  hash,
		History:   dynamo.PasswordHistory{Table: table},
		Breaches:  breach.MustNew(cfg.BreachRanges, log),
	}
	reauthenticator := &signin.Reauthenticator{
		Attempts: counted,
		Tries:    passwords,
		Verifier: hash,
	}
	passkeys := &signin.PasskeyService{
		Steps:        steps,
		Directory:    dynamo.Accounts{Table: table},
		RelyingParty: relyingParty,
		Challenges:   factorStore,
	}
	services := api.Services{
		Limiter: limiter,
		Passwords: &signin.PasswordService{
			Steps:     steps,
			Limiter:   limiter,
			Passwords: setter,
			Strength:  hash,
			Rehasher:  passwords,
		},
		Passkeys: passkeys,
		Factors:  factorService(steps, factorStore, sealer, relyingParty),
		Sessions: &signin.SessionService{
			TokenAuthenticator: authenticator,
			Limiter:            limiter,
			Rotator:            sessionStore,
			Keys:               dynamo.APIKeys{Table: table},
			Random:             rand.Reader,
			NewID:              token.NewID,
		},
		SelfService: &signin.SelfService{
			Reauthenticator: reauthenticator,
			Steps:           steps,
			Passwords:       setter,
			Replacer:        passwords,
		},
		Proofs: &signin.ProofService{
			Reauthenticator: reauthenticator,
			Passkeys:        passkeys,
			Proofs:          sessionStore,
		},
		Resets: recoveryService(cfg.Environment, table, setter, composer),
	}
	httpapi.Serve(httpapi.Server{
		PublicURL:    cfg.PublicURL,
		Routes:       api.Routes(services),
		Authenticate: authenticator.Authenticate,
		Log:          log,
	})
}

func factorService(steps *signin.Steps, store factors.Store, sealer *seal.Sealer,
	relyingParty *passkey.RelyingParty,
) *signin.FactorService {
	hash := password.Argon2id{}
	return &signin.FactorService{
		Steps:        steps,
		Factors:      store,
		Opener:       sealer,
		Hasher:       hash,
		RelyingParty: relyingParty,
		MailCodes:    store,
		Enroller: &mfa.Enroller{
			Store:    store,
			Sealer:   sealer,
			Hasher:   hash,
			Passkeys: relyingParty,
			Random:   rand.Reader,
			Now:      time.Now,
			NewID:    token.NewIDString,
		},
	}
}

func recoveryService(environment string, table *dynamo.Table, setter account.PasswordSetter,
	composer *mail.Composer,
) *recovery.Service {
	return &recovery.Service{
		EnvID:      environment,
		Requests:   passwordlinks.Store{Table: table},
		Links:      passwordlinks.Store{Table: table},
		Catalogues: dynamo.NewEnvironments(table),
		Passwords:  setter,
		Mail:       composer,
		Random:     rand.Reader,
		Now:        time.Now,
		NewID:      token.NewID,
	}
}
