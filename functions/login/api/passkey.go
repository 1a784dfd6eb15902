package api

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// passkeyOptionsView is what a browser is handed to ask for a passkey.
type passkeyOptionsView struct {
	PublicKey jsontext.Value `json:"publicKey" help:"For PublicKeyCredential.parseRequestOptionsFromJSON()."`
}

type passkeyBody struct {
	Credential jsontext.Value `json:"credential" help:"The PublicKeyCredential that the browser returned, by its toJSON()."`
	Client     string         `json:"client,omitzero" help:"What the session is listed as, such as the program's name." maxLength:"100" example:"browser"`
	Device     string         `json:"device,omitzero" help:"The deviceToken of a remembered device; a wrong one is no fault." maxLength:"256"`
}

type nothingBody struct{}

func noPasskeys() httpapi.Problem {
	return httpapi.Problem{Kind: fault.Conflict, Code: "passkeysUnavailable",
		When: "The public address is an IP address, for which there are no passkeys."}
}

// passkeyRoutes are signing in by a passkey, and what the step secondFactor needs to be asked for first.
func passkeyRoutes(h handlers, step []httpapi.Answer) []httpapi.Route {
	ticket := httpapi.Problem{Kind: fault.Unauthenticated, Code: "ticket", When: "The ticket is wrong, over, or was used."}
	options := []httpapi.Answer{{Status: http.StatusOK, Body: passkeyOptionsView{}}}
	unreadable := httpapi.Problem{Kind: fault.Invalid, Code: "invalid", When: "The credential is not one."}
	return []httpapi.Route{
		{
			Key: "POST /api/login/passkey/begin", Needs: access.Public, Handle: h.beginPasskey,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Begin to sign in with a passkey",
				Description: "The answer is what the browser is to ask the person's passkeys, whoever they are. It can be " +
					"answered once, within 5 minutes.",
				Body: nothingBody{}, BodyOptional: true, Answers: options, Problems: []httpapi.Problem{noPasskeys()},
			},
		},
		{
			Key: "POST /api/login/passkey", Needs: access.Public, Handle: h.loginWithPasskey,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Sign in with a passkey",
				Description: "The passkey says whose it is, and has verified its person, so neither password nor second factor " +
					"is asked for.",
				Body: passkeyBody{}, Answers: step,
				Problems: []httpapi.Problem{
					{Kind: fault.Unauthenticated, Code: "signInRefused",
						When: "The passkey is unknown or its answer wrong, or the account is blocked, locked, out of dates or for API " +
							"clients: the answer is the same for all."},
					{Kind: fault.Unauthenticated, Code: "ticket",
						When: "It does not answer what the beginning asked, or that is over or was answered."},
					unreadable, noPasskeys(),
				},
			},
		},
		{
			Key: "POST /api/login/second-factor/passkey", Needs: access.Public, Handle: h.beginPasskeyFactor,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Ask for a passkey in the step secondFactor",
				Description: "The answer is what the browser is to ask one of the account's passkeys. What it returns is the " +
					"credential of the step, under the same ticket.",
				Body: ticketBody{}, Answers: options,
				Problems: []httpapi.Problem{ticket, {Kind: fault.Invalid, Code: "invalid", When: "The account has no passkey."},
					noPasskeys()},
			},
		},
		{
			Key: "POST /api/login/second-factor/mail", Needs: access.Public, Handle: h.sendMailCode,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Have a code mailed for the step secondFactor",
				Description: "Six digits, for this sign-in alone, once, within 10 minutes and five goes. A newer one replaces " +
					"it. The ticket stays good, for its own 5 minutes.",
				Body: ticketBody{}, Answers: []httpapi.Answer{{Status: http.StatusNoContent}},
				Problems: []httpapi.Problem{
					ticket,
					{Kind: fault.Conflict, Code: "noMailCode", When: "Codes by mail are not allowed, or the account has no email."},
					{Kind: fault.TooManyRequests, Code: "tooManyCodes",
						When: "Three were mailed within a quarter of an hour, or a hundred in a row were wrong."},
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
	return respondOptions(h.service.BeginPasskey(ctx))
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
	return respondStep(r)(h.service.LoginWithPasskey(ctx, in.Credential, clientInfo(r, in.Client, in.Device)))
}

func (h handlers) beginPasskeyFactor(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in ticketBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return respondOptions(h.service.BeginPasskeyFactor(ctx, in.Ticket))
}

func (h handlers) sendMailCode(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in ticketBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.service.SendMailCode(ctx, in.Ticket)
}
