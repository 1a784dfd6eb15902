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

// providerHead is what a provider shows besides its fields.
type providerHead struct {
	ID          string    `json:"id"`
	Version     int64     `json:"version" help:"Rises with every change; the ETag holds it."`
	HasSecret   bool      `json:"hasSecret" help:"Whether a client secret is kept. It is never shown."`
	RedirectURL string    `json:"redirectUrl" help:"The address to return to, to be registered with the provider exactly so."`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

// secretMember is what a provider takes besides its fields.
type secretMember struct {
	ClientSecret string `json:"clientSecret,omitzero" maxLength:"1000" help:"The client's secret, sealed and never shown. Left out it stays as it is; empty takes it away."`
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
	}{{"id", v.head.ID}, {"version", v.head.Version}, {"hasSecret", v.head.HasSecret}, {"redirectUrl", v.head.RedirectURL},
		{"createdAt", v.head.CreatedAt}, {"updatedAt", v.head.UpdatedAt}} {
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
	invalid := httpapi.Problem{Kind: fault.Invalid, Code: "invalid",
		When: "A field breaks a rule; the fields say which and how to mend it."}
	linked := httpapi.Problem{Kind: fault.Conflict, Code: "linked", When: "People are linked to it."}
	return []httpapi.Route{
		{Key: "GET /api/sso-providers", Needs: access.SettingsRead, Handle: h.providers, Doc: httpapi.Operation{
			Tag: tag, Summary: "List providers", Description: "All of them, twenty at most, those that are turned off too.",
			Answers: []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.ListDoc{Name: "SsoProviderList", Of: doc}}},
		}},
		{Key: "POST /api/sso-providers", Needs: access.SettingsWrite, Idempotent: true, Handle: h.create,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Add a provider",
				Description: "People can sign in by it once it is enabled and they are linked.",
				Body: httpapi.FieldsDoc{Name: "SsoProviderNew", Fields: fields, Use: httpapi.ForCreate,
					Extra: secretMember{}},
				Answers:  []httpapi.Answer{{Status: http.StatusCreated, Body: doc, ETag: true, Location: true}},
				Problems: []httpapi.Problem{invalid, {Kind: fault.Conflict, Code: "tooMany", When: "There are twenty."}},
			}},
		{Key: "GET /api/sso-providers/fields", Needs: access.SettingsRead, Handle: h.fields, Doc: httpapi.Operation{
			Tag: tag, Summary: "Describe the fields of providers",
			Answers: []httpapi.Answer{{Status: http.StatusOK, Body: fieldList{}}},
		}},
		{Key: "GET /api/sso-providers/{id}", Needs: access.SettingsRead, Handle: h.provider, Doc: httpapi.Operation{
			Tag: tag, Summary: "Read a provider", Answers: []httpapi.Answer{one}, Problems: []httpapi.Problem{providerNotFound},
		}},
		{Key: "PATCH /api/sso-providers/{id}", Needs: access.SettingsWrite, Handle: h.change, Doc: httpapi.Operation{
			Tag: tag, Summary: "Change a provider", IfMatch: true,
			Description: "Fields left out stay as they are. Turning it off refuses the next sign-in and those that are at " +
				"the provider just now; open sessions go on.",
			Body: httpapi.FieldsDoc{Name: "SsoProviderPatch", Fields: fields, Use: httpapi.ForPatch,
				Extra: secretMember{}},
			Answers: []httpapi.Answer{one}, Problems: []httpapi.Problem{providerNotFound, invalid},
		}},
		{Key: "DELETE /api/sso-providers/{id}", Needs: access.SettingsWrite, Handle: h.remove, Doc: httpapi.Operation{
			Tag: tag, Summary: "Delete a provider that nobody is linked to", IfMatch: true,
			Answers: []httpapi.Answer{{Status: http.StatusNoContent}}, Problems: []httpapi.Problem{providerNotFound, linked},
		}},
		{Key: "POST /api/sso-providers/{id}/check", Needs: access.SettingsWrite, Handle: h.check, Doc: httpapi.Operation{
			Tag: tag, Summary: "Check a provider",
			Description: "Asks it for its description and its keys, as the first sign-in would.",
			Answers:     []httpapi.Answer{{Status: http.StatusNoContent, Description: "It answers as it should."}},
			Problems:    []httpapi.Problem{providerNotFound, providerFailed},
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

// readDraft reads the fields and, apart from them, the secret.
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

// idAndVersion reads which provider a change is of, and which version.
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
