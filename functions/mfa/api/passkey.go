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
	Synced   bool       `json:"synced" help:"Whether its authenticator may keep copies of it on other devices of its owner."`
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
	PublicKey jsontext.Value `json:"publicKey" help:"For PublicKeyCredential.parseCreationOptionsFromJSON()."`
}

type newPasskeyBody struct {
	// Credential is any JSON: browsers add members to it in time.
	Credential jsontext.Value `json:"credential" help:"The PublicKeyCredential that the browser made, by its toJSON()."`
	Name       string         `json:"name,omitzero" maxLength:"100" help:"What the passkey is to be listed as." example:"My phone"`
}

type addedPasskeyView struct {
	Passkey       passkeyView `json:"passkey"`
	RecoveryCodes []string    `json:"recoveryCodes,omitzero" help:"Where it is the first second factor: shown once, each good once in its place."`
}

type passkeyNameBody struct {
	Name string `json:"name" maxLength:"100" example:"My phone"`
}

// passkeyRoutes are one's own passkeys; proof are the problems of what needs a fresh proof.
func passkeyRoutes(h handlers, proof []httpapi.Problem) []httpapi.Route {
	unavailable := httpapi.Problem{Kind: fault.Conflict, Code: "passkeysUnavailable",
		When: "The public address is an IP address, for which there are no passkeys."}
	full := httpapi.Problem{Kind: fault.Conflict, Code: "passkeysFull", When: "There are ten passkeys already."}
	one := []httpapi.Problem{{Kind: fault.Conflict, Code: "busy", When: "The account was changed at the same moment."}}
	return []httpapi.Route{
		{Key: "POST /api/me/mfa/passkeys/begin", Needs: access.SignedIn, NoKeys: true, Handle: h.beginPasskey,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Begin to set up a passkey",
				Description: "The answer is what the browser makes it from, good for 5 minutes. Several can be set up.",
				Body:        proofBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: passkeyOptionsView{}}},
				Problems: append([]httpapi.Problem{unavailable, full}, proof...),
			}},
		{Key: "POST /api/me/mfa/passkeys/confirm", Needs: access.SignedIn, NoKeys: true, Handle: h.confirmPasskey,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Confirm the passkey",
				Description: "It is a second factor then, and a way to sign in of its own. Where it is the first, the answer " +
					"has new recovery codes, this once.",
				Body: newPasskeyBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: addedPasskeyView{}}},
				Problems: []httpapi.Problem{
					{Kind: fault.Invalid, Code: "invalid",
						When: "The credential is not the answer to what was asked, or the name is not one."},
					{Kind: fault.Conflict, Code: "noSetUp", When: "None was begun, or that is over or was confirmed."},
					{Kind: fault.Conflict, Code: "passkeyKnown", When: "This passkey is set up already."}, full, unavailable,
				},
			}},
		{Key: "PATCH /api/me/mfa/passkeys/{passkeyId}", Needs: access.SignedIn, NoKeys: true, Handle: h.renamePasskey,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Rename a passkey", Body: passkeyNameBody{},
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: passkeyView{}}}, Problems: one,
			}},
		{Key: "DELETE /api/me/mfa/passkeys/{passkeyId}", Needs: access.SignedIn, NoKeys: true, Handle: h.removePasskey,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Remove a passkey",
				Description: "Every session ends, this one too, and every remembered device. With the last method the whole " +
					"second factor goes, as by removing that.",
				Body: proofBody{}, BodyOptional: true, Answers: []httpapi.Answer{{Status: http.StatusNoContent}},
				Problems: append(append(one, lastSignInMethod), proof...),
			}},
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
