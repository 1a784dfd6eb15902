package api

import (
	"context"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/reference"
)

type handlers struct {
	entries *reference.Service
	area    area
}

// entryHead is what an entry shows besides its fields.
type entryHead struct {
	Version int64 `json:"version" help:"Changes with every change; the ETag holds it."`
}

// view is an entry in JSON, by the field table of its kind.
type view struct{ reference.Entry }

// MarshalJSONTo implements json.MarshalerTo.
func (v view) MarshalJSONTo(enc *jsontext.Encoder) error {
	for _, t := range []jsontext.Token{jsontext.BeginObject, jsontext.String("version"), jsontext.Int(v.Version)} {
		if err := enc.WriteToken(t); err != nil {
			return err
		}
	}
	if err := reference.Fields(v.Kind).AppendJSON(enc, &v.Entry); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndObject)
}

type permissionList struct {
	Items []permissionView `json:"items"`
}

type permissionView struct {
	Permission access.Permission `json:"permission"`
	Allows     string            `json:"allows" help:"What it allows."`
}

func permissions(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	all, set := access.AllWithApplications(r.Scope.Catalogue), access.Set{}
	for p := range all {
		set[p] = struct{}{}
	}
	var out permissionList
	for _, p := range set.Sorted() {
		out.Items = append(out.Items, permissionView{p, all[p]})
	}
	return httpapi.OK(out), nil
}

// kindList describes every kind of an area.
type kindList struct {
	Items []kindView `json:"items"`
}

type kindView struct {
	Kind     string          `json:"kind" help:"The kind, as in the path." example:"roles"`
	Fields   []field.Meta    `json:"fields"`
	Sections []field.Section `json:"sections" help:"The groups of fields on a form, in order."`
}

func (h handlers) fields(context.Context, *httpapi.Request) (httpapi.Response, error) {
	var out kindList
	for _, slug := range h.area.kinds.Slugs {
		fields := reference.Fields(h.area.kinds.Kinds[slug]).Describe()
		out.Items = append(out.Items, kindView{slug, fields, field.UsedSections(fields, reference.Sections())})
	}
	return httpapi.OK(out), nil
}

// kind returns the kind in the path; NotFound for any other text.
func (h handlers) kind(r *httpapi.Request) (catalogue.Kind, error) {
	if h.area.single {
		return h.area.kinds.Kinds[h.area.kinds.Slugs[0]], nil
	}
	kind, ok := h.area.kinds.Kinds[r.Param("kind")]
	if !ok {
		return "", fault.New(fault.NotFound, "notFound", "There is no such kind of reference data; the kinds are %s.",
			strings.Join(h.area.kinds.Slugs, ", "))
	}
	return kind, nil
}

func (h handlers) list(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	kind, err := h.kind(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	after, _, err := httpapi.OpenCursor[string](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	filter := reference.Filter{Find: r.Query("find"), After: after}
	if r.HasQuery("active") {
		active := r.QueryBool("active")
		filter.Active = &active
	}
	return httpapi.FitPage(r.QueryInt("limit"), func(limit int) (httpapi.Page[view], error) {
		filter.Limit = limit
		found, next := h.entries.List(r.Scope, kind, filter)
		page := httpapi.Page[view]{Items: make([]view, len(found))}
		for i, e := range found {
			page.Items[i] = view{e}
		}
		if next != "" {
			page.Next, err = httpapi.SealCursor(r, next)
		}
		return page, err
	})
}

// patch reads a body by the field table of a kind. A read-only field is refused, not ignored (V59).
func patch(r *httpapi.Request, table field.Table[reference.Entry]) (field.Patch, error) {
	members, err := r.Members()
	if err != nil {
		return nil, err
	}
	p, faults := table.ReadPatch(members)
	for name := range p {
		if d := table.Find(name); d.ReadOnly {
			faults = append(faults,
				fault.Field{Field: name, Code: "readOnly", Message: d.Label + " cannot be changed; leave it out."})
		}
	}
	return p, httpapi.BadBody(faults)
}

func (h handlers) create(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	kind, err := h.kind(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	p, err := patch(r, reference.Fields(kind))
	if err != nil {
		return httpapi.Response{}, err
	}
	e, err := h.entries.Create(ctx, r.Scope, kind, p)
	if err != nil {
		return httpapi.Response{}, err
	}
	location := h.area.path + "/" + url.PathEscape(e.Code)
	if !h.area.single {
		location = h.area.path + "/" + r.Param("kind") + "/" + url.PathEscape(e.Code)
	}
	return httpapi.Created(location, view{e}).WithVersion(e.Version), nil
}

func (h handlers) get(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	kind, err := h.kind(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	return answer(h.entries.Get(r.Scope, kind, r.Param("code")))
}

func (h handlers) change(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	kind, err := h.kind(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	version, err := r.IfMatch()
	if err != nil {
		return httpapi.Response{}, err
	}
	p, err := patch(r, reference.ChangeFields(kind))
	if err != nil {
		return httpapi.Response{}, err
	}
	return answer(h.entries.Change(ctx, r.Scope, reference.Ref{Kind: kind, Code: r.Param("code"), Version: version}, p))
}

func (h handlers) delete(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	kind, err := h.kind(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	version, err := r.IfMatch()
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(),
		h.entries.Delete(ctx, r.Scope, reference.Ref{Kind: kind, Code: r.Param("code"), Version: version})
}

func answer(e reference.Entry, err error) (httpapi.Response, error) {
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(view{e}).WithVersion(e.Version), nil
}
