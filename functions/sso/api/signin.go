package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/sso"
)

// browserCookie returns the name of the cookie that binds an authorization request to the browser (V51). It is one of
// sixteen, so that several tabs can sign in at once and a browser never has many. The cookie is SameSite=Strict: the
// callback page is our own and posts the callback itself.
func browserCookie(state string) string {
	sum := sha256.Sum256([]byte(state))
	return fmt.Sprintf("__Host-sso-%x", sum[0]&0xf)
}

type choiceView struct {
	ID   string `json:"id"`
	Name string `json:"name" help:"The label of the button, after \"Sign in with\"."`
	Kind string `json:"kind" enum:"azure|google|onelogin|oidc"`
}

type choicesView struct {
	Items []choiceView `json:"items"`
}

type departBody struct {
	Client string `json:"client,omitzero" help:"The name under which the session is listed, such as the program's name." maxLength:"100" example:"curl"`
}

// departureView is the response that sends a browser to a provider.
type departureView struct {
	URL     string `json:"url" help:"Where the person signs in. The provider redirects them to /sso/callback with state and code, or error."`
	Browser string `json:"browser,omitzero" help:"Keep it and send it with the callback; the console gets a cookie instead."`
}

type returnBody struct {
	State   string `json:"state" maxLength:"256" help:"As the provider returned it."`
	Code    string `json:"code,omitzero" maxLength:"4096" help:"As the provider returned it; absent if it returned an error."`
	Error   string `json:"error,omitzero" maxLength:"200" help:"The provider's error instead of a code, such as access_denied."`
	Browser string `json:"browser,omitzero" maxLength:"256" help:"As the first request returned it; the console has it as a cookie."`
}

type signInReturnBody struct {
	returnBody

	Device string `json:"device,omitzero" help:"The deviceToken of a remembered device; an invalid one is ignored." maxLength:"256"`
}

func (h handlers) signInRoutes() []httpapi.Route {
	return []httpapi.Route{
		{Key: "GET /api/sso/providers", Needs: access.Public, Handle: h.signInProviders, Doc: httpapi.Operation{
			Tag: tag, ID: "listSignInProviders",
			Summary:     "List the providers for signing in",
			Description: "For the buttons of a sign-in page.",
			Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: choicesView{}}},
		}},
		{Key: "POST /api/sso/providers/{id}/depart", Needs: access.Public, Handle: h.beginSignIn, Doc: httpapi.Operation{
			Tag: tag, ID: "beginProviderSignIn", Secret: true,
			Summary: "Start signing in with a provider",
			Description: "The person signs in at the returned url, within ten minutes. The callback is valid once, for the " +
				"same browser.",
			Body: departBody{}, BodyOptional: true,
			Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: departureView{}}},
			Problems: problems([]httpapi.Problem{providerNotFound}, providerFailed),
		}},
		{Key: "POST /api/sso/return", Needs: access.Public, Handle: h.completeSignIn, Doc: httpapi.Operation{
			Tag: tag, ID: "completeProviderSignIn", Secret: true,
			Summary: "Complete a sign-in with a provider's callback",
			Description: "The response is a step, as with a password. Accounts are never found by email: an identity without " +
				"a link is refused.",
			Body: signInReturnBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.LoginStep{}}},
			Problems: append(problems(providerFailed), unknownRequest, httpapi.Problem{
				Kind: fault.Unauthenticated, Code: "signInRefused",
				When: "The identity is not linked to an account, or the account is blocked, locked, outside its dates or for " +
					"API clients: the response is the same for all.",
			}),
		}},
	}
}

func (h handlers) signInProviders(ctx context.Context, _ *httpapi.Request) (httpapi.Response, error) {
	enabled, err := h.Providers.Enabled(ctx, h.SignIn.EnvID)
	view := choicesView{Items: make([]choiceView, len(enabled))}
	for i, p := range enabled {
		view.Items[i] = choiceView{p.ID, p.Name, p.Kind}
	}
	return httpapi.OK(view), err
}

func (h handlers) beginSignIn(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	var in departBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return redirectResponse(r)(
		h.Flow.Begin(ctx, h.SignIn.EnvID, id, sso.AuthRequest{Purpose: sso.ToSignIn, Client: in.Client}))
}

// redirectResponse returns the address at the provider. The browser's secret is a cookie for the console, else a
// member.
func redirectResponse(r *httpapi.Request) func(sso.AuthRedirect, error) (httpapi.Response, error) {
	return func(d sso.AuthRedirect, err error) (httpapi.Response, error) {
		if err != nil {
			return httpapi.Response{}, err
		}
		if r.IsWebClient() {
			return httpapi.OK(departureView{URL: d.URL}).WithCookie(browserCookie(d.State), d.BrowserSecret,
				sso.AuthRequestLifetime), nil
		}
		return httpapi.OK(departureView{d.URL, d.BrowserSecret}), nil
	}
}

// callback returns the callback in a body, with the cookie of a browser.
func (b returnBody) callback(r *httpapi.Request) sso.Callback {
	out := sso.Callback{State: b.State, Code: b.Code, Error: b.Error, BrowserSecret: b.Browser}
	if r.IsWebClient() {
		out.BrowserSecret = r.Cookie(browserCookie(b.State))
	}
	return out
}

func (h handlers) completeSignIn(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in signInReturnBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	got, err := h.Flow.Complete(ctx, h.SignIn.EnvID, in.callback(r), sso.ToSignIn)
	if err != nil {
		return httpapi.Response{}, err
	}
	accountID, err := h.Identities.Owner(ctx, h.SignIn.EnvID, got) // the link at this moment counts, not that at the start
	if err != nil {
		return httpapi.Response{}, err
	}
	client := r.ClientInfo(got.Request.Client)
	if client.DeviceToken = in.Device; client.DeviceToken == "" && r.IsWebClient() {
		client.DeviceToken = r.Cookie(httpapi.TrustedDeviceCookie)
	}
	step, err := h.SignIn.LoginWithProvider(ctx, accountID, got.Provider.AssertsSecondFactor(got.Claims), client)
	if err != nil {
		return httpapi.Response{}, err
	}
	res := httpapi.StepResponse(r, step)
	if r.IsWebClient() {
		res = res.WithCookie(browserCookie(in.State), "", 0)
	}
	return res, nil
}
