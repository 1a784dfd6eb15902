package api

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// passkeyOptionsView has the options with which a browser asks for a passkey.
type passkeyOptionsView struct {
	PublicKey jsontext.Value `json:"publicKey" help:"The argument of PublicKeyCredential.parseRequestOptionsFromJSON()."`
}

type passkeyBody struct {
	Credential jsontext.Value `json:"credential" help:"The PublicKeyCredential that the browser returned, as toJSON() gives it."`
	Client     string         `json:"client,omitzero" help:"The name under which the session is listed, such as the program's name." maxLength:"100" example:"browser"`
	Device     string         `json:"device,omitzero" help:"The deviceToken of a trusted device; a wrong one is ignored." maxLength:"256"`
}

type nothingBody struct{}

func noPasskeys() httpapi.Problem {
	return httpapi.Problem{
		Kind: fault.Conflict, Code: "passkeysUnavailable",
		When: "The public address is an IP address; passkeys need a host name.",
	}
}

// passkeyRoutes returns the routes of signing in with a passkey, and those that prepare the step secondFactor.
func passkeyRoutes(h handlers, step []httpapi.Answer) []httpapi.Route {
	ticket := httpapi.Problem{Kind: fault.Unauthenticated, Code: "ticket", When: "The ticket is wrong, has expired or " +
		"was used."}
	options := []httpapi.Answer{{Status: http.StatusOK, Body: passkeyOptionsView{}}}
	unreadable := httpapi.Problem{Kind: fault.Invalid, Code: "invalid", When: "The credential is malformed."}
	return []httpapi.Route{
		{
			Key: "POST /api/login/passkey/begin", Needs: access.Public, Handle: h.beginPasskey,
			Doc: httpapi.Operation{
				Tag: tag, ID: "beginPasskeySignIn",
				Summary: "Begin to sign in with a passkey",
				Description: "Returns the options with which the browser asks for any of the person's passkeys. They can be " +
					"answered once, within 5 minutes.",
				Body: nothingBody{}, BodyOptional: true, Answers: options, Problems: []httpapi.Problem{noPasskeys()},
			},
		},
		{
			Key: "POST /api/login/passkey", Needs: access.Public, Handle: h.loginWithPasskey,
			Doc: httpapi.Operation{
				Tag: tag, ID: "signInWithPasskey", Secret: true,
				Summary: "Sign in with a passkey",
				Description: "The passkey identifies the account and has verified its user, so neither a password nor a " +
					"second factor is asked for.",
				Body: passkeyBody{}, Answers: step,
				Problems: []httpapi.Problem{
					{
						Kind: fault.Unauthenticated, Code: "signInRefused",
						When: "The passkey is unknown or its answer wrong, or the account is blocked, locked, outside its dates " +
							"or for API clients: the answer is the same for all.",
					},
					{
						Kind: fault.Unauthenticated, Code: "ticket",
						When: "It answers no challenge of POST /api/login/passkey/begin, or one that has expired or was answered.",
					},
					unreadable, noPasskeys(),
				},
			},
		},
		{
			Key: "POST /api/login/second-factor/passkey", Needs: access.Public, Handle: h.beginPasskeyFactor,
			Doc: httpapi.Operation{
				Tag: tag, ID: "beginPasskeyStep",
				Summary: "Ask for a passkey in the step secondFactor",
				Description: "Returns the options with which the browser asks for one of the account's passkeys. What the " +
					"browser returns is the credential of the step, with the same ticket.",
				Body: ticketBody{}, Answers: options,
				Problems: []httpapi.Problem{
					ticket,
					{Kind: fault.Invalid, Code: "invalid", When: "The account has no passkey."},
					noPasskeys(),
				},
			},
		},
		{
			Key: "POST /api/login/second-factor/mail", Needs: access.Public, Handle: h.sendMailCode,
			Doc: httpapi.Operation{
				Tag: tag, ID: "mailSignInCode",
				Summary: "Mail a code for the step secondFactor",
				Description: "Six digits, valid for this sign-in alone, once, for 10 minutes and five attempts. A newer code " +
					"replaces it. The ticket stays valid for its own 5 minutes.",
				Body: ticketBody{}, Answers: []httpapi.Answer{{Status: http.StatusNoContent}},
				Problems: []httpapi.Problem{
					ticket,
					{Kind: fault.Conflict, Code: "noMailCode", When: "Codes by mail are not allowed, or the account has no " +
						"email."},
					{
						Kind: fault.TooManyRequests, Code: "tooManyCodes",
						When: "Three codes were mailed within 15 minutes, or a hundred codes in a row were wrong.",
					},
				},
			},
		},
	}
}

func (h handlers) beginPasskey(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in nothingBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return respondOptions(h.Passkeys.BeginPasskey(ctx))
}

func respondOptions(asked []byte, err error) (httpapi.Response, error) {
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(passkeyOptionsView{PublicKey: asked}), nil
}

func (h handlers) loginWithPasskey(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in passkeyBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return respondStep(r)(h.Passkeys.LoginWithPasskey(ctx, in.Credential, clientInfo(r, in.Client, in.Device)))
}

func (h handlers) beginPasskeyFactor(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in ticketBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return respondOptions(h.Factors.BeginPasskeyFactor(ctx, in.Ticket))
}

func (h handlers) sendMailCode(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in ticketBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.Factors.SendMailCode(ctx, in.Ticket)
}
