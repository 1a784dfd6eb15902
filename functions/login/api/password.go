package api

import (
	"context"
	"net/http"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

type ownPasswordBody struct {
	Current  string `json:"current" maxLength:"1000" help:"The password that holds now." example:"correct horse battery staple"`
	Password string `json:"password" maxLength:"1000" help:"The new one." example:"eleven quiet mountains"`
}

type checkBody struct {
	Password string   `json:"password" maxLength:"1000" help:"What was typed so far. It is neither stored nor logged." example:"eleven quiet mountains"`
	Words    []string `json:"words,omitzero" maxItems:"8" maxLength:"250" help:"Up to eight texts about the person: username, email, name." example:"[\"DoeJ\"]"`
}

// strengthView is what can be said of a password before it is sent to be set.
type strengthView struct {
	Score    int           `json:"score" help:"How hard it is to guess, from 0 to 4; below 2 it is refused."`
	Advice   string        `json:"advice" help:"What makes it weak; empty for a strong one."`
	Accepted bool          `json:"accepted" help:"Whether the policy allows it. What only the table knows, such as former passwords, counts when it is set."`
	Fields   []fault.Field `json:"fields" help:"What the policy has against it."`
	Shortest int           `json:"shortest" help:"How many characters it needs."`
	Longest  int           `json:"longest" help:"How many it may have."`
}

// passwordRoutes are the routes about one's own password.
func passwordRoutes(h handlers, step []httpapi.Answer) []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "POST /api/me/password", Needs: access.SignedIn, NoKeys: true, Handle: h.ownPassword,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Change my password",
				Description: "Needs the current password; a wrong one counts as a failed sign-in. The answer is a session with " +
					"new tokens in place of this one; every other session and every remembered device ends.",
				Body: ownPasswordBody{}, Answers: step,
				Problems: []httpapi.Problem{
					{Kind: fault.Invalid, Code: "invalid",
						When: "The current password is wrong, or the new one is not allowed; the field says which."},
					{Kind: fault.Conflict, Code: "apiOnly", When: "The account has no password."},
					{Kind: fault.Conflict, Code: "busy", When: "The account or the session was changed at the same moment."},
				},
			},
		},
		{
			Key: "POST /api/password/check", Needs: access.Public, Handle: h.checkPassword,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Tell how good a password is",
				Description: "For forms, while somebody types. Nothing is stored or logged, and nothing about any account is said.",
				Body:        checkBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: strengthView{}}},
			},
		},
	}
}

func (h handlers) ownPassword(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in ownPasswordBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return respondStep(r)(h.service.ChangeOwnPassword(ctx, r.Scope, in.Current, in.Password, r.ClientInfo("")))
}

func (h handlers) checkPassword(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in checkBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	got, err := h.service.RatePassword(ctx, in.Password, in.Words)
	if err != nil {
		return httpapi.Response{}, err
	}
	view := strengthView{
		Score: got.Score, Advice: got.Advice, Accepted: len(got.Faults) == 0, Fields: got.Faults, Shortest: got.MinLength,
		Longest: got.MaxLength,
	}
	if view.Fields == nil {
		view.Fields = []fault.Field{}
	}
	return httpapi.OK(view), nil
}
