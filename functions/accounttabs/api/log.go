package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/resource"
)

const logTag = "Account log"

func (h handlers) logRoutes() []httpapi.Route {
	kinds := make([]string, 0, len(auditlog.Kinds()))
	for _, k := range auditlog.Kinds() {
		kinds = append(kinds, string(k))
	}
	filters := []httpapi.Param{
		{Name: "kind", Kind: httpapi.EnumParam, Choices: kinds, Help: "Only events of this kind."},
		{Name: "by", Kind: httpapi.TextParam, Min: 1, Max: account.MaxUsername,
			Help: "Only what this person did, by the username they had then, in any case.", Example: "doej"},
		{Name: "from", Kind: httpapi.InstantParam, Help: "Only from this instant, or this day (UTC).",
			Example: "2026-01-31T08:00:00Z"},
		{Name: "to", Kind: httpapi.InstantParam, Help: "Only up to this instant, or the end of this day (UTC).",
			Example: "2026-02-01T00:00:00Z"},
	}
	path := "/api/accounts/{id}/log"
	return []httpapi.Route{
		{
			Key: "GET " + path, Needs: access.AccountRead, Handle: h.log,
			Query: append([]httpapi.Param{httpapi.Limit(50, 200), httpapi.Cursor()}, filters...),
			Doc: httpapi.Operation{
				Tag: logTag, ID: "listAccountLog",
				Summary: "Read an account's log",
				Description: "Notes and events, newest first, with sign-ins and the ends of sessions. The last entry is the " +
					"account's creation. " +
					"With a filter, a page can be short or empty and still have a next. Entries are kept for as many days as the " +
					"environment defaults say.",
				Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.Page[logEntryView]{}}},
				Problems: []httpapi.Problem{notFoundProblem()},
			},
		},
		{
			Key: "GET " + path + "/export", Needs: access.AccountRead, Handle: h.exportLog, Query: filters,
			Doc: httpapi.Operation{
				Tag: logTag, ID: "exportAccountLog",
				Summary: "Export an account's log",
				Description: "The log as a CSV file in UTF-8, one record for each changed field. Text that a spreadsheet would " +
					"run " +
					"as a formula starts with a quote. " +
					"The file has the newest " + strconv.Itoa(auditlog.MaxExported) +
					" entries that match, or fewer if they are long. X-Log-Lines says how many. If X-Log-Complete is false there " +
					"are more; export them with an earlier to.",
				Answers: []httpapi.Answer{
					{Status: http.StatusOK, ContentType: "text/csv; charset=utf-8", Description: "The file."}},
				Problems: []httpapi.Problem{notFoundProblem()},
			},
		},
		{
			Key: "GET /api/accounts/log/kinds", Needs: access.SignedIn, Handle: h.kinds,
			Doc: httpapi.Operation{
				Tag: logTag, ID: "describeLogKinds",
				Summary:     "Describe the kinds of entries in a log",
				Description: "Every kind that a log can be filtered by, with its label.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: kindList{}}},
			},
		},
		{
			Key: "POST /api/accounts/{id}/notes", Needs: access.AccountNote, Idempotent: true, Handle: h.note,
			Doc: httpapi.Operation{
				Tag: logTag, ID: "writeNote",
				Summary: "Write a note into an account's log", Description: "Notes cannot be changed or deleted.",
				Body: noteBody{}, Answers: []httpapi.Answer{{Status: http.StatusCreated, Body: logEntryView{}, Location: true}},
				Problems: []httpapi.Problem{notFoundProblem(), administratorProblem(),
					invalidProblem("The note is blank or too long, or it contains control characters.")},
			},
		},
	}
}

type noteBody struct {
	Text string `json:"text" help:"The note; it can have several lines." minLength:"1" maxLength:"2000" example:"Called about the new phone."`
}

// kindList is every kind of entry.
type kindList struct {
	Items []kindView `json:"items"`
}

type kindView struct {
	Kind string `json:"kind"`
	Text string `json:"text" help:"The label of the kind."`
}

func (h handlers) kinds(context.Context, *httpapi.Request) (httpapi.Response, error) {
	var out kindList
	for _, k := range auditlog.Kinds() {
		out.Items = append(out.Items, kindView{string(k), k.Label()})
	}
	return httpapi.OK(out), nil
}

// logEntryView is one entry of the log.
type logEntryView struct {
	ID      string       `json:"id" help:"The id of the entry."`
	At      time.Time    `json:"at" help:"UTC."`
	Kind    string       `json:"kind"`
	Text    string       `json:"text" help:"The label of the kind."`
	By      string       `json:"by" help:"The username that did it, as it was then; empty for the system."`
	ByID    string       `json:"byId,omitzero" help:"That account's id."`
	Note    string       `json:"note,omitzero" help:"The note, or a reason."`
	Changes []changeView `json:"changes,omitzero"`
	Subject string       `json:"subject,omitzero" help:"What was changed, if it is not the account itself."`
	Job     string       `json:"job,omitzero" help:"The import that did it."`
	Row     int          `json:"row,omitzero" help:"The row of the import's sheet."`
	APIKey  string       `json:"apiKey,omitzero" help:"The id of the API key that was changed or used."`
	Session string       `json:"session,omitzero" help:"The id of the session that started or ended."`
	Client  string       `json:"client,omitzero" help:"The client application of the session."`
	Agent   string       `json:"userAgent,omitzero"`
	Address string       `json:"address,omitzero" help:"Network address."`
}

type changeView struct {
	Field string `json:"field"`
	Label string `json:"label" help:"The label of the field."`
	From  any    `json:"from" help:"The old value, null for none."`
	To    any    `json:"to" help:"The new value, null for none."`
}

func newLogEntryView(e auditlog.Entry) logEntryView {
	v := logEntryView{
		ID: e.ID, At: e.At, Kind: string(e.Kind), Text: e.Kind.Label(), By: e.By, ByID: e.ByID, Note: e.Note,
		Subject: e.Subject, Job: e.Job, Row: e.Row, APIKey: e.Key,
		Session: e.Session, Client: e.Client, Agent: e.UserAgent, Address: e.Address,
	}
	for _, c := range e.Changes {
		v.Changes = append(v.Changes, changeView{Field: c.Field, Label: fieldLabel(e.Event, c.Field), From: c.From, To: c.To})
	}
	return v
}

// fieldLabel returns the label of a field of the account or resource that an event is about.
func fieldLabel(e auditlog.Event, name string) string {
	if strings.HasPrefix(e.Subject, "resource/") {
		if d := resource.Fields().Find(name); d != nil {
			return d.Label
		}
	}
	return account.FieldLabel(name)
}

// readLogRequest returns the owner of the log and the filter of a request.
func (h handlers) readLogRequest(ctx context.Context, r *httpapi.Request) (auditlog.Owner, auditlog.Filter, error) {
	id, err := r.ID("id")
	if err != nil {
		return auditlog.Owner{}, auditlog.Filter{}, err
	}
	f := auditlog.Filter{Kind: auditlog.Kind(r.Query("kind")), By: r.Query("by"), From: instantParam(r, "from", 0),
		To: instantParam(r, "to", wholeDay)}
	a, err := h.Accounts.Get(ctx, r.Scope, id)
	return auditlog.Owner{ID: a.ID, Username: a.Username}, f, err
}

// wholeDay is from the first to the last millisecond of a day.
const wholeDay = 24*time.Hour - time.Millisecond

// instantParam returns an instant of the query, zero if it is not given. For a day it is that long after the day
// starts.
func instantParam(r *httpapi.Request, name string, after time.Duration) time.Time {
	if day, err := time.Parse(time.DateOnly, r.Query(name)); err == nil {
		return day.Add(after)
	}
	at, _ := time.Parse(time.RFC3339, r.Query(name)) // checked before the handler ran
	return at
}

func (h handlers) log(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	owner, filter, err := h.readLogRequest(ctx, r)
	if err != nil {
		return httpapi.Response{}, err
	}
	position, resumed, err := httpapi.OpenCursor[auditlog.Position](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	var after *auditlog.Position
	if resumed {
		after = &position
	}
	return httpapi.FitPage(r.QueryInt("limit"), func(limit int) (httpapi.Page[logEntryView], error) {
		found, err := h.Log.Page(ctx, r.Scope.Env, owner, filter, after, limit)
		if err != nil {
			return httpapi.Page[logEntryView]{}, err
		}
		page := httpapi.Page[logEntryView]{Items: make([]logEntryView, len(found.Entries))}
		for i, e := range found.Entries {
			page.Items[i] = newLogEntryView(e)
		}
		if found.Next != nil {
			page.Next, err = httpapi.SealCursor(r, *found.Next)
		}
		return page, err
	})
}

func (h handlers) exportLog(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	owner, filter, err := h.readLogRequest(ctx, r)
	if err != nil {
		return httpapi.Response{}, err
	}
	out, err := h.Log.Export(ctx, r.Scope.Env, owner, filter, fieldLabel)
	if err != nil {
		return httpapi.Response{}, err
	}
	response := httpapi.Raw("text/csv; charset=utf-8", out.CSV).
		WithHeader("Content-Disposition", `attachment; filename="log-`+owner.ID+`.csv"`).
		WithHeader("X-Log-Lines", strconv.Itoa(out.Entries)).
		WithHeader("X-Log-Complete", strconv.FormatBool(out.Complete))
	return response, nil
}

func (h handlers) note(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	var in noteBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	e, err := h.Notes.Add(ctx, r.Scope, id, in.Text)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Created("/api/accounts/"+id+"/log", newLogEntryView(auditlog.Entry{Event: e})), nil
}
