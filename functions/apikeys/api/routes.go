// Package api is the routes of the apikeys function: decode, call apikey.Service, encode.
package api

import (
	"net/http"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/apikey"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

const tag = "API keys"

// Routes returns the route table over a service.
func Routes(keys *apikey.Service, now func() time.Time) []httpapi.Route {
	h := handlers{keys, now}
	administrator := httpapi.Problem{
		Kind: fault.Forbidden, Code: "administrator",
		When: "The account is an administrator's and you are not one.",
	}
	return []httpapi.Route{
		{
			Key: "GET /api/accounts/{id}/keys", Needs: access.AccountRead, NoKeys: true, Handle: h.list,
			Query: []httpapi.Param{httpapi.Limit(50, 200), httpapi.Cursor()},
			Doc: httpapi.Operation{
				Tag: tag, ID: "listKeys",
				Summary:     "List an account's API keys",
				Description: "Newest first, with locked and expired keys. A key's secret is shown once, when it is created.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.Page[keyView]{}}},
			},
		},
		{
			Key: "POST /api/accounts/{id}/keys", Needs: access.AccountKey, Idempotent: true, ShownOnce: true, Handle: h.create,
			Doc: httpapi.Operation{
				Tag: tag, ID: "createKey", Secret: true,
				Summary: "Create an API key",
				Description: "For accounts with a licence for API clients only. The key is in this answer only: the service " +
					"keeps a hash of it. Send it as Authorization: Bearer, or open short sessions with it (POST " +
					"/api/login/key). Create the next key before this one expires, then lock the old one.",
				Body:    createBody{},
				Answers: []httpapi.Answer{{Status: http.StatusCreated, Body: madeView{}, Location: true}},
				Problems: []httpapi.Problem{
					administrator,
					{Kind: fault.Forbidden, Code: "aboveOwnRights", When: "The account holds permissions that you do not."},
					{Kind: fault.Conflict, Code: "apiOnly", When: "The account's licence is not one for API clients only."},
					{Kind: fault.Conflict, Code: "tooManyKeys", When: "The account has 50 active keys."},
					{Kind: fault.Conflict, Code: "busy", When: "Other keys of this account were created at the same time."},
					{
						Kind: fault.Invalid, Code: "invalid",
						When: "The description is empty or too long, or the days are out of range.",
					},
				},
			},
		},
		{
			Key: "POST /api/accounts/{id}/keys/{keyId}/lock", Needs: access.AccountKey, Handle: h.lock,
			Doc: httpapi.Operation{
				Tag: tag, ID: "lockKey",
				Summary: "Lock an API key",
				Description: "At once and for ever: the key and the sessions that it opened are refused at their next " +
					"request. Locking a locked key changes nothing.",
				Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: keyView{}}},
				Problems: []httpapi.Problem{administrator},
			},
		},
	}
}
