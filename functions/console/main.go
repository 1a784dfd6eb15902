// Command console is the Lambda function that serves the web console and the API reference.
package main

import (
	"useraccounts/functions/console/api"
	"useraccounts/functions/console/web"
	"useraccounts/internal/boot"
	"useraccounts/internal/httpapi"
)

type config struct {
	// Uploads is the origin of the bucket to which browsers post workbooks.
	Uploads string `env:"UPLOAD_ORIGIN,optional"`
	// Storage replaces it when the system runs on a developer's machine.
	Storage string `env:"AWS_ENDPOINT_URL_S3,optional"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	log := boot.Logger("console")
	uploads := cfg.Uploads
	if cfg.Storage != "" {
		uploads = cfg.Storage
	}
	httpapi.Serve(httpapi.Server{Routes: api.Routes(api.NewSite(web.App(), web.Pages(), uploads)), Log: log})
}
