// Command oauth is the Lambda function of tokens for applications: issuing, introspection, public keys.
package main

import (
	"crypto/rand"
	"time"

	"useraccounts/functions/oauth/api"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/dynamo/tokens"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/oauth"
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
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table, now := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table), time.Now
	authenticator := &signin.TokenAuthenticator{
		EnvID:       cfg.Environment,
		Credentials: sessions.NewCredentials(table),
		Now:         now,
	}
	store := tokens.New(table)
	service := &oauth.Service{
		Issuer:   cfg.PublicURL,
		EnvID:    cfg.Environment,
		Subjects: store,
		Keys: &oauth.Keys{
			EnvID:  cfg.Environment,
			Store:  store,
			Sealer: seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), now),
			Now:    now,
			NewID:  token.NewIDString,
			Random: rand.Reader,
		},
		Authenticate: authenticator.Authenticate,
		Now:          now,
		NewID:        token.NewIDString,
	}
	httpapi.Serve(httpapi.Server{PublicURL: cfg.PublicURL, Routes: api.Routes(service), Log: boot.Logger("oauth")})
}
