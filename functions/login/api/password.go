package api

import (
	"context"
	"net/http"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

type ownPasswordBody struct {
	Current  string `json:"current" maxLength:"1000" help:"The current password." example:"correct horse battery staple"`
	Password string `json:"password" maxLength:"1000" help:"The new password." example:"eleven quiet mountains"`
}

type checkBody struct {
	Password string   `json:"password" maxLength:"1000" help:"The password as typed so far. It is neither stored nor logged." example:"eleven quiet mountains"`
	Words    []string `json:"words,omitzero" maxItems:"8" maxLength:"250" help:"Up to eight texts about the person: username, email, name." example:"[\"DoeJ\"]"`
}

// strengthView rates a password before it is set.
type strengthView struct {
	Score    int           `json:"score" help:"How hard it is to guess, from 0 to 4. Below 2 it is refused."`
	Advice   string        `json:"advice" help:"What makes it weak; empty for a strong password."`
	Accepted bool          `json:"accepted" help:"Whether the policy allows it. Previous passwords are checked only when it is set."`
	Fields   []fault.Field `json:"fields" help:"Why the policy refuses it."`
	Shortest int           `json:"shortest" help:"Minimum length in characters."`
	Longest  int           `json:"longest" help:"Maximum length in characters."`
}

// passwordRoutes returns the routes of the caller's own password.
func passwordRoutes(h handlers, step []httpapi.Answer) []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "POST /api/me/password", Needs: access.SignedIn, NoKeys: true, Handle: h.ownPassword,
			Doc: httpapi.Operation{
				Tag: tag, ID: "changeMyPassword", Secret: true,
				Summary: "Change my password",
				Description: "Needs the current password; a wrong one counts as a failed sign-in. Returns a session with new " +
					"tokens in place of this one. Every other session and every trusted device ends.",
				Body: ownPasswordBody{}, Answers: step,
				Problems: []httpapi.Problem{
					{
						Kind: fault.Invalid, Code: "invalid",
						When: "The current password is wrong, or the new one is not allowed; see fields.",
					},
					{Kind: fault.Conflict, Code: "apiOnly", When: "The account has no password."},
					{Kind: fault.Conflict, Code: "busy", When: "The account or the session was changed at the same time."},
				},
			},
		},
		{
			Key: "POST /api/password/check", Needs: access.Public, Handle: h.checkPassword,
			Doc: httpapi.Operation{
				Tag: tag, ID: "checkPassword",
				Summary: "Rate a password",
				Description: "For forms, while somebody types. Nothing is stored or logged, and the answer depends on no " +
					"account.",
				Body: checkBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: strengthView{}}},
			},
		},
	}
}

func (h handlers) ownPassword(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in ownPasswordBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return respondStep(r)(h.SelfService.ChangeOwnPassword(ctx, r.Scope, in.Current, in.Password, r.ClientInfo("")))
}

func (h handlers) checkPassword(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in checkBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	got, err := h.Passwords.RatePassword(ctx, in.Password, in.Words)
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
