package api

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/httpapi"
)

// accountHead is what an account shows besides its fields.
type accountHead struct {
	ID      string `json:"id" help:"The account's id, which never changes."`
	Version int64  `json:"version" help:"Rises with every change; the ETag holds it."`
	// BlockedUntil follows from the settings, so it is not a field that can be sorted, filtered or exported.
	BlockedUntil *time.Time `json:"blockedUntil" help:"If failed tries block the account: when the next try is allowed (UTC). Null if they do not, or if only an administrator can allow access."`
}

// view writes an account as the field table says. It comes from account.Service.Shown.
type view struct{ account.Account }

// MarshalJSONTo implements json.MarshalerTo.
func (v view) MarshalJSONTo(enc *jsontext.Encoder) error {
	shown := v.Account
	for _, t := range []jsontext.Token{
		jsontext.BeginObject, jsontext.String("id"), jsontext.String(shown.ID),
		jsontext.String("version"), jsontext.Int(shown.Version), jsontext.String("blockedUntil"), instant(shown.BlockedUntil),
	} {
		if err := enc.WriteToken(t); err != nil {
			return err
		}
	}
	if err := account.Fields().AppendJSON(enc, &shown); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndObject)
}

func instant(t time.Time) jsontext.Token {
	if t.IsZero() {
		return jsontext.Null
	}
	return jsontext.String(field.FormatInstant(t))
}

type blockBody struct {
	Reason string `json:"reason" help:"Why; people see it." minLength:"1" maxLength:"200" example:"Left the company"`
}

type passwordBody struct {
	Password    string `json:"password" help:"The new password, as the person will type it." maxLength:"128" example:"correct horse battery staple"`
	ForceChange *bool  `json:"forceChange,omitzero" help:"Make the person choose their own password at the next sign-in; true by default."`
	Unlock      bool   `json:"unlock,omitzero" help:"Also allow login access (Unlock user account)."`
}

// patch reads a body of account fields. Unknown members and wrong types make the body malformed. A read-only field is
// refused, not ignored (V59).
func patch(r *httpapi.Request) (field.Patch, error) {
	members, err := r.Members()
	if err != nil {
		return nil, err
	}
	p, faults := account.Fields().ReadPatch(members)
	for name := range p {
		if d := account.Fields().Find(name); d.ReadOnly {
			faults = append(faults,
				fault.Field{Field: name, Code: "readOnly", Message: d.Label + " cannot be set here; leave it out."})
		}
	}
	return p, httpapi.BadBody(faults)
}

func (h handlers) create(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	p, err := patch(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	a, err := h.Accounts.Create(ctx, r.Scope, p)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Created("/api/accounts/"+a.ID, view{h.Accounts.Shown(r.Scope, a)}).WithVersion(a.Version),
		nil
}

func (h handlers) get(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.answer(r)(h.Accounts.Get(ctx, r.Scope, id))
}

func (h handlers) change(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	version, err := r.IfMatch()
	if err != nil {
		return httpapi.Response{}, err
	}
	p, err := patch(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.answer(r)(h.Accounts.Change(ctx, r.Scope, id, version, p))
}

// action reads what every action on an account starts with.
func action(r *httpapi.Request, body any) (id string, version int64, err error) {
	if id, err = r.ID("id"); err != nil {
		return "", 0, err
	}
	if version, err = r.IfMatchIfGiven(); err != nil || body == nil {
		return id, version, err
	}
	return id, version, r.Decode(body)
}

func (h handlers) allow(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, version, err := action(r, nil)
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.answer(r)(h.Accounts.Allow(ctx, r.Scope, id, version))
}

func (h handlers) block(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in blockBody
	id, version, err := action(r, &in)
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.answer(r)(h.Accounts.Block(ctx, r.Scope, id, version, in.Reason))
}

func (h handlers) password(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in passwordBody
	id, version, err := action(r, &in)
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.answer(r)(h.Accounts.SetPassword(ctx, r.Scope, id, version, account.NewPasswordRequest{
		Password: in.Password, ForceChange: in.ForceChange == nil || *in.ForceChange, Unlock: in.Unlock,
	}))
}

// answer answers with an account. Who may act on it but not read it gets none back (V100).
func (h handlers) answer(r *httpapi.Request) func(account.Account, error) (httpapi.Response, error) {
	return func(a account.Account, err error) (httpapi.Response, error) {
		if err != nil {
			return httpapi.Response{}, err
		}
		if !r.Scope.Caller.May(access.AccountRead) {
			return httpapi.NoContent().WithVersion(a.Version), nil
		}
		return httpapi.OK(view{h.Accounts.Shown(r.Scope, a)}).WithVersion(a.Version), nil
	}
}
