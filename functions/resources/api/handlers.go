package api

import (
	"context"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/resource"
	"useraccounts/internal/staffing"
)

type handlers struct {
	resources *resource.Service
	staff     *staffing.Service
}

// resourceHead is what a resource shows besides its fields.
type resourceHead struct {
	Version int64 `json:"version" help:"Rises with every change; the ETag holds it."`
}

// previewFlag is the member of Create resource that is not a field.
type previewFlag struct {
	Preview bool `json:"preview,omitzero" help:"Only show what would be created."`
}

// resetFlag is the member of a change that is not a field.
type resetFlag struct {
	ResetFromGroup bool `json:"resetFromGroup,omitzero" help:"Reset from resource group: its defaults replace the present values."`
}

// view is a resource in JSON, by the field table.
type view struct{ resource.Resource }

// MarshalJSONTo implements json.MarshalerTo.
func (v view) MarshalJSONTo(enc *jsontext.Encoder) error {
	for _, t := range []jsontext.Token{jsontext.BeginObject, jsontext.String("version"), jsontext.Int(v.Version)} {
		if err := enc.WriteToken(t); err != nil {
			return err
		}
	}
	if err := resource.Fields().AppendJSON(enc, &v.Resource); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndObject)
}

type fieldList struct {
	Items    []field.Meta    `json:"items"`
	Sections []field.Section `json:"sections" help:"The groups of fields on a form, in order."`
}

func (h handlers) fields(context.Context, *httpapi.Request) (httpapi.Response, error) {
	return httpapi.OK(fieldList{resource.Fields().Describe(), resource.Sections()}), nil
}

// listCursor is the position in the list, and the imports that the first page saw.
type listCursor struct {
	After   string               `json:"a"`
	Imports environment.Snapshot `json:"i"`
}

func (h handlers) list(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	at, resumed, err := httpapi.OpenCursor[listCursor](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if resumed {
		r.Scope.Env.Imports = at.Imports // every page of a list sees the same imports
	}
	filter := resource.Filter{Find: r.Query("find"), Group: r.Query("group")}
	if r.HasQuery("active") {
		filter.Active = new(r.QueryBool("active"))
	}
	return httpapi.FitPage(r.QueryInt("limit"), func(limit int) (httpapi.Page[view], error) {
		found, next, err := h.resources.List(ctx, r.Scope, filter, at.After, limit)
		if err != nil {
			return httpapi.Page[view]{}, err
		}
		page := httpapi.Page[view]{Items: make([]view, len(found))}
		for i, resource := range found {
			page.Items[i] = view{resource}
		}
		if next != "" {
			page.Next, err = httpapi.SealCursor(r, listCursor{After: next, Imports: r.Scope.Env.Imports})
		}
		return page, err
	})
}

// patch reads a body by a field table, and the one flag that it may have. A read-only field is refused, not ignored
// (V59).
func patch(r *httpapi.Request, table field.Table[resource.Resource], flag string) (p field.Patch, set bool, err error) {
	members, err := r.Members()
	if err != nil {
		return nil, false, err
	}
	var faults []fault.Field
	if raw, given := members[flag]; given && flag != "" {
		if raw.Kind() == 'n' || json.Unmarshal(raw, &set) != nil {
			faults = append(faults, fault.Field{Field: flag, Code: "type", Message: "This must be true or false."})
		}
		delete(members, flag)
	}
	p, invalid := table.ReadPatch(members)
	faults = append(faults, invalid...)
	for name := range p {
		if d := table.Find(name); d.ReadOnly {
			faults = append(faults,
				fault.Field{Field: name, Code: "readOnly", Message: d.Label + " cannot be set here; leave it out."})
		}
	}
	return p, set, httpapi.BadBody(faults)
}

func (h handlers) create(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	p, _, err := patch(r, resource.Fields(), "")
	if err != nil {
		return httpapi.Response{}, err
	}
	return createdAnswer(h.resources.Create(ctx, r.Scope, p))
}

func (h handlers) createForAccount(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	p, preview, err := patch(r, resource.ForAccountFields(), "preview")
	if err != nil {
		return httpapi.Response{}, err
	}
	if preview {
		preview, err := h.staff.Preview(ctx, r.Scope, id, p)
		return httpapi.OK(view{preview}), err
	}
	return createdAnswer(h.staff.Create(ctx, r.Scope, id, p))
}

func createdAnswer(created resource.Resource, err error) (httpapi.Response, error) {
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Created("/api/resources/"+url.PathEscape(created.Code), view{created}).WithVersion(created.Version), nil
}

func (h handlers) get(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	return answer(h.resources.Get(ctx, r.Scope, r.Param("code")))
}

func (h handlers) change(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	version, err := r.IfMatch()
	if err != nil {
		return httpapi.Response{}, err
	}
	p, reset, err := patch(r, resource.ChangeFields(), "resetFromGroup")
	if err != nil {
		return httpapi.Response{}, err
	}
	return answer(h.resources.Change(ctx, r.Scope, r.Param("code"), version, p, reset))
}

func (h handlers) lock(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	return h.setActive(ctx, r, false)
}

func (h handlers) unlock(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	return h.setActive(ctx, r, true)
}

func (h handlers) setActive(ctx context.Context, r *httpapi.Request, active bool) (httpapi.Response, error) {
	version, err := r.IfMatchIfGiven()
	if err != nil {
		return httpapi.Response{}, err
	}
	return answer(h.resources.SetActive(ctx, r.Scope, r.Param("code"), version, active))
}

func (h handlers) delete(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	version, err := r.IfMatch()
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.resources.Delete(ctx, r.Scope, r.Param("code"), version)
}

func answer(found resource.Resource, err error) (httpapi.Response, error) {
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(view{found}).WithVersion(found.Version), nil
}
