package httpapi

import (
	"context"
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// LoginStep is the answer to every step of a sign-in, whichever function took it.
type LoginStep struct {
	Next session.Step `json:"next" enum:"done|secondFactor|setUpSecondFactor|changePassword" help:"The next step; done when the session is open."`
	// Ticket is for the next step.
	Ticket       string        `json:"ticket,omitzero" help:"For the next step, once, within 5 minutes."`
	AccessToken  string        `json:"accessToken,omitzero" help:"Send it as Authorization: Bearer."`
	RefreshToken string        `json:"refreshToken,omitzero" help:"Renews the session, once; not there for a session that an API key opened."`
	Session      *LoginSession `json:"session,omitzero"`
	// Methods and the two after it belong to the second factor.
	Methods       []mfa.Method `json:"methods,omitzero" enum:"passkey|totp|recoveryCode|emailCode" help:"The ways to take the step secondFactor, or what setUpSecondFactor can set up."`
	DeviceToken   string       `json:"deviceToken,omitzero" help:"Of a remembered device: keep it in place of any before, and send it with the next sign-in."`
	RecoveryCodes []string     `json:"recoveryCodes,omitzero" help:"After a set-up: shown once, each good once in place of the authenticator."`
}

// LoginSession is the session that a sign-in opened.
type LoginSession struct {
	ID         string    `json:"id"`
	AccountID  string    `json:"accountId"`
	RefreshDue time.Time `json:"refreshDue" help:"The session ends then unless it is renewed (UTC)."`
	HardEnd    time.Time `json:"hardEnd" help:"The session ends then in any case (UTC)."`
}

// ClientInfo returns where the request comes from, for a sign-in; client is what the session is to be listed as.
func (r *Request) ClientInfo(client string) signin.ClientInfo {
	return signin.ClientInfo{Client: client, UserAgent: r.UserAgent(), Address: r.SourceIP(), Web: r.IsWebClient(),
		OnRefused: r.LogSignInFailure}
}

// IsWebClient reports whether the request is our own page's, which gets cookies in place of tokens.
func (r *Request) IsWebClient() bool {
	web, err := r.CheckWebClient()
	return web && err == nil
}

// StepResponse encodes the outcome of a step of a sign-in and notes in the access record whose it was.
func StepResponse(r *Request, got signin.Result) Response {
	view := LoginStep{Next: got.Next, Methods: got.Methods, RecoveryCodes: got.RecoveryCodes}
	if got.DeviceToken != (token.Token{}) {
		view.DeviceToken = got.DeviceToken.Reveal()
	}
	if got.Next != session.Done {
		r.LogSession(got.Ticket.Account.String(), "")
		view.Ticket = got.Ticket.Reveal()
		if r.IsWebClient() {
			return tokensAsCookies(view, got)
		}
		return OK(view)
	}
	s := got.Session
	r.LogSession(s.AccountID, s.ID)
	r.LogKey(s.KeyID)
	view.AccessToken = got.Access.Reveal()
	if s.KeyID == "" { // a key opens another session rather than renew one
		view.RefreshToken = got.Refresh.Reveal()
	}
	view.Session = &LoginSession{ID: s.ID, AccountID: s.AccountID, RefreshDue: s.RefreshDue, HardEnd: s.HardEnd}
	if s.KeyID == "" && r.IsWebClient() {
		return tokensAsCookies(view, got)
	}
	return OK(view)
}

// deviceCookieLifetime is for how long a browser keeps the cookie of a remembered device: as long as it is willing to.
// How long the device is trusted is decided at each use.
const deviceCookieLifetime = 400 * 24 * time.Hour

// tokensAsCookies takes the tokens out of an answer and sends them as cookies, where no script can read them. They last
// as long as the session may at most; whether it does is decided at each use (C46).
func tokensAsCookies(view LoginStep, got signin.Result) Response {
	view.AccessToken, view.RefreshToken, view.DeviceToken = "", "", ""
	res := OK(view)
	if !got.Session.HardEnd.IsZero() {
		life := got.Session.HardEnd.Sub(got.Session.Start)
		res = res.WithCookie(AccessCookie, got.Access.Reveal(), life).WithCookie(RefreshCookie, got.Refresh.Reveal(), life)
	}
	if got.DeviceToken.Kind != "" {
		res = res.WithCookie(TrustedDeviceCookie, got.DeviceToken.Reveal(), deviceCookieLifetime)
	}
	return res
}

// ProtectPublicRoutes puts before every route that anybody may call what all of them need: a page of another origin is
// refused before anything is done (V48), and so is a network that asks too often (V19). The routes of the keys in
// byThemselves count the caller's network themselves, beside their first read.
func ProtectPublicRoutes(service *signin.Service, routes []Route, selfLimited ...string) []Route {
	for i := range routes {
		route := &routes[i]
		if route.Needs != access.Public {
			continue
		}
		route.Doc.Problems = append(route.Doc.Problems, Problem{
			Kind: fault.TooManyRequests, Code: "tooManyFromAddress",
			When: "Too many of these requests came from the caller's network within a minute; Retry-After says when to come " +
				"back.",
		})
		handle, limitsItself := route.Handle, slices.Contains(selfLimited, route.Key)
		route.Handle = func(ctx context.Context, r *Request) (Response, error) {
			if _, err := r.CheckWebClient(); err != nil {
				return Response{}, err
			}
			if !limitsItself {
				if err := service.Admit(ctx, r.SourceIP()); err != nil {
					return Response{}, err
				}
			}
			return handle(ctx, r)
		}
	}
	return routes
}
