package api

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/sso"
)

// providerHead are the members of a provider besides its fields.
type providerHead struct {
	ID          string    `json:"id"`
	Version     int64     `json:"version" help:"Increases with every change; the ETag contains it."`
	HasSecret   bool      `json:"hasSecret" help:"Whether there is a client secret. It is never returned."`
	RedirectURL string    `json:"redirectUrl" help:"The redirect address, to be registered with the provider exactly like this."`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

// secretMember is the input of a provider besides its fields.
type secretMember struct {
	ClientSecret string `json:"clientSecret,omitzero" maxLength:"1000" help:"The client secret; it is encrypted and never returned. If left out it is unchanged; an empty text removes it."`
}

const secretName = "clientSecret"

type providerView struct {
	head     providerHead
	provider sso.Provider
}

// MarshalJSONTo implements json.MarshalerTo.
func (v providerView) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, m := range []struct {
		name  string
		value any
	}{
		{"id", v.head.ID},
		{"version", v.head.Version},
		{"hasSecret", v.head.HasSecret},
		{"redirectUrl", v.head.RedirectURL},
		{"createdAt", v.head.CreatedAt},
		{"updatedAt", v.head.UpdatedAt},
	} {
		if err := enc.WriteToken(jsontext.String(m.name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(enc, m.value); err != nil {
			return err
		}
	}
	if err := sso.Fields().AppendJSON(enc, &v.provider); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndObject)
}

func (h handlers) viewOf(p sso.Provider) providerView {
	return providerView{providerHead{p.ID, p.Version, len(p.Secret) > 0, h.RedirectURL, p.CreatedAt, p.UpdatedAt}, p}
}

type fieldList struct {
	Items []field.Meta `json:"items"`
}

func (h handlers) providerRoutes() []httpapi.Route {
	fields := sso.Fields().Describe()
	doc := httpapi.FieldsDoc{Name: "SsoProvider", Fields: fields, Use: httpapi.ForAnswer, Extra: providerHead{}}
	one := httpapi.Answer{Status: http.StatusOK, Body: doc, ETag: true}
	invalid := httpapi.Problem{
		Kind: fault.Invalid, Code: "invalid",
		When: "A field breaks a rule; `fields` says which, and what to change.",
	}
	linked := httpapi.Problem{Kind: fault.Conflict, Code: "linked", When: "Accounts are linked to it."}
	return []httpapi.Route{
		{Key: "GET /api/sso-providers", Needs: access.SettingsRead, Handle: h.providers, Doc: httpapi.Operation{
			Tag: tag, ID: "listProviders",
			Summary: "List providers", Description: "All of them, at most twenty, including disabled ones.",
			Answers: []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.ListDoc{Name: "SsoProviderList", Of: doc}}},
		}},
		{
			Key: "POST /api/sso-providers", Needs: access.SettingsWrite, Idempotent: true, Handle: h.create,
			Doc: httpapi.Operation{
				Tag: tag, ID: "addProvider",
				Summary:     "Add a provider",
				Description: "People can sign in with it once it is enabled and their accounts are linked.",
				Body: httpapi.FieldsDoc{
					Name: "SsoProviderNew", Fields: fields, Use: httpapi.ForCreate,
					Extra: secretMember{},
				},
				Answers: []httpapi.Answer{{Status: http.StatusCreated, Body: doc, ETag: true, Location: true}},
				Problems: []httpapi.Problem{
					invalid,
					{Kind: fault.Conflict, Code: "tooMany", When: "There are twenty providers already."},
				},
			},
		},
		{Key: "GET /api/sso-providers/fields", Needs: access.SettingsRead, Handle: h.fields, Doc: httpapi.Operation{
			Tag: tag, ID: "describeProviderFields",
			Summary: "Describe the fields of providers",
			Answers: []httpapi.Answer{{Status: http.StatusOK, Body: fieldList{}}},
		}},
		{Key: "GET /api/sso-providers/{id}", Needs: access.SettingsRead, Handle: h.provider, Doc: httpapi.Operation{
			Tag: tag, ID: "getProvider",
			Summary: "Read a provider", Answers: []httpapi.Answer{one}, Problems: []httpapi.Problem{providerNotFound},
		}},
		{Key: "PATCH /api/sso-providers/{id}", Needs: access.SettingsWrite, Handle: h.change, Doc: httpapi.Operation{
			Tag: tag, ID: "changeProvider",
			Summary: "Change a provider", IfMatch: true,
			Description: "Fields left out are unchanged. If it is disabled, the next sign-in and those in progress at the " +
				"provider are refused; open sessions continue.",
			Body: httpapi.FieldsDoc{
				Name: "SsoProviderPatch", Fields: fields, Use: httpapi.ForPatch,
				Extra: secretMember{},
			},
			Answers: []httpapi.Answer{one}, Problems: []httpapi.Problem{providerNotFound, invalid},
		}},
		{Key: "DELETE /api/sso-providers/{id}", Needs: access.SettingsWrite, Handle: h.remove, Doc: httpapi.Operation{
			Tag: tag, ID: "deleteProvider",
			Summary: "Delete a provider without linked accounts", IfMatch: true,
			Answers: []httpapi.Answer{{Status: http.StatusNoContent}}, Problems: []httpapi.Problem{providerNotFound, linked},
		}},
		{Key: "POST /api/sso-providers/{id}/check", Needs: access.SettingsWrite, Handle: h.check, Doc: httpapi.Operation{
			Tag: tag, ID: "checkProvider",
			Summary:     "Check a provider",
			Description: "Fetches its discovery document and keys, as the first sign-in would.",
			Answers:     []httpapi.Answer{{Status: http.StatusNoContent, Description: "It works."}},
			Problems:    problems([]httpapi.Problem{providerNotFound}, providerFailed),
		}},
	}
}

func (h handlers) providers(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	all, err := h.Providers.List(ctx, r.Scope)
	page := httpapi.Page[providerView]{Items: make([]providerView, len(all))}
	for i, p := range all {
		page.Items[i] = h.viewOf(p)
	}
	return httpapi.OK(page), err
}

func (h handlers) fields(context.Context, *httpapi.Request) (httpapi.Response, error) {
	return httpapi.OK(fieldList{sso.Fields().Describe()}), nil
}

// readDraft reads the fields and the secret.
func readDraft(r *httpapi.Request) (sso.Draft, error) {
	members, err := r.Members()
	if err != nil {
		return sso.Draft{}, err
	}
	var d sso.Draft
	var bad []fault.Field
	if raw, given := members[secretName]; given {
		var text string
		if raw.Kind() != '"' || json.Unmarshal(raw, &text) != nil {
			bad = append(bad, fault.Field{Field: secretName, Code: "type", Message: "This must be a text."})
		}
		d.Secret = &text
		delete(members, secretName)
	}
	patch, more := sso.Fields().ReadPatch(members)
	d.Patch = patch
	return d, httpapi.BadBody(append(bad, more...))
}

func (h handlers) create(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	d, err := readDraft(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	p, err := h.Providers.Create(ctx, r.Scope, d)
	return httpapi.Created("/api/sso-providers/"+p.ID, h.viewOf(p)).WithVersion(p.Version), err
}

func (h handlers) provider(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	p, err := h.Providers.Get(ctx, r.Scope.Env.ID, id)
	return httpapi.OK(h.viewOf(p)).WithVersion(p.Version), err
}

func (h handlers) change(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, version, err := idAndVersion(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	d, err := readDraft(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	p, err := h.Providers.Change(ctx, r.Scope, id, version, d)
	return httpapi.OK(h.viewOf(p)).WithVersion(p.Version), err
}

// idAndVersion reads the provider's id and the version of a change.
func idAndVersion(r *httpapi.Request) (string, int64, error) {
	id, err := r.ID("id")
	if err != nil {
		return "", 0, err
	}
	version, err := r.IfMatch()
	return id, version, err
}

func (h handlers) remove(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, version, err := idAndVersion(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.Providers.Delete(ctx, r.Scope, id, version)
}

func (h handlers) check(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.Providers.Check(ctx, r.Scope, id)
}
