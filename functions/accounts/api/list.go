package api

import (
	"context"
	"net/http"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/directory"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/httpapi"
)

// listRoutes are the routes that read many accounts, and describe what there is to read.
func (h handlers) listRoutes(answer httpapi.FieldsDoc) []httpapi.Route {
	sort := httpapi.Param{
		Name: "sort", Kind: httpapi.EnumParam, Choices: directory.Orders(), Default: directory.DefaultOrder,
		Help: "The field to sort by, with - before it for descending order. Accounts with the same value are in the order " +
			"of " +
			"usernames. Blank values come first. Texts are sorted without regard to case, by their first 256 bytes.",
	}
	return []httpapi.Route{
		{
			Key: "GET /api/accounts", Needs: access.AccountRead, Handle: h.list,
			Query: append([]httpapi.Param{httpapi.Limit(50, 200), httpapi.Cursor(), sort}, filterParams()...),
			Doc: httpapi.Operation{
				Tag: tag, ID: "listAccounts",
				Summary: "List accounts",
				Description: "All accounts that match every filter: by default the active ones, in the order of usernames. " +
					"Filters and order hold for the whole environment. " +
					"The pages of one list never show part of an import. A page can have fewer accounts than limit; the last page " +
					"has no next. " +
					"Texts are compared without regard to case and width.",
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.ListDoc{Name: "AccountPage", Of: answer}}},
			},
		},
		{
			Key: "GET /api/accounts/count", Needs: access.AccountRead, Handle: h.count, Query: filterParams(),
			Doc: httpapi.Operation{
				Tag: tag, ID: "countAccounts",
				Summary: "Count accounts", Description: "How many accounts the list shows with the same filters.",
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: countView{}}},
			},
		},
		{
			Key: "GET /api/accounts/fields", Needs: access.SignedIn, Handle: h.fields,
			Doc: httpapi.Operation{
				Tag: tag, ID: "describeAccountFields",
				Summary:     "Describe the fields of an account",
				Description: "What a form or a grid needs to show them: labels, help, kinds, bounds, default columns, filters.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: fieldList{}}},
			},
		},
	}
}

// filterParams declares the list's filters as query parameters.
func filterParams() []httpapi.Param {
	out := []httpapi.Param{
		{
			Name: directory.FindFilter, Kind: httpapi.TextParam, Min: 1, Max: directory.MaxFilterText, Example: "walker",
			Help: "Words, each of which is somewhere in username, name, email or mobile.",
		},
		{
			Name: directory.ActiveFilter, Kind: httpapi.EnumParam, Choices: []string{"true", "false", directory.ActiveAny},
			Default: "true",
			Help:    "Active accounts, locked ones, or any.",
		},
	}
	for _, f := range directory.Filters() {
		if f.Name != directory.ActiveFilter {
			out = append(out, filterParam(f))
		}
	}
	return out
}

func filterParam(f directory.FilterDef) httpapi.Param {
	p := httpapi.Param{Name: f.Name, Kind: httpapi.TextParam, Min: 1, Max: directory.MaxFilterText}
	switch f.Op {
	case directory.FilterContains:
		p.Help = "contains this text."
	case directory.FilterEmpty:
		p.Kind, p.Help = httpapi.BoolParam, "is blank (true), or not (false)."
	case directory.FilterFrom, directory.FilterTo:
		p.Kind = map[field.Kind]httpapi.ParamKind{field.Number: httpapi.NumberParam, field.Day: httpapi.DateParam,
			field.Instant: httpapi.InstantParam}[f.Field.Kind]
		p.Min, p.Max = 0, 0
		p.Help = map[directory.FilterOp]string{directory.FilterFrom: "is this or later. Blank ones do not match.",
			directory.FilterTo: "is this or earlier. Blank ones do not match."}[f.Op]
		if f.Field.Kind == field.Number {
			p.Help = map[directory.FilterOp]string{directory.FilterFrom: "is this or more.",
				directory.FilterTo: "is this or less."}[f.Op]
		}
	case directory.FilterEquals:
		p.Help = "is this."
		switch f.Field.Kind {
		case field.Bool:
			p.Kind, p.Help = httpapi.BoolParam, "is ticked (true), or not (false)."
		case field.Code, field.Codes:
			p.Kind, p.Min, p.Max = httpapi.CodesParam, 0, directory.MaxFilterCodes
			p.Help = "is or contains one of these codes, separated by commas. With a semicolon in the value, semicolons " +
				"separate: put one behind a code that contains a comma."
		case field.Choice:
			p.Kind, p.Min, p.Max = httpapi.CodesParam, 0, directory.MaxFilterCodes
			for _, o := range f.Field.Choices {
				p.Choices = append(p.Choices, o.Value)
			}
			p.Help = "is one of these, separated by commas: " + strings.Join(p.Choices, ", ") +
				". Without active, locked accounts are listed too then."
		default: // texts, with the help above
		}
	}
	p.Help = f.Field.Label + " " + p.Help
	return p
}

// filterTexts returns the texts of the filters that a request came with.
func filterTexts(r *httpapi.Request) map[string]string {
	out := map[string]string{}
	for _, p := range filterParams() {
		if r.HasQuery(p.Name) {
			out[p.Name] = r.Query(p.Name)
		}
	}
	return out
}

// filter reads the filters of a request's query.
func filter(r *httpapi.Request) (directory.Filter, error) {
	f, faults := directory.ParseFilter(filterTexts(r))
	if len(faults) > 0 {
		return directory.Filter{}, fault.New(fault.Malformed, "query",
			"Some query parameters are invalid; see `fields`.").WithFields(faults...)
	}
	return f, nil
}

// listCursor is the position in the list, and the imports that the first page saw.
type listCursor struct {
	After   directory.Position   `json:"a"`
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
	q := directory.Query{After: at.After}
	if q.Filter, err = filter(r); err != nil {
		return httpapi.Response{}, err
	}
	q.Order, _ = directory.ParseOrder(r.Query("sort")) // one of its choices
	return httpapi.FitPage(r.QueryInt("limit"), func(limit int) (httpapi.Page[view], error) {
		q.Limit = limit
		found, next, err := h.Directory.Search(ctx, r.Scope, q)
		if err != nil {
			return httpapi.Page[view]{}, err
		}
		page := httpapi.Page[view]{Items: make([]view, len(found))}
		for i, a := range found {
			page.Items[i] = view{h.Accounts.Shown(r.Scope, a)}
		}
		if next != nil {
			page.Next, err = httpapi.SealCursor(r, listCursor{After: *next, Imports: r.Scope.Env.Imports})
		}
		return page, err
	})
}

type countView struct {
	Count int `json:"count"`
}

func (h handlers) count(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	f, err := filter(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	n, err := h.Directory.Count(ctx, r.Scope, f)
	return httpapi.OK(countView{n}), err
}

type fieldList struct {
	Items    []fieldView     `json:"items"`
	Sections []field.Section `json:"sections" help:"The groups of fields on a form, in order."`
}

// fieldView is a field as a grid needs it.
type fieldView struct {
	field.Meta
	Filters  []directory.FilterOp `json:"filters" enum:"equals|contains|from|to|empty" help:"How the list can be filtered by it: equals by the parameter of its name, the others by name.contains and so on."`
	Sortable bool                 `json:"sortable" help:"Whether the list can be sorted by it."`
}

func (h handlers) fields(context.Context, *httpapi.Request) (httpapi.Response, error) {
	out := fieldList{Sections: account.Sections()}
	for _, m := range account.Fields().Describe() {
		out.Items = append(out.Items, fieldView{m, directory.FilterOps(m.Kind), true})
	}
	return httpapi.OK(out), nil
}
