package apidoc

// tagDescriptions say what the operations of a tag are for. Tags come in the order of the route tables: the navigation.
//
//nolint:gosec // texts about credentials, none of them one
var tagDescriptions = map[string]string{
	"Sign-in":                     "Sign in step by step, renew and end a session, and set a password.",
	"Accounts":                    "Create, read, change, block, lock and delete accounts, one by one or many at once.",
	"Account log":                 "What was done to an account, by whom and when, and notes.",
	"Account permissions":         "What an account may do, and why; copy it from another account.",
	"Account contact":             "The person's names, addresses and numbers.",
	"Account delegations":         "Whose timesheets an account manages or views.",
	"Second factor":               "Authenticators, passkeys, recovery codes and trusted devices.",
	"Sessions":                    "Who is signed in, where, and how to end it.",
	"Applications":                "The systems that trust these accounts: their permissions, addresses and credentials.",
	"Tokens for applications":     "Short tokens by which applications know who is calling, and questions about them.",
	"API keys":                    "Keys with which programs open sessions.",
	"Licences, roles and groups":  "The reference data that decides what accounts may do.",
	"Reference data of resources": "The reference data of people as staff.",
	"Environment defaults":        "The settings of the environment.",
	"Communication log":           "The mails that were sent, or could not be.",
	"Sets":                        "Saved views of lists.",
	"Resources":                   "People as staff, linked to an account or not.",
	"Import and export":           "Workbooks in and out, as jobs.",
	"Single sign-on":              "Providers, and which identity at a provider belongs to which account.",
	"About":                       "This document, its pages, and whether the service works.",
}
