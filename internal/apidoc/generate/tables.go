package main

import (
	"slices"

	entries "useraccounts/functions/access/api"
	accounts "useraccounts/functions/accounts/api"
	tabs "useraccounts/functions/accounttabs/api"
	apikeys "useraccounts/functions/apikeys/api"
	console "useraccounts/functions/console/api"
	login "useraccounts/functions/login/api"
	mfa "useraccounts/functions/mfa/api"
	oauth "useraccounts/functions/oauth/api"
	resources "useraccounts/functions/resources/api"
	sessions "useraccounts/functions/sessions/api"
	settings "useraccounts/functions/settings/api"
	sso "useraccounts/functions/sso/api"
	transfers "useraccounts/functions/transfers/api"
	"useraccounts/internal/httpapi"
)

// table is a function's routes, by the name of its folder.
type table struct {
	function string
	routes   []httpapi.Route
}

// tables are the functions' route tables in the order of the reference. A new function adds a line. Their services are
// left out: nothing here calls a handler.
func tables() []table {
	return []table{
		{"login", login.Routes(login.Services{})},
		{"accounts",
			accounts.Routes(accounts.Services{})},
		{"accounttabs", tabs.Routes(tabs.Services{})},
		{"mfa", mfa.Routes(nil, nil)},
		{"sessions", sessions.Routes(nil, nil, nil)},
		{"apikeys", apikeys.Routes(nil, nil)},
		{"access", entries.Routes(nil, nil)},
		{"settings", slices.Concat(settings.Routes(nil), settings.CommunicationRoutes(nil), settings.SetRoutes(nil),
			settings.HealthRoutes(nil))},
		{"resources", resources.Routes(nil, nil)},
		{"transfers", transfers.Routes(nil, nil)},
		{"sso", sso.Routes(sso.Services{})},
		{"oauth", oauth.Routes(nil)},
		{"console", console.Routes(nil)},
	}
}
