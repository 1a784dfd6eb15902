// Package api is the routes of the login function: the steps of a sign-in, and its end.
package api

import (
	"context"
	"net/http"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

const tag = "Sign-in"

// Routes returns the route table over a service.
func Routes(service *signin.Service) []httpapi.Route {
	h := handlers{service}
	step := []httpapi.Answer{{Status: http.StatusOK, Body: stepView{}}}
	return []httpapi.Route{
		{
			Key: "POST /api/login", Needs: access.Public, Handle: h.login,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Sign in with a password",
				Description: "The answer's next says what comes then: done opens the session, any other value is a step to take with the ticket.",
				Body:        loginBody{}, Answers: step,
				Problems: []httpapi.Problem{{
					Kind: fault.Unauthenticated, Code: "signInRefused",
					When: "Unknown, wrong, blocked, locked, out of dates or without a password: the answer is the same for all.",
				}},
			},
		},
		{
			Key: "POST /api/login/password", Needs: access.Public, Handle: h.changePassword,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Take the step changePassword", Description: "Sets the person's own password, ends every other session and opens this one.",
				Body: passwordBody{}, Answers: step,
				Problems: []httpapi.Problem{
					{Kind: fault.Unauthenticated, Code: "ticket", When: "The ticket is wrong, over, or was used."},
					{Kind: fault.Invalid, Code: "invalid", When: "The password is not one that the policy allows; the ticket stays good."},
				},
			},
		},
		{
			Key: "POST /api/login/refresh", Needs: access.Public, Handle: h.refresh,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Renew a session", Description: "Both tokens are new; a refresh token that is used twice closes the session.",
				Body: refreshBody{}, Answers: step,
				Problems: []httpapi.Problem{{Kind: fault.Unauthenticated, Code: "session", When: "The session is over, or the token was used."}},
			},
		},
		{
			Key: "POST /api/login/key", Needs: access.Public, Handle: h.key,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Open a session by an API key",
				Description: "For 30 minutes, or until the key expires if that is sooner, without a refresh token; the key opens the next. It ends at once with the key, or with its account's access.",
				Body:        keyBody{}, Answers: step,
				Problems: []httpapi.Problem{
					{Kind: fault.Unauthenticated, Code: "keyRefused", When: "Unknown, wrong, locked or expired, or its account is blocked, locked, out of dates or without an API licence: the answer is the same for all."},
					{Kind: fault.Invalid, Code: "invalid", When: "The client is too long, or no line of text."},
				},
			},
		},
		{
			Key: "POST /api/logout", Needs: access.SignedIn, Handle: h.logout,
			Doc: httpapi.Operation{Tag: tag, Summary: "Sign out", Answers: []httpapi.Answer{{Status: http.StatusNoContent}}},
		},
	}
}

type handlers struct{ service *signin.Service }

type loginBody struct {
	Identifier string `json:"identifier" help:"Username or email, in any case." maxLength:"250" example:"admin"`
	Password   string `json:"password" maxLength:"1000" example:"correct horse battery staple"`
	Client     string `json:"client,omitzero" help:"What the session is listed as, such as the program's name." maxLength:"100" example:"curl"`
}

type passwordBody struct {
	Ticket   string `json:"ticket" maxLength:"256" help:"The ticket of the step before." example:"uat_AZ..."`
	Password string `json:"password" maxLength:"1000" help:"The person's own new password." example:"correct horse battery staple"`
}

type refreshBody struct {
	RefreshToken string `json:"refreshToken" maxLength:"256" example:"uar_AZ..."`
}

type keyBody struct {
	Key    string `json:"key" maxLength:"256" help:"The API key." example:"ua_01JZ...01JY..._7RX..."`
	Client string `json:"client,omitzero" help:"What the session is listed as, such as the program's name." maxLength:"100" example:"payroll"`
}

// stepView is the answer to every step.
type stepView struct {
	Next session.Step `json:"next" enum:"done|changePassword" help:"The next step; done when the session is open."`
	// Ticket is for the next step.
	Ticket       string       `json:"ticket,omitzero" help:"For the next step, once, within 5 minutes."`
	AccessToken  string       `json:"accessToken,omitzero" help:"Send it as Authorization: Bearer."`
	RefreshToken string       `json:"refreshToken,omitzero" help:"Renews the session, once; not there for a session that an API key opened."`
	Session      *sessionView `json:"session,omitzero"`
}

type sessionView struct {
	ID         string    `json:"id"`
	AccountID  string    `json:"accountId"`
	RefreshDue time.Time `json:"refreshDue" help:"The session ends then unless it is renewed (UTC)."`
	HardEnd    time.Time `json:"hardEnd" help:"The session ends then in any case (UTC)."`
}

func device(r *httpapi.Request, client string) signin.Device {
	return signin.Device{Client: client, UserAgent: r.UserAgent(), Address: r.SourceIP()}
}

func (h handlers) login(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in loginBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return answer(r)(h.service.Login(ctx, in.Identifier, in.Password, device(r, in.Client)))
}

func (h handlers) changePassword(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in passwordBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return answer(r)(h.service.ChangePassword(ctx, in.Ticket, in.Password, device(r, "")))
}

func (h handlers) refresh(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in refreshBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return answer(r)(h.service.Refresh(ctx, in.RefreshToken))
}

func (h handlers) key(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in keyBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return answer(r)(h.service.LoginByKey(ctx, in.Key, device(r, in.Client)))
}

func (h handlers) logout(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	return httpapi.NoContent(), h.service.Logout(ctx, r.Scope)
}

// answer encodes the outcome of a step and notes in the access record whose it was.
func answer(r *httpapi.Request) func(signin.Result, error) (httpapi.Response, error) {
	return func(got signin.Result, err error) (httpapi.Response, error) {
		if err != nil {
			return httpapi.Response{}, err
		}
		view := stepView{Next: got.Next}
		if got.Next != session.Done {
			r.Record(got.Ticket.Account.String(), "")
			view.Ticket = got.Ticket.Reveal()
			return httpapi.OK(view), nil
		}
		s := got.Session
		r.Record(s.AccountID, s.ID)
		r.RecordKey(s.Key)
		view.AccessToken = got.Access.Reveal()
		if s.Key == "" { // a key opens another session rather than renew one
			view.RefreshToken = got.Refresh.Reveal()
		}
		view.Session = &sessionView{ID: s.ID, AccountID: s.AccountID, RefreshDue: s.RefreshDue, HardEnd: s.HardEnd}
		return httpapi.OK(view), nil
	}
}
