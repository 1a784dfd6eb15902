package api

import (
	"context"
	"net/http"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/sets"
)

const setsTag = "Sets"

// SetRoutes returns the routes of Sets. They need the permission of the only grid so far: to read accounts.
func SetRoutes(service *sets.Service) []httpapi.Route {
	h := setHandlers{service}
	one := []httpapi.Answer{{Status: http.StatusOK, Body: setView{}, ETag: true}}
	share := httpapi.Problem{Kind: fault.Forbidden, Code: "forbidden",
		When: "Sharing it needs the permission set.share."}
	notOwner := httpapi.Problem{Kind: fault.Forbidden, Code: "notOwner",
		When: "Somebody else owns the Set, and you are not an administrator."}
	tooMany := httpapi.Problem{Kind: fault.Conflict, Code: "tooManySets",
		When: "You already have 100 Sets, or there are 500 shared ones."}
	invalid := httpapi.Problem{Kind: fault.Invalid, Code: "invalid",
		When: "A name, column, filter or order is invalid; see `fields`."}
	busy := httpapi.Problem{Kind: fault.Conflict, Code: "busy",
		When: "Others are changing it at the same time. Try again."}
	return []httpapi.Route{
		{
			Key: "GET /api/sets", Needs: access.AccountRead, Handle: h.list,
			Query: []httpapi.Param{
				{Name: "grid", Kind: httpapi.EnumParam, Choices: []string{sets.Accounts}, Help: "Only those of this grid."},
				httpapi.Limit(50, 200), httpapi.Cursor(),
			},
			Doc: httpapi.Operation{
				Tag: setsTag, ID: "listSets",
				Summary:     "List Sets",
				Description: "Your own and those that others share, by name.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.Page[setView]{}}},
			},
		},
		{
			Key: "POST /api/sets", Needs: access.AccountRead, Idempotent: true, Handle: h.create,
			Doc: httpapi.Operation{
				Tag: setsTag, ID: "createSet",
				Summary: "Save a Set", Description: "It is private unless you share it. A person can have 100.",
				Body:     createSetBody{},
				Answers:  []httpapi.Answer{{Status: http.StatusCreated, Body: setView{}, ETag: true, Location: true}},
				Problems: []httpapi.Problem{share, tooMany, busy, invalid},
			},
		},
		{
			Key: "GET /api/sets/{id}", Needs: access.AccountRead, Handle: h.get,
			Doc: httpapi.Operation{Tag: setsTag, ID: "getSet",
				Summary: "Read a Set", Answers: one},
		},
		{
			Key: "PATCH /api/sets/{id}", Needs: access.AccountRead, Handle: h.change,
			Doc: httpapi.Operation{
				Tag: setsTag, ID: "changeSet",
				Summary: "Change a Set", IfMatch: true,
				Description: "Members that are left out stay as they are. The owner and administrators can change it. Everybody " +
					"chooses their own default, one for each grid.",
				Body: changeSetBody{}, Answers: one,
				Problems: []httpapi.Problem{share, notOwner, tooMany, busy, invalid},
			},
		},
		{
			Key: "DELETE /api/sets/{id}", Needs: access.AccountRead, Handle: h.remove,
			Doc: httpapi.Operation{
				Tag: setsTag, ID: "deleteSet",
				Summary: "Delete a Set", IfMatch: true,
				Answers: []httpapi.Answer{{Status: http.StatusNoContent}}, Problems: []httpapi.Problem{notOwner, busy},
			},
		},
	}
}

type setHandlers struct{ sets *sets.Service }

type createSetBody struct {
	Name    string             `json:"name" help:"Its name." minLength:"1" maxLength:"80" example:"Leavers"`
	Grid    string             `json:"grid" enum:"accounts"`
	Columns []sets.Column      `json:"columns" help:"The columns, in order." maxItems:"60" example:"[{\"field\":\"username\",\"width\":180},{\"field\":\"name\"}]"`
	Filters *map[string]string `json:"filters,omitzero" help:"The filters, as query parameters of the list." example:"{\"userType\":\"TEAM\"}"`
	Sort    *string            `json:"sort,omitzero" help:"The order, as the query parameter of the list." example:"-lastLogin"`
	Shared  *bool              `json:"shared,omitzero" help:"Whether everybody who may list accounts sees it. Needs the permission set.share."`
	Default *bool              `json:"default,omitzero" help:"Whether it is your default."`
}

type changeSetBody struct {
	Name    *string            `json:"name,omitzero" help:"Its name." minLength:"1" maxLength:"80" example:"Leavers"`
	Columns *[]sets.Column     `json:"columns,omitzero" help:"The columns, in order."`
	Filters *map[string]string `json:"filters,omitzero" help:"The filters, as query parameters of the list." example:"{\"userType\":\"TEAM\"}"`
	Sort    *string            `json:"sort,omitzero" help:"The order, as the query parameter of the list." example:"-lastLogin"`
	Shared  *bool              `json:"shared,omitzero" help:"Whether everybody who may list accounts sees it. Needs the permission set.share."`
	Default *bool              `json:"default,omitzero" help:"Whether it is your default."`
}

type setView struct {
	ID        string            `json:"id"`
	Version   int64             `json:"version" help:"The number in the Set's ETag, to change or delete it by."`
	Name      string            `json:"name"`
	Grid      string            `json:"grid" enum:"accounts"`
	Columns   []sets.Column     `json:"columns"`
	Filters   map[string]string `json:"filters"`
	Sort      string            `json:"sort"`
	Shared    bool              `json:"shared"`
	Default   bool              `json:"default" help:"Whether it is your default."`
	Own       bool              `json:"own" help:"Whether you own it."`
	Owner     string            `json:"owner" help:"The owner's username."`
	ChangedAt time.Time         `json:"changedAt"`
	ChangedBy string            `json:"changedBy"`
}

func viewOfSet(v sets.View) setView {
	return setView{
		ID: v.ID, Version: versionOfSet(v), Name: v.Name, Grid: v.Grid, Columns: v.Columns, Filters: v.Filters,
		Sort: v.Sort, Shared: v.Shared, Default: v.Default, Own: v.Own, Owner: v.Owner, ChangedAt: v.ChangedAt,
		ChangedBy: v.ChangedBy,
	}
}

// versionOfSet is what a client sends back as If-Match. It has the Set's stored version, and whether the Set is the
// caller's default, which changes without a new one.
func versionOfSet(v sets.View) int64 {
	if v.Default {
		return 2*v.Version + 1
	}
	return 2 * v.Version
}

func answerSet(v sets.View, err error) (httpapi.Response, error) {
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(viewOfSet(v)).WithVersion(versionOfSet(v)), nil
}

func (h setHandlers) list(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	at, resumed, err := httpapi.OpenCursor[sets.Position](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	after := &at
	if !resumed {
		after = nil
	}
	return httpapi.FitPage(r.QueryInt("limit"), func(limit int) (httpapi.Page[setView], error) {
		found, next, err := h.sets.List(ctx, r.Scope, r.Query("grid"), after, limit)
		if err != nil {
			return httpapi.Page[setView]{}, err
		}
		page := httpapi.Page[setView]{Items: make([]setView, len(found))}
		for i, v := range found {
			page.Items[i] = viewOfSet(v)
		}
		if next != nil {
			page.Next, err = httpapi.SealCursor(r, *next)
		}
		return page, err
	})
}

func (h setHandlers) create(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in createSetBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	v, err := h.sets.Create(ctx, r.Scope, sets.Patch{
		Name: &in.Name, Grid: &in.Grid, Columns: &in.Columns, Filters: in.Filters, Sort: in.Sort, Shared: in.Shared,
		Default: in.Default,
	})
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Created("/api/sets/"+v.ID, viewOfSet(v)).WithVersion(versionOfSet(v)), nil
}

func (h setHandlers) get(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return answerSet(h.sets.Get(ctx, r.Scope, id))
}

// setAndVersion reads which Set a request changes, and which version of it.
func setAndVersion(r *httpapi.Request) (id string, version int64, err error) {
	if id, err = r.ID("id"); err != nil {
		return "", 0, err
	}
	tag, err := r.IfMatch()
	return id, tag / 2, err
}

func (h setHandlers) change(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, version, err := setAndVersion(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	var in changeSetBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return answerSet(h.sets.Change(ctx, r.Scope, id, version, sets.Patch{
		Name: in.Name, Columns: in.Columns, Filters: in.Filters, Sort: in.Sort, Shared: in.Shared, Default: in.Default,
	}))
}

func (h setHandlers) remove(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, version, err := setAndVersion(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.sets.Delete(ctx, r.Scope, id, version)
}
