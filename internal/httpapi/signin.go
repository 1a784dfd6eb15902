package httpapi

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// LoginStep is the response to every step of a sign-in, in all functions.
type LoginStep struct {
	Next session.Step `json:"next" enum:"done|secondFactor|setUpSecondFactor|changePassword" help:"The next step; done when the session is open."`
	// Ticket authorises the next step.
	Ticket       string        `json:"ticket,omitzero" help:"For the next step; valid once, for 5 minutes."`
	AccessToken  string        `json:"accessToken,omitzero" help:"Send it as Authorization: Bearer."`
	RefreshToken string        `json:"refreshToken,omitzero" help:"Renews the session, once; absent for a session that an API key opened."`
	Session      *LoginSession `json:"session,omitzero"`
	// Methods and the two members after it belong to the second factor.
	Methods       []mfa.Method `json:"methods,omitzero" enum:"passkey|totp|recoveryCode|emailCode" help:"The methods that the step secondFactor accepts, or that setUpSecondFactor can set up."`
	DeviceToken   string       `json:"deviceToken,omitzero" help:"The token of a remembered device: it replaces any earlier one; send it with the next sign-in."`
	RecoveryCodes []string     `json:"recoveryCodes,omitzero" help:"After a set-up; shown once. Each code works once in place of the authenticator."`
}

// LoginSession is the session that a sign-in opened.
type LoginSession struct {
	ID         string    `json:"id"`
	AccountID  string    `json:"accountId"`
	RefreshDue time.Time `json:"refreshDue" help:"The session ends then unless it is renewed (UTC)."`
	HardEnd    time.Time `json:"hardEnd" help:"The session ends then in any case (UTC)."`
}

// ClientInfo returns the origin of the request, for a sign-in; client is the name under which the session is listed.
func (r *Request) ClientInfo(client string) signin.ClientInfo {
	return signin.ClientInfo{
		Client: client, UserAgent: r.UserAgent(), Address: r.SourceIP(), Web: r.IsWebClient(),
		OnRefused: r.LogSignInFailure,
	}
}

// IsWebClient reports whether the request comes from our own page, which gets cookies in place of tokens.
func (r *Request) IsWebClient() bool {
	web, err := r.CheckWebClient()
	return web && err == nil
}

// StepResponse encodes the result of a sign-in step and notes in the log whose it was.
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
	if s.KeyID == "" { // an API key opens a new session instead of renewing one
		view.RefreshToken = got.Refresh.Reveal()
	}
	view.Session = &LoginSession{ID: s.ID, AccountID: s.AccountID, RefreshDue: s.RefreshDue, HardEnd: s.HardEnd}
	if s.KeyID == "" && r.IsWebClient() {
		return tokensAsCookies(view, got)
	}
	return OK(view)
}

// deviceCookieLifetime is how long a browser keeps the cookie of a trusted device: the longest that browsers allow.
// Whether the device is still trusted is decided at each use.
const deviceCookieLifetime = 400 * 24 * time.Hour

// tokensAsCookies sends the tokens as cookies, which no script can read, instead of in the body. They last as long as
// the session can at most; whether it still exists is decided at each use (C46).
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

// ProtectPublicRoutes guards every public route: it refuses pages of other origins (V48) and networks that send too
// many requests (V19). The routes whose keys are in selfLimited call the rate limiter themselves, in parallel with
// their first read.
func ProtectPublicRoutes(limiter *signin.RateLimiter, routes []Route, selfLimited ...string) []Route {
	for i := range routes {
		route := &routes[i]
		if route.Needs != access.Public {
			continue
		}
		route.Doc.Problems = append(route.Doc.Problems, Problem{
			Kind: fault.TooManyRequests, Code: "tooManyFromAddress",
			When: "The caller's network sent too many of these requests within a minute; Retry-After says how long to wait.",
		})
		handle, limitsItself := route.Handle, slices.Contains(selfLimited, route.Key)
		route.Handle = func(ctx context.Context, r *Request) (Response, error) {
			if _, err := r.CheckWebClient(); err != nil {
				return Response{}, err
			}
			var quota atomic.Pointer[signin.Quota]
			ctx = signin.WithQuota(ctx, &quota)
			defer func() { r.noteQuota(quota.Load()) }()
			if !limitsItself {
				if err := limiter.Admit(ctx, r.SourceIP()); err != nil {
					return Response{}, err
				}
			}
			return handle(ctx, r)
		}
	}
	return routes
}

// noteQuota sends the quota of the caller's network, as draft-ietf-httpapi-ratelimit-headers writes it.
func (r *Request) noteQuota(quota *signin.Quota) {
	if quota == nil {
		return
	}
	seconds := int((quota.Reset + time.Second - 1) / time.Second)
	r.responseHeader = map[string]string{
		"Ratelimit-Policy": fmt.Sprintf(`"network";q=%d;w=60`, quota.Limit),
		"Ratelimit":        fmt.Sprintf(`"network";r=%d;t=%d`, quota.Left, seconds),
	}
}
