package api

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

type proofBody struct {
	Password   string         `json:"password,omitzero" maxLength:"1000" help:"My password; or send a credential instead." example:"correct horse battery staple"`
	Credential jsontext.Value `json:"credential,omitzero" help:"The answer of one of my passkeys to the options of POST /api/login/passkey/begin, as toJSON() gives it."`
}

// confirmedView says until when the proof counts as fresh.
type confirmedView struct {
	Until time.Time `json:"until" help:"Until when no further proof is needed."`
}

// proofRoutes returns the route by which people who are signed in prove again who they are.
func proofRoutes(h handlers) []httpapi.Route {
	return []httpapi.Route{{
		Key: "POST /api/me/proof", Needs: access.SignedIn, NoKeys: true, Handle: h.prove,
		Doc: httpapi.Operation{
			Tag: tag, ID: "confirmIdentity",
			Summary: "Confirm who I am",
			Description: "For requests that were refused with 403 proofNeeded: confirm with the password or a passkey, then " +
				"repeat the request. The proof counts for the minutes of the setting confirmAgainMinutes. The session " +
				"stays the same one and does not last longer.",
			Body: proofBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: confirmedView{}}},
			Problems: []httpapi.Problem{
				{
					Kind: fault.Invalid, Code: "invalid",
					When: "The password or the passkey is wrong; a wrong password counts as a failed sign-in.",
				},
			},
		},
	}}
}

func (h handlers) prove(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in proofBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	var (
		at  time.Time
		err error
	)
	switch {
	case (in.Password == "") == (len(in.Credential) == 0):
		err = fault.InvalidFields([]fault.Field{{
			Field: "password", Code: "required", Message: "Enter your password, or confirm with a passkey.",
		}})
	case in.Password != "":
		at, err = h.Proofs.ProveByPassword(ctx, r.Scope, in.Password)
	default:
		at, err = h.Proofs.ProveByPasskey(ctx, r.Scope, in.Credential, r.ClientInfo(""))
	}
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(confirmedView{Until: at.Add(r.Scope.Env.Settings.ConfirmAgainAfter())}), nil
}
