// Package api is the routes of the accounts function: decode, call a service, encode.
package api

import (
	"net/http"
	"slices"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/bulk"
	"useraccounts/internal/directory"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/overview"
)

const tag = "Accounts"

// Services are what the handlers call.
type Services struct {
	Accounts  *account.Service
	Directory *directory.Service
	Bulk      *bulk.Service
	Overview  *overview.Service
}

type handlers struct{ Services }

// Routes returns the route table over the services.
func Routes(s Services) []httpapi.Route {
	h := handlers{s}
	answer := httpapi.FieldsDoc{Name: "Account", Fields: account.Fields().Describe(), Use: httpapi.ForAnswer,
		Extra: accountHead{}}
	ok := []httpapi.Answer{{Status: http.StatusOK, Body: answer, ETag: true}}
	acted := append(ok[:1:1], httpapi.Answer{Status: http.StatusNoContent,
		Description: "It is done; you do not hold account.read, so the account is not shown."})
	return slices.Concat(h.listRoutes(answer), h.stateRoutes(acted), h.bulkRoutes(), h.accountRoutes(answer, ok, acted),
		h.accessRoutes(acted), h.permissionRoutes(), h.overviewRoutes())
}

// accountRoutes are the routes that create, read and change an account.
func (h handlers) accountRoutes(answer httpapi.FieldsDoc, ok, acted []httpapi.Answer) []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "POST /api/accounts", Needs: access.AccountCreate, Idempotent: true, Handle: h.create,
			Doc: httpapi.Operation{
				Tag: tag, ID: "createAccount",
				Summary:     "Create an account",
				Description: "The new account has no password, and login access is not yet allowed.",
				Body:        httpapi.FieldsDoc{Name: "AccountCreate", Fields: account.Fields().Describe(), Use: httpapi.ForCreate},
				Answers:     []httpapi.Answer{{Status: http.StatusCreated, Body: answer, ETag: true, Location: true}},
				Problems:    []httpapi.Problem{takenProblem(), seatsProblem(), invalidFieldsProblem()},
			},
		},
		{
			Key: "GET /api/accounts/{id}", Needs: access.AccountRead, Handle: h.get,
			Doc: httpapi.Operation{Tag: tag, ID: "getAccount",
				Summary: "Read an account", Answers: ok},
		},
		{
			Key: "PATCH /api/accounts/{id}", Needs: access.AccountUpdate, Handle: h.change,
			Doc: httpapi.Operation{
				Tag: tag, ID: "changeAccount",
				Summary: "Change fields of an account", IfMatch: true,
				Description: "Fields left out stay as they are; null empties an optional one. A stale If-Match is answered with " +
					"the fields that changed since, by whom and when.",
				Body:    httpapi.FieldsDoc{Name: "AccountPatch", Fields: account.Fields().Describe(), Use: httpapi.ForPatch},
				Answers: acted,
				Problems: []httpapi.Problem{
					takenProblem(), seatsProblem(), selfProblem("You would end your own access."), administratorProblem(),
					{Kind: fault.Forbidden, Code: "aboveOwnRights",
						When: "The account holds permissions that you do not hold, and you would change its username or email."},
					proofProblem(),
					{Kind: fault.Conflict, Code: "used", When: "A licence for API clients is given or taken only while the " +
						"account was never used."},
					invalidFieldsProblem(),
				},
			},
		},
	}
}

// accessRoutes are the routes that let an account sign in, or stop it.
func (h handlers) accessRoutes(acted []httpapi.Answer) []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "POST /api/accounts/{id}/allow", Needs: access.AccountBlock, Handle: h.allow,
			Doc: httpapi.Operation{
				Tag: tag, ID: "allowAccount",
				Summary: "Allow login access", IfMatchOptional: true,
				Description: "Lifts a block, by an administrator or by failed tries, and resets the failed tries.",
				Answers:     acted,
				Problems: []httpapi.Problem{
					lockedProblem("The account is locked; unlock it first."), administratorProblem(),
				},
			},
		},
		{
			Key: "POST /api/accounts/{id}/block", Needs: access.AccountBlock, Handle: h.block,
			Doc: httpapi.Operation{
				Tag: tag, ID: "blockAccount",
				Summary: "Block login access", IfMatchOptional: true,
				Description: "Every session of the account ends at its next request.",
				Body:        blockBody{}, Answers: acted,
				Problems: []httpapi.Problem{
					selfProblem("You would block yourself."), administratorProblem(),
					invalidProblem("The reason is blank or too long."),
				},
			},
		},
		{
			Key: "POST /api/accounts/{id}/password", Needs: access.AccountPassword, Handle: h.password,
			Doc: httpapi.Operation{
				Tag: tag, ID: "setAccountPassword",
				Summary: "Set an account's password", IfMatchOptional: true,
				Description: "Ends every session of the account. A block stays unless unlock is true. A password that has to be " +
					"changed is temporary: it only leads to that change, and it expires as a mailed link does, or a quarter of an " +
					"hour after its first use if that is sooner.",
				Body: passwordBody{}, Answers: acted,
				Problems: []httpapi.Problem{
					{Kind: fault.Conflict, Code: "passwordsOff",
						When: "The environment's administrators set no passwords; mail a link or generate one."},
					apiOnlyProblem(), selfProblem("This is your own account: change your password with POST /api/me/password."),
					lockedProblem(unlockLocked), rightsProblem(), invalidProblem("The password policy does not allow the password."),
				},
			},
		},
	}
}
