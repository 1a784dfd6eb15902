// Package api is the routes of the oauth function: read a form, call oauth.Service, encode.
package api

import (
	"context"
	"encoding/json"
	"net/http"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/oauth"
)

const tag = "Tokens for applications"

type handlers struct {
	tokens *oauth.Service
}

const (
	grantForClient   = "client_credentials"
	grantForExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	subjectType      = "urn:ietf:params:oauth:token-type:access_token"
)

type tokenRequestBody struct {
	GrantType        string `json:"grant_type" enum:"client_credentials|urn:ietf:params:oauth:grant-type:token-exchange" help:"client_credentials for the application itself; token exchange for a person or a program."`
	ClientID         string `json:"client_id,omitzero" maxLength:"50" help:"The application's code, unless it comes by HTTP Basic." example:"erp"`
	ClientSecret     string `json:"client_secret,omitzero" maxLength:"256" help:"Its secret, unless it comes by HTTP Basic."`
	Audience         string `json:"audience,omitzero" maxLength:"200" help:"Which application the token is for, by its audience." example:"erp"`
	Subject          string `json:"subject_token,omitzero" maxLength:"256" help:"The session's token or the API key to exchange."`
	SubjectTokenType string `json:"subject_token_type,omitzero" enum:"urn:ietf:params:oauth:token-type:access_token"`
}

type tokenView struct {
	AccessToken     string `json:"access_token" help:"A JWT after RFC 9068, for one audience."`
	IssuedTokenType string `json:"issued_token_type,omitzero" help:"After a token exchange: urn:ietf:params:oauth:token-type:access_token."`
	TokenType       string `json:"token_type" enum:"Bearer"`
	ExpiresIn       int    `json:"expires_in" help:"Seconds." minimum:"0" maximum:"3600"`
	Scope           string `json:"scope,omitzero" help:"The permissions of the application that the account holds, separated by blanks."`
}

type introspectRequestBody struct {
	Token         string `json:"token" maxLength:"4096" help:"The token that the application was sent."`
	TokenTypeHint string `json:"token_type_hint,omitzero" maxLength:"100" help:"Ignored: there is one kind of token."`
	ClientID      string `json:"client_id,omitzero" maxLength:"50" help:"The application's code, unless it comes by HTTP Basic." example:"erp"`
	ClientSecret  string `json:"client_secret,omitzero" maxLength:"256" help:"Its secret, unless it comes by HTTP Basic."`
}

type keySetView struct {
	Keys []map[string]string `json:"keys" help:"Public keys (RFC 7517)."`
}

// Routes returns the route table over a service.
func Routes(tokens *oauth.Service) []httpapi.Route {
	h := handlers{tokens}
	return []httpapi.Route{
		{
			Key: "POST /oauth/token", Needs: access.Public, Handle: h.token, Doc: httpapi.Operation{
				Tag: tag, ID: "issueToken", Summary: "Issue a token for an application", Secret: true, Form: true,
				Description: "A JWT of five minutes for one audience: for the application itself (client_credentials, with its " +
					"credentials), or for the holder of a session or an API key (token exchange, RFC 8693). Errors are those of " +
					"RFC 6749: error and error_description as JSON.",
				Body: tokenRequestBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: tokenView{}}},
				Problems: []httpapi.Problem{
					{Kind: fault.Malformed, Code: "unsupported_grant_type", When: "The grant is another one."},
					{Kind: fault.Malformed, Code: "invalid_target", When: "No active application has the audience."},
				},
			},
		},
		{
			Key: "POST /oauth/introspect", Needs: access.Public, Handle: h.introspect, Doc: httpapi.Operation{
				Tag: tag, ID: "introspectToken", Summary: "Ask about a token", Form: true,
				Description: "By the credentials of the application that the token is for (RFC 7662): who it is and what they " +
					"may do there, at this moment. A token that expired, that is for another application, or whose session or key " +
					"ended, is {active: false}; so are sessions' own tokens and API keys. Errors are those of RFC 6749.",
				Body: introspectRequestBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: oauth.Facts{}}},
			},
		},
		{
			Key: "GET /oauth/jwks", Needs: access.Public, Handle: h.keys, Doc: httpapi.Operation{
				Tag: tag, ID: "listSigningKeys", Summary: "Read the public keys of tokens",
				Description: "Keep them for five minutes at most. A new key is here an hour before it signs.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: keySetView{}}},
			},
		},
	}
}

func invalidRequest(detail string) error {
	return fault.New(fault.Malformed, "invalid_request", "%s", detail)
}

func (h handlers) token(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	form, client, err := read(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	view := tokenView{TokenType: "Bearer"}
	var issued oauth.Token
	switch form["grant_type"] {
	case grantForClient:
		issued, err = h.tokens.ClientCredentials(ctx, client, form["audience"])
	case grantForExchange:
		if form["subject_token"] == "" || form["audience"] == "" || form["subject_token_type"] != subjectType {
			return httpapi.Response{},
				invalidRequest("Send subject_token, audience, and as subject_token_type " + subjectType + ".")
		}
		view.IssuedTokenType = subjectType
		issued, err = h.tokens.Exchange(ctx, client, form["subject_token"], form["audience"])
	case "":
		return httpapi.Response{}, invalidRequest("grant_type is missing.")
	default:
		return httpapi.Response{}, fault.New(fault.Malformed, "unsupported_grant_type",
			"Use client_credentials or token exchange.")
	}
	if err != nil {
		return httpapi.Response{}, err
	}
	view.AccessToken, view.ExpiresIn, view.Scope = issued.JWT, int(issued.Expires.Seconds()), issued.Scope
	return httpapi.OK(view).WithHeader("Pragma", "no-cache"), nil
}

func (h handlers) introspect(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	form, client, err := read(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if form["token"] == "" {
		return httpapi.Response{}, invalidRequest("token is missing.")
	}
	facts, err := h.tokens.Introspect(ctx, client, form["token"])
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(facts), nil
}

func read(r *httpapi.Request) (map[string]string, oauth.Client, error) {
	form, err := r.Form()
	if err != nil {
		return nil, oauth.Client{}, err
	}
	id, secret, err := r.ClientCredentials(form)
	return form, oauth.Client{ID: id, Secret: secret}, err
}

func (h handlers) keys(ctx context.Context, _ *httpapi.Request) (httpapi.Response, error) {
	set, err := h.tokens.Keys.JWKS(ctx)
	if err != nil {
		return httpapi.Response{}, err
	}
	raw, err := json.Marshal(set)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Raw("application/json", raw).WithHeader("Cache-Control", "public, max-age=300"), nil
}
