package api

import (
	"context"
	"net/http"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/recovery"
)

// recoveryRoutes are those to a new password without the old one.
func recoveryRoutes(service *recovery.Service) []httpapi.Route {
	h := recoveryHandlers{service}
	return []httpapi.Route{
		{
			Key: "POST /api/password/forgotten", Needs: access.Public, Handle: h.requestReset,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Ask for a link to set a new password",
				Description: "The link is mailed to the address on the account, works once, for 30 minutes, and replaces any " +
					"before it. The answer is the same whether there is such an account or not, and whether it may have a link: " +
					"none goes to one that is locked, blocked by an administrator, out of dates, or for API keys. A block by " +
					"failed tries is no hindrance. An account gets three such mails in an hour at most.",
				Body:    forgottenPasswordBody{},
				Answers: []httpapi.Answer{{Status: http.StatusAccepted, Body: linkAskedView{}}},
				Problems: []httpapi.Problem{
					{Kind: fault.TooManyRequests, Code: "tooMany",
						When: "Too many links were asked for from this network address, whoever for."}},
			},
		},
		{
			Key: "POST /api/password/set", Needs: access.Public, Handle: h.setPassword,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Set a password by a mailed link",
				Description: "Ends every session of the account, and lifts a block by failed tries. It opens no session and " +
					"spares no step of the sign-in that has to follow, the second factor included.",
				Body:    setPasswordBody{},
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: passwordSetView{}}},
				Problems: []httpapi.Problem{
					{Kind: fault.Malformed, Code: "link",
						When: "The link is not whole, over, used or replaced, or the account's access, email or password changed " +
							"since: the answer is the same for all."},
					{Kind: fault.Invalid, Code: "invalid",
						When: "The password is not one that the policy allows; the link stays good."},
				},
			},
		},
	}
}

type recoveryHandlers struct{ service *recovery.Service }

type forgottenPasswordBody struct {
	Identifier string `json:"identifier" help:"Username or email, in any case." maxLength:"250" example:"admin"`
}

// linkAskedView is the one answer to who asks for a link.
type linkAskedView struct {
	Detail string `json:"detail" help:"What to tell the person." example:"If there is such an account, a link is on its way to its email."`
}

type setPasswordBody struct {
	Token    string `json:"token" maxLength:"256" help:"What follows the # in the link." example:"upl_AZ..."`
	Password string `json:"password" maxLength:"1000" help:"The person's own new password." example:"correct horse battery staple"`
}

type passwordSetView struct {
	Next string `json:"next" enum:"signIn" help:"What comes then: signing in from the start."`
}

func (h recoveryHandlers) requestReset(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in forgottenPasswordBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	if err := h.service.RequestReset(ctx, in.Identifier, r.SourceIP()); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Accepted("",
		linkAskedView{"If there is such an account, a link is on its way to its email. It works for 30 minutes."}), nil
}

func (h recoveryHandlers) setPassword(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in setPasswordBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	if err := h.service.SetPassword(ctx, in.Token, in.Password, r.SourceIP()); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(passwordSetView{"signIn"}), nil
}
