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
	administrator := httpapi.Problem{Kind: fault.Forbidden, Code: "administrator",
		When: "The account is an administrator's and you are none."}
	return []httpapi.Route{
		{
			Key: "GET /api/accounts/{id}/keys", Needs: access.AccountRead, NoKeys: true, Handle: h.list,
			Query: []httpapi.Param{httpapi.Limit(50, 200), httpapi.Cursor()},
			Doc: httpapi.Operation{
				Tag: tag, Summary: "List an account's API keys",
				Description: "Newest first, locked and expired ones too. A key's secret is shown once, when it is made.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.Page[keyView]{}}},
			},
		},
		{
			Key: "POST /api/accounts/{id}/keys", Needs: access.AccountKey, Idempotent: true, Handle: h.create,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Make an API key",
				Description: "For accounts with a licence for API clients only. The answer is the one place where the key " +
					"stands: only a hash of it is kept. " +
					"Send it as Authorization: Bearer, or open short sessions by it (POST /api/login/key). Make the next one " +
					"before the old one expires, then lock the old one.",
				Body:    createBody{},
				Answers: []httpapi.Answer{{Status: http.StatusCreated, Body: madeView{}, Location: true}},
				Problems: []httpapi.Problem{
					administrator,
					{Kind: fault.Forbidden, Code: "aboveOwnRights", When: "The account holds permissions that you do not."},
					{Kind: fault.Conflict, Code: "apiOnly", When: "The account's licence is not one for API clients only."},
					{Kind: fault.Conflict, Code: "tooManyKeys", When: "The account has 50 keys in force."},
					{Kind: fault.Conflict, Code: "busy", When: "Others are making keys of this account just then."},
					{Kind: fault.Invalid, Code: "invalid",
						When: "The description is blank or too long, or the days are out of range."},
				},
			},
		},
		{
			Key: "POST /api/accounts/{id}/keys/{keyId}/lock", Needs: access.AccountKey, Handle: h.lock,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Lock an API key",
				Description: "At once and for good: the key and the sessions that it opened are refused at their next request. " +
					"Locking a locked one changes nothing.",
				Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: keyView{}}},
				Problems: []httpapi.Problem{administrator},
			},
		},
	}
}
