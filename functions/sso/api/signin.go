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

// browserCookie names the cookie that binds a way to a provider and back to the browser that went (V51): one of
// sixteen, so that two tabs may go at once and a browser never carries many. That it is sent to our own pages only does
// no harm: the page that the provider sends people back to posts what it was given itself.
func browserCookie(state string) string {
	sum := sha256.Sum256([]byte(state))
	return fmt.Sprintf("__Host-sso-%x", sum[0]&0xf)
}

type choiceView struct {
	ID   string `json:"id"`
	Name string `json:"name" help:"What the button says, after \"Sign in with\"."`
	Kind string `json:"kind" enum:"azure|google|onelogin|oidc"`
}

type choicesView struct {
	Items []choiceView `json:"items"`
}

type departBody struct {
	Client string `json:"client,omitzero" help:"What the session is listed as, such as the program's name." maxLength:"100" example:"curl"`
}

// departureView sends a browser to a provider.
type departureView struct {
	URL     string `json:"url" help:"Where the person signs in. The provider sends them back to /sso/callback with state and code, or error."`
	Browser string `json:"browser,omitzero" help:"Keep it and send it back with the return; a page of ours gets a cookie instead."`
}

type returnBody struct {
	State   string `json:"state" maxLength:"256" help:"As the provider sent it back."`
	Code    string `json:"code,omitzero" maxLength:"4096" help:"As the provider sent it back; not there where it sent an error."`
	Error   string `json:"error,omitzero" maxLength:"200" help:"The provider's error in place of a code, such as access_denied."`
	Browser string `json:"browser,omitzero" maxLength:"256" help:"What the departure gave; a page of ours has it as a cookie."`
}

type signInReturnBody struct {
	returnBody

	Device string `json:"device,omitzero" help:"The deviceToken of a remembered device; a wrong one is no fault." maxLength:"256"`
}

func (h handlers) signInRoutes() []httpapi.Route {
	return []httpapi.Route{
		{Key: "GET /api/sso/providers", Needs: access.Public, Handle: h.signInProviders, Doc: httpapi.Operation{
			Tag: tag, ID: "getSignInProviders", Summary: "List the providers to sign in by",
			Description: "For the buttons of a sign-in page.",
			Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: choicesView{}}},
		}},
		{Key: "POST /api/sso/providers/{id}/depart", Needs: access.Public, Handle: h.beginSignIn, Doc: httpapi.Operation{
			Tag: tag, Summary: "Begin to sign in by a provider",
			Description: "The answer's url is where the person signs in, within ten minutes. The return counts once, and for " +
				"the browser that went.",
			Body: departBody{}, BodyOptional: true,
			Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: departureView{}}},
			Problems: []httpapi.Problem{providerNotFound, providerFailed},
		}},
		{Key: "POST /api/sso/return", Needs: access.Public, Handle: h.completeSignIn, Doc: httpapi.Operation{
			Tag: tag, Summary: "Sign in by what a provider sent back",
			Description: "The answer is a step, as with a password. Nobody is found by an email: an identity that is linked " +
				"to no account is refused as any other.",
			Body: signInReturnBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.LoginStep{}}},
			Problems: []httpapi.Problem{unknownRequest, providerFailed, {
				Kind: fault.Unauthenticated, Code: "signInRefused",
				When: "Linked to no account, or that is blocked, locked, out of dates or for API clients: the answer is the " +
					"same for all.",
			}},
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

// redirectResponse sends the caller to the provider: the secret to come back with is a cookie for a page of ours.
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

// callback reads what a browser came back with.
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
	accountID, err := h.Identities.Owner(ctx, h.SignIn.EnvID, got) // only now: what was so at the departure does not count
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
