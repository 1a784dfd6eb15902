// Package api is the routes of the accounts function: decode, call account.Service, encode.
package api

import (
	"net/http"
	"slices"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

const tag = "Accounts"

// Routes returns the route table over a service.
func Routes(accounts *account.Service) []httpapi.Route {
	h := handlers{accounts}
	answer := httpapi.FieldsDoc{Name: "Account", Fields: account.Fields().Describe(), Use: httpapi.ForAnswer,
		Extra: accountHead{}}
	one := []httpapi.Answer{{Status: http.StatusOK, Body: answer, ETag: true}}
	return append(slices.Concat(listRoutes(h, answer), stateRoutes(h, one), []httpapi.Route{bulkRoute(h)}),
		[]httpapi.Route{
			{
				Key: "POST /api/accounts", Needs: access.AccountCreate, Idempotent: true, Handle: h.create,
				Doc: httpapi.Operation{
					Tag: tag, Summary: "Create an account",
					Description: "It starts with login access not yet allowed and without a password.",
					Body:        httpapi.FieldsDoc{Name: "AccountCreate", Fields: account.Fields().Describe(), Use: httpapi.ForCreate},
					Answers:     []httpapi.Answer{{Status: http.StatusCreated, Body: answer, ETag: true, Location: true}},
					Problems: []httpapi.Problem{
						{Kind: fault.Conflict, Code: "taken",
							When: "The username or the email is another account's, as either, in any spelling."},
						seatsProblem(),
						{Kind: fault.Invalid, Code: "invalid", When: "A field breaks a rule; the fields say which and how to mend it."},
					},
				},
			},
			{
				Key: "GET /api/accounts/{id}", Needs: access.AccountRead, Handle: h.get,
				Doc: httpapi.Operation{Tag: tag, Summary: "Read an account", Answers: one},
			},
			{
				Key: "PATCH /api/accounts/{id}", Needs: access.AccountUpdate, Handle: h.change,
				Doc: httpapi.Operation{
					Tag: tag, Summary: "Change fields of an account", IfMatch: true,
					Description: "Fields left out stay as they are; null empties an optional one. A stale If-Match is answered with " +
						"the fields that changed since, by whom and when.",
					Body:    httpapi.FieldsDoc{Name: "AccountPatch", Fields: account.Fields().Describe(), Use: httpapi.ForPatch},
					Answers: one,
					Problems: []httpapi.Problem{
						{Kind: fault.Conflict, Code: "taken",
							When: "The username or the email is another account's, as either, in any spelling."},
						seatsProblem(),
						{Kind: fault.Conflict, Code: "self", When: "You would end your own access."},
						{Kind: fault.Forbidden, Code: "administrator", When: "The account is an administrator's and you are none."},
						{Kind: fault.Forbidden, Code: "aboveOwnRights",
							When: "The account holds permissions that you do not, and you would change how it signs in."},
						{Kind: fault.Invalid, Code: "invalid", When: "A field breaks a rule; the fields say which and how to mend it."},
					},
				},
			},
			{
				Key: "POST /api/accounts/{id}/allow", Needs: access.AccountBlock, Handle: h.allow,
				Doc: httpapi.Operation{
					Tag: tag, Summary: "Allow login access", IfMatchOptional: true,
					Description: "Lifts a block, an administrator's or one by failed tries, and zeroes the failed tries.",
					Answers:     one,
					Problems: []httpapi.Problem{
						{Kind: fault.Forbidden, Code: "administrator", When: "The account is an administrator's and you are none."}},
				},
			},
			{
				Key: "POST /api/accounts/{id}/block", Needs: access.AccountBlock, Handle: h.block,
				Doc: httpapi.Operation{
					Tag: tag, Summary: "Block login access", IfMatchOptional: true,
					Description: "Every session of the account is over at its next request.",
					Body:        blockBody{}, Answers: one,
					Problems: []httpapi.Problem{
						{Kind: fault.Conflict, Code: "self", When: "You would block yourself."},
						{Kind: fault.Forbidden, Code: "administrator", When: "The account is an administrator's and you are none."},
						{Kind: fault.Invalid, Code: "invalid", When: "The reason is blank or too long."},
					},
				},
			},
			{
				Key: "POST /api/accounts/{id}/password", Needs: access.AccountPassword, Handle: h.password,
				Doc: httpapi.Operation{
					Tag: tag, Summary: "Set an account's password", IfMatchOptional: true,
					Description: "Ends every session of the account. A block stays unless unlock is true. One that has to be " +
						"changed is a temporary one: it leads to that change only, is over as soon as a mailed link would be, and a " +
						"quarter of an hour after it first signed in.",
					Body: passwordBody{}, Answers: one,
					Problems: []httpapi.Problem{
						{Kind: fault.Conflict, Code: "apiOnly", When: "The licence of the account has no password."},
						{Kind: fault.Conflict, Code: "self",
							When: "The account is your own, whose password is changed with the current one: POST /api/me/password."},
						{Kind: fault.Forbidden, Code: "aboveOwnRights", When: "The account holds permissions that you do not."},
						{Kind: fault.Invalid, Code: "invalid", When: "The password is not one that the policy allows."},
					},
				},
			},
		}...)
}
