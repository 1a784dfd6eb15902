// Package api is the routes of the settings function: decode, call settings.Service, encode.
package api

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/settings"
)

const tag = "Environment defaults"

// Routes returns the route table over a service.
func Routes(service *settings.Service) []httpapi.Route {
	h := handlers{service}
	fields := settings.Fields().Describe()
	answer := httpapi.FieldsDoc{Name: "Settings", Fields: fields, Use: httpapi.ForAnswer, Extra: versionDoc{}}
	one := []httpapi.Answer{{Status: http.StatusOK, Body: answer, ETag: true}}
	return []httpapi.Route{
		{Key: "GET /api/settings", Needs: access.SettingsRead, Handle: h.get, Doc: httpapi.Operation{
			Tag: tag, ID: "getSettings",
			Summary: "Read the environment defaults", Answers: one,
		}},
		{Key: "PATCH /api/settings", Needs: access.SettingsWrite, Handle: h.change, Doc: httpapi.Operation{
			Tag: tag, ID: "changeSettings",
			Summary: "Change environment defaults", IfMatch: true,
			Description: "Fields that are left out stay as they are. Changes apply from the next request on. The answer to a " +
				"stale If-Match names the fields that changed since, who changed them and when.",
			Body:    httpapi.FieldsDoc{Name: "SettingsPatch", Fields: fields, Use: httpapi.ForPatch},
			Answers: one,
			Problems: []httpapi.Problem{
				{Kind: fault.Invalid, Code: "invalid", When: "A value is not allowed; see `fields`."}},
		}},
		{Key: "GET /api/settings/fields", Needs: access.SignedIn, Handle: h.fields, Doc: httpapi.Operation{
			Tag: tag, ID: "describeSettings",
			Summary:     "Describe the environment defaults",
			Description: "What a form needs: labels, help, kinds, bounds.",
			Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: fieldList{}}},
		}},
		{Key: "GET /api/settings/log", Needs: access.SettingsRead,
			Query: []httpapi.Param{httpapi.Limit(50, 200), httpapi.Cursor()}, Handle: h.log, Doc: httpapi.Operation{
				Tag: tag, ID: "listSettingsLog",
				Summary:     "List changes of the environment",
				Description: "Changes of settings and reference data, newest first, with old and new values.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.Page[auditlog.Event]{}}},
			}},
	}
}

type handlers struct{ settings *settings.Service }

// versionDoc documents the member besides the fields.
type versionDoc struct {
	Version int64 `json:"version" help:"Rises with every change. The ETag has it."`
}

type fieldList struct {
	Items    []field.Meta    `json:"items"`
	Sections []field.Section `json:"sections" help:"The groups of fields on a form, in order."`
}

// view writes the document as the field table says.
type view struct{ settings.Document }

// MarshalJSONTo implements json.MarshalerTo.
func (v view) MarshalJSONTo(enc *jsontext.Encoder) error {
	for _, t := range []jsontext.Token{jsontext.BeginObject, jsontext.String("version"), jsontext.Int(v.Version)} {
		if err := enc.WriteToken(t); err != nil {
			return err
		}
	}
	if err := settings.Fields().AppendJSON(enc, &v.Settings); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndObject)
}

func answer(d settings.Document) httpapi.Response { return httpapi.OK(view{d}).WithVersion(d.Version) }

func (h handlers) get(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	return answer(h.settings.Get(r.Scope)), nil
}

func (h handlers) change(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	version, err := r.IfMatch()
	if err != nil {
		return httpapi.Response{}, err
	}
	members, err := r.Members()
	if err != nil {
		return httpapi.Response{}, err
	}
	patch, bad := settings.Fields().ReadPatch(members)
	if err := httpapi.BadBody(bad); err != nil {
		return httpapi.Response{}, err
	}
	d, err := h.settings.Change(ctx, r.Scope, version, patch)
	if err != nil {
		return httpapi.Response{}, err
	}
	return answer(d), nil
}

func (h handlers) fields(context.Context, *httpapi.Request) (httpapi.Response, error) {
	return httpapi.OK(fieldList{settings.Fields().Describe(), settings.Sections()}), nil
}

func (h handlers) log(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	after, _, err := httpapi.OpenCursor[string](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.FitPage(r.QueryInt("limit"), func(limit int) (httpapi.Page[auditlog.Event], error) {
		events, next, err := h.settings.Log(ctx, r.Scope, after, limit)
		if err != nil {
			return httpapi.Page[auditlog.Event]{}, err
		}
		page := httpapi.Page[auditlog.Event]{Items: events}
		if next != "" {
			page.Next, err = httpapi.SealCursor(r, next)
		}
		return page, err
	})
}
