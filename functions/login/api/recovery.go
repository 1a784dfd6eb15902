package api

import (
	"context"
	"net/http"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// recoveryRoutes returns the routes of resetting a forgotten password.
func recoveryRoutes(h handlers) []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "POST /api/password/forgotten", Needs: access.Public, Handle: h.requestReset,
			Doc: httpapi.Operation{
				Tag: tag, ID: "requestPasswordLink",
				Summary: "Request a link to set a new password",
				Description: "The link is mailed to the address on the account, is valid once, for 30 minutes, and replaces " +
					"the previous one. The answer is the same whether there is such an account or not, and whether it may have " +
					"a link. Accounts that are locked, blocked by an administrator, outside their dates or for API clients get " +
					"none. A block by failed tries does not matter. An account gets at most three such mails in an hour.",
				Body:    forgottenPasswordBody{},
				Answers: []httpapi.Answer{{Status: http.StatusAccepted, Body: linkAskedView{}}},
				Problems: []httpapi.Problem{
					{
						Kind: fault.TooManyRequests, Code: "tooMany",
						When: "Too many links were requested from this network, for whatever accounts.",
					},
				},
			},
		},
		{
			Key: "POST /api/password/set", Needs: access.Public, Handle: h.setPassword,
			Doc: httpapi.Operation{
				Tag: tag, ID: "setPasswordByLink",
				Summary: "Set a password with a mailed link",
				Description: "Ends every session of the account and lifts a block by failed tries. It opens no session: " +
					"signing in still takes every step, the second factor included.",
				Body:    setPasswordBody{},
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: passwordSetView{}}},
				Problems: []httpapi.Problem{
					{
						Kind: fault.Malformed, Code: "link",
						When: "The link is incomplete, expired, used or replaced, or the account's access, email or password " +
							"changed since: the answer is the same for all.",
					},
					{
						Kind: fault.Invalid, Code: "invalid",
						When: "The policy refuses the password; the link stays valid.",
					},
				},
			},
		},
	}
}

type forgottenPasswordBody struct {
	Identifier string `json:"identifier" help:"Username or email, in any case." maxLength:"250" example:"admin"`
}

// linkAskedView is the one answer to a request for a link.
type linkAskedView struct {
	Detail string `json:"detail" help:"What to tell the person." example:"If there is such an account, a link is on its way to its email."`
}

type setPasswordBody struct {
	Token    string `json:"token" maxLength:"256" help:"The part of the link after the #." example:"upl_AZ..."`
	Password string `json:"password" maxLength:"1000" help:"The new password." example:"correct horse battery staple"`
}

type passwordSetView struct {
	Next string `json:"next" enum:"signIn" help:"The next step: signing in."`
}

func (h handlers) requestReset(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in forgottenPasswordBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	if err := h.Resets.RequestReset(ctx, in.Identifier, r.SourceIP()); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Accepted("",
		linkAskedView{"If there is such an account, a link is on its way to its email. It is valid for 30 minutes."}), nil
}

func (h handlers) setPassword(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in setPasswordBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	if err := h.Resets.SetPassword(ctx, in.Token, in.Password, r.SourceIP()); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(passwordSetView{"signIn"}), nil
}
