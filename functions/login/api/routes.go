// Package api is the routes of the login function: the steps of a sign-in, and its end.
package api

import (
	"context"
	"net/http"
	"slices"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/recovery"
	"useraccounts/internal/signin"
)

const tag = "Sign-in"

// Services are what the routes call.
type Services struct {
	Limiter     *signin.RateLimiter
	Passwords   *signin.PasswordService
	Passkeys    *signin.PasskeyService
	Factors     *signin.FactorService
	Sessions    *signin.SessionService
	SelfService *signin.SelfService
	Proofs      *signin.ProofService
	Resets      *recovery.Service
}

type handlers struct{ Services }

// Routes returns the route table over the services.
func Routes(s Services) []httpapi.Route {
	h := handlers{s}
	step := []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.LoginStep{}}}
	routes := append(
		slices.Concat(factorRoutes(h, step), passkeyRoutes(h, step), passwordRoutes(h, step), proofRoutes(h),
			recoveryRoutes(h)),
		[]httpapi.Route{
			{
				Key: "POST /api/login", Needs: access.Public, Handle: h.login,
				Doc: httpapi.Operation{
					Tag: tag, ID: "signIn", Secret: true,
					Summary: "Sign in with a password",
					Description: "The answer's next says what follows: with done the session is open, any other value is a " +
						"step to take with the ticket.",
					Body: loginBody{}, Answers: step,
					Problems: []httpapi.Problem{{
						Kind: fault.Unauthenticated, Code: "signInRefused",
						When: "Unknown, wrong, blocked, locked, outside its dates or without a password: the answer is the same " +
							"for all.",
					}},
				},
			},
			{
				Key: "POST /api/login/password", Needs: access.Public, Handle: h.changePassword,
				Doc: httpapi.Operation{
					Tag: tag, ID: "changePasswordAtSignIn", Secret: true,
					Summary:     "Take the step changePassword",
					Description: "Sets the person's own password, ends every other session and opens this one.",
					Body:        passwordBody{}, Answers: step,
					Problems: []httpapi.Problem{
						{Kind: fault.Unauthenticated, Code: "ticket", When: "The ticket is wrong, has expired or was used."},
						{
							Kind: fault.Invalid, Code: "invalid",
							When: "The policy refuses the password; the ticket stays valid.",
						},
					},
				},
			},
			{
				Key: "POST /api/login/refresh", Needs: access.Public, Handle: h.refresh,
				Doc: httpapi.Operation{
					Tag: tag, ID: "refreshSession", Secret: true,
					Summary: "Renew a session",
					Description: "Both tokens are new. The same token sent again within 10 seconds, because the answer was " +
						"lost, gets the same answer. An earlier token after that closes the session. Our own web pages send no " +
						"body: their refresh token is a cookie.",
					Body: refreshBody{}, BodyOptional: true, Answers: step,
					Problems: []httpapi.Problem{
						{Kind: fault.Unauthenticated, Code: "session", When: "The session has ended, or the token was used."},
					},
				},
			},
			{
				Key: "POST /api/login/key", Needs: access.Public, Handle: h.loginWithKey,
				Doc: httpapi.Operation{
					Tag: tag, ID: "signInWithKey", Secret: true,
					Summary: "Open a session with an API key",
					Description: "For 30 minutes, or until the key expires if that is sooner, without a refresh token: the key " +
						"opens the next session. It ends at once when the key is locked or its account loses access.",
					Body: keyBody{}, Answers: step,
					Problems: []httpapi.Problem{
						{
							Kind: fault.Unauthenticated, Code: "keyRefused",
							When: "The key is unknown, wrong, locked or expired, or its account is blocked, locked, outside its " +
								"dates or without an API licence: the answer is the same for all.",
						},
						{Kind: fault.Invalid, Code: "invalid", When: "The client is too long, or is not one line of text."},
					},
				},
			},
			{
				Key: "POST /api/logout", Needs: access.SignedIn, Handle: h.logout,
				Doc: httpapi.Operation{Tag: tag, ID: "signOut",
					Summary: "Sign out", Answers: []httpapi.Answer{{Status: http.StatusNoContent}}},
			},
		}...)
	return httpapi.ProtectPublicRoutes(s.Limiter, routes, "POST /api/login", "POST /api/login/refresh",
		"POST /api/login/key")
}

type loginBody struct {
	Identifier string `json:"identifier" help:"Username or email, in any case." maxLength:"250" example:"admin"`
	Password   string `json:"password" maxLength:"1000" example:"correct horse battery staple"`
	Client     string `json:"client,omitzero" help:"The name under which the session is listed, such as the program's name." maxLength:"100" example:"curl"`
	Device     string `json:"device,omitzero" help:"The deviceToken of a trusted device; a wrong one is ignored." maxLength:"256"`
}

type passwordBody struct {
	Ticket   string `json:"ticket" maxLength:"256" help:"The ticket of the previous step." example:"uat_AZ..."`
	Password string `json:"password" maxLength:"1000" help:"The new password." example:"correct horse battery staple"`
}

type refreshBody struct {
	RefreshToken string `json:"refreshToken,omitzero" maxLength:"256" help:"Required, except for our own web pages, which have it as a cookie and must not send it." example:"uar_AZ..."`
}

type keyBody struct {
	Key    string `json:"key" maxLength:"256" help:"The API key." example:"ua_01JZ...01JY..._7RX..."`
	Client string `json:"client,omitzero" help:"The name under which the session is listed, such as the program's name." maxLength:"100" example:"payroll"`
}

// respondStep encodes the outcome of a step.
func respondStep(r *httpapi.Request) func(signin.Result, error) (httpapi.Response, error) {
	return func(got signin.Result, err error) (httpapi.Response, error) {
		if err != nil {
			return httpapi.Response{}, err
		}
		return httpapi.StepResponse(r, got), nil
	}
}

func (h handlers) login(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in loginBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return respondStep(r)(h.Passwords.Login(ctx, in.Identifier, in.Password, clientInfo(r, in.Client, in.Device)))
}

// clientInfo returns where a sign-in comes from, with the token of a trusted device, which our own web pages have as a
// cookie.
func clientInfo(r *httpapi.Request, client, device string) signin.ClientInfo {
	out := r.ClientInfo(client)
	if out.DeviceToken = device; device == "" && r.IsWebClient() {
		out.DeviceToken = r.Cookie(httpapi.TrustedDeviceCookie)
	}
	return out
}

func (h handlers) changePassword(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in passwordBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return respondStep(r)(h.Passwords.ChangePassword(ctx, in.Ticket, in.Password, r.ClientInfo("")))
}

func (h handlers) refresh(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in refreshBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	refresh := in.RefreshToken
	switch web := r.IsWebClient(); {
	case web && refresh != "":
		return httpapi.Response{},
			httpapi.BadBody(
				[]fault.Field{
					{Field: "refreshToken", Code: "unexpected", Message: "Web pages send their refresh token as a cookie only."},
				})
	case web:
		refresh = r.Cookie(httpapi.RefreshCookie)
	case refresh == "":
		return httpapi.Response{},
			httpapi.BadBody([]fault.Field{{Field: "refreshToken", Code: "required", Message: "This field is required."}})
	}
	return respondStep(r)(h.Sessions.Refresh(ctx, refresh, r.ClientInfo("")))
}

func (h handlers) loginWithKey(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in keyBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return respondStep(r)(h.Sessions.LoginWithKey(ctx, in.Key, r.ClientInfo(in.Client)))
}

func (h handlers) logout(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	if err := h.Sessions.Logout(ctx, r.Scope, r.ClientInfo("")); err != nil {
		return httpapi.Response{}, err
	}
	res := httpapi.NoContent()
	if r.IsWebClient() {
		res = res.WithCookie(httpapi.AccessCookie, "", 0).WithCookie(httpapi.RefreshCookie, "", 0)
	}
	return res, nil
}
