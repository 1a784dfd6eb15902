// Command console serves the first page and the API's reference.
package main

import (
	"useraccounts/functions/console/api"
	"useraccounts/internal/boot"
	"useraccounts/internal/httpapi"
)

func main() {
	httpapi.Serve(httpapi.Server{Routes: api.Routes(), Log: boot.Logger("console")})
}
