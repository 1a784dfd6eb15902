package api

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mfa"
)

type passkeyView struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Synced   bool       `json:"synced" help:"Whether it may be copied to other devices of its owner."`
	Created  time.Time  `json:"created"`
	Last     *time.Time `json:"lastUsed,omitzero"`
	Location string     `json:"location,omitzero" help:"Network address of the last use."`
}

func passkeyViewOf(k mfa.Passkey) passkeyView {
	v := passkeyView{ID: k.ID, Name: k.Name, Synced: k.Synced, Created: k.Created, Location: k.Address}
	if !k.LastUsed.IsZero() {
		v.Last = &k.LastUsed
	}
	return v
}

type passkeyOptionsView struct {
	PublicKey jsontext.Value `json:"publicKey" help:"The argument of PublicKeyCredential.parseCreationOptionsFromJSON()."`
}

type newPasskeyBody struct {
	// Credential is any JSON: browsers add members to it over time.
	Credential jsontext.Value `json:"credential" help:"The PublicKeyCredential that the browser created, as toJSON() gives it."`
	Name       string         `json:"name,omitzero" maxLength:"100" help:"The name under which the passkey is listed." example:"My phone"`
}

type addedPasskeyView struct {
	Passkey       passkeyView `json:"passkey"`
	RecoveryCodes []string    `json:"recoveryCodes,omitzero" help:"For the first second factor: shown once, each valid once in its place."`
}

type passkeyNameBody struct {
	Name string `json:"name" maxLength:"100" example:"My phone"`
}

// passkeyRoutes returns the routes of the caller's own passkeys. proof are the problems of routes that need a fresh
// proof.
func passkeyRoutes(h handlers, proof []httpapi.Problem) []httpapi.Route {
	unavailable := httpapi.Problem{
		Kind: fault.Conflict, Code: "passkeysUnavailable",
		When: "The public address is an IP address; passkeys need a host name.",
	}
	full := httpapi.Problem{Kind: fault.Conflict, Code: "passkeysFull", When: "There are already ten passkeys."}
	one := []httpapi.Problem{{Kind: fault.Conflict, Code: "busy", When: "The account was changed at the same time."}}
	return []httpapi.Route{
		{
			Key: "POST /api/me/mfa/passkeys/begin", Needs: access.SignedIn, NoKeys: true, Handle: h.beginPasskey,
			Doc: httpapi.Operation{
				Tag: tag, ID: "beginMyPasskey",
				Summary: "Begin to set up a passkey",
				Description: "Returns the options from which the browser creates the passkey, valid for 5 minutes. An " +
					"account can have several.",
				Body: proofBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: passkeyOptionsView{}}},
				Problems: append([]httpapi.Problem{unavailable, full}, proof...),
			},
		},
		{
			Key: "POST /api/me/mfa/passkeys/confirm", Needs: access.SignedIn, NoKeys: true, Handle: h.confirmPasskey,
			Doc: httpapi.Operation{
				Tag: tag, ID: "confirmMyPasskey", Secret: true,
				Summary: "Confirm the passkey",
				Description: "The passkey is then a second factor, and a sign-in method of its own. For the first second " +
					"factor the answer has new recovery codes, this once.",
				Body: newPasskeyBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: addedPasskeyView{}}},
				Problems: []httpapi.Problem{
					{
						Kind: fault.Invalid, Code: "invalid",
						When: "The credential does not answer the challenge, or the name is not valid.",
					},
					{Kind: fault.Conflict, Code: "noSetUp", When: "No set-up was begun, or it has expired or was confirmed."},
					{Kind: fault.Conflict, Code: "passkeyKnown", When: "This passkey is already set up."},
					full, unavailable,
				},
			},
		},
		{
			Key: "PATCH /api/me/mfa/passkeys/{passkeyId}", Needs: access.SignedIn, NoKeys: true, Handle: h.renamePasskey,
			Doc: httpapi.Operation{
				Tag: tag, ID: "renameMyPasskey",
				Summary: "Rename a passkey", Body: passkeyNameBody{},
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: passkeyView{}}}, Problems: one,
			},
		},
		{
			Key: "DELETE /api/me/mfa/passkeys/{passkeyId}", Needs: access.SignedIn, NoKeys: true, Handle: h.removePasskey,
			Doc: httpapi.Operation{
				Tag: tag, ID: "removeMyPasskey",
				Summary: "Remove a passkey",
				Description: "Every session ends, this one too, and every trusted device. With the last method the whole " +
					"second factor is removed.",
				Body: proofBody{}, BodyOptional: true, Answers: []httpapi.Answer{{Status: http.StatusNoContent}},
				Problems: append(append(one, lastSignInMethod), proof...),
			},
		},
	}
}

func (h handlers) beginPasskey(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in proofBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	options, err := h.own.BeginPasskey(ctx, r.Scope, in.Password)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(passkeyOptionsView{PublicKey: options}), nil
}

func (h handlers) confirmPasskey(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in newPasskeyBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	made, codes, err := h.own.ConfirmPasskey(ctx, r.Scope, in.Credential, in.Name)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(addedPasskeyView{Passkey: passkeyViewOf(made), RecoveryCodes: codes}), nil
}

func (h handlers) renamePasskey(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in passkeyNameBody
	id, err := r.ID("passkeyId")
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	is, err := h.own.RenamePasskey(ctx, r.Scope, id, in.Name)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(passkeyViewOf(is)), nil
}

func (h handlers) removePasskey(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in proofBody
	id, err := r.ID("passkeyId")
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.own.RemovePasskey(ctx, r.Scope, id, in.Password)
}
