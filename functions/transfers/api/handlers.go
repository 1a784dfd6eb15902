package api

import (
	"context"
	"time"

	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/sets"
	"useraccounts/internal/sheet"
	"useraccounts/internal/transfer"
)

type handlers struct {
	transfers *transfer.Service
	sets      *sets.Service
}

type importBody struct {
	SkipErrors bool   `json:"skipErrors,omitzero" help:"Import the right rows and leave the wrong ones out."`
	DateFormat string `json:"dateFormat" help:"How dates that are text are written in the sheet: dd/MM/yyyy, dd.MM.yyyy, MM/dd/yyyy or yyyy-MM-dd." enum:"british|european|american|iso"`
	Queue      bool   `json:"queue,omitzero" help:"Wait until all jobs that were submitted before have ended, instead of starting at once."`
	DryRun     bool   `json:"dryRun,omitzero" help:"Check the rows and tell what each would change, and change nothing."`

	ResetFromGroup bool   `json:"resetFromGroup,omitzero" help:"Give the resources of the rows the defaults of their resource group again; a filled cell wins."`
	ResourceGroup  string `json:"resourceGroup,omitzero" help:"Code of the resource group of new resources whose row names none." maxLength:"50"`
	CopyRolesFrom  string `json:"copyRolesFrom,omitzero" help:"Username of an account whose roles new accounts get where their row names none." maxLength:"50"`
}

type exportBody struct {
	DateFormat string `json:"dateFormat" help:"How the sheet shows dates." enum:"british|european|american|iso"`
	Queue      bool   `json:"queue,omitzero" help:"Wait until all jobs that were submitted before have ended, instead of starting at once."`

	Filters map[string]string `json:"filters,omitzero" help:"Export the accounts that the list shows with these query parameters. Without filters, set and ids all accounts are exported, locked ones too."`
	Set     string            `json:"set,omitzero" help:"Id of a Set, one's own or shared: its filters as they are now."`
	IDs     []string          `json:"ids,omitzero" help:"Export these accounts, at most 1,000."`
}

// jobView is a job as people see it.
type jobView struct {
	ID             string            `json:"id"`
	Kind           transfer.Kind     `json:"kind" enum:"import|export|undo"`
	State          transfer.State    `json:"state" enum:"created|submitted|checking|writing|rollingBack|done|refused|cancelled|failed" help:"done, refused, cancelled and failed are ends; only done changed anything."`
	SkipErrors     bool              `json:"skipErrors"`
	DateFormat     string            `json:"dateFormat" enum:"british|european|american|iso"`
	Queue          bool              `json:"queue"`
	DryRun         bool              `json:"dryRun,omitzero"`
	ResetFromGroup bool              `json:"resetFromGroup,omitzero"`
	ResourceGroup  string            `json:"resourceGroup,omitzero"`
	CopyRolesFrom  string            `json:"copyRolesFrom,omitzero"`
	Filters        map[string]string `json:"filters,omitzero"`
	Set            string            `json:"set,omitzero" help:"Name of the Set that an export's filters are from."`
	Chosen         int               `json:"chosen,omitzero" help:"How many accounts an export was asked for by their ids."`
	By             string            `json:"by" help:"Username of who began it."`
	Created        time.Time         `json:"created"`
	Submitted      *time.Time        `json:"submitted,omitzero"`
	Ended          *time.Time        `json:"ended,omitzero"`
	DurationMS     int64             `json:"durationMs,omitzero" help:"From the submit to the end."`
	Counts         transfer.Counts   `json:"counts"`
	Progress       progressView      `json:"progress"`
	Problem        *transfer.Problem `json:"problem,omitzero" help:"Why it was refused or failed as a whole."`
	Sheets         []string          `json:"otherSheets,omitzero" help:"Worksheets of the file that were left alone."`
	HiddenSheet    bool              `json:"hiddenSheet,omitzero" help:"The first worksheet, which was read, is a hidden one."`
	Sheet          bool              `json:"sheet" help:"The uploaded sheet is there with the result of each row: GET /api/jobs/{id}/sheet."`
	Files          int               `json:"files,omitzero" help:"How many files an export made."`
	UndoableUntil  *time.Time        `json:"undoableUntil,omitzero" help:"Until when the import can be undone: POST /api/jobs/{id}/undo."`
	UndoneBy       string            `json:"undoneBy,omitzero" help:"Id of the job that undid the import."`
	Undoes         string            `json:"undoes,omitzero" help:"Id of the import that this job undoes."`
}

type progressView struct {
	Total   int `json:"total" help:"Rows read of the sheet, or exported so far."`
	Checked int `json:"checked" help:"Rows checked."`
	Written int `json:"written" help:"Rows gone through for writing; of an import none counts before the job is done."`
}

type formView struct {
	URL     string            `json:"url"`
	Fields  map[string]string `json:"fields" help:"Send each as a part of the form, then the file as the part file, last."`
	Expires time.Time         `json:"expires"`
}

type begunView struct {
	Job  jobView  `json:"job"`
	Form formView `json:"form"`
}

type linkView struct {
	Name    string    `json:"name"`
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
}

type linksView struct {
	Items []linkView `json:"items"`
}

func (h handlers) view(j transfer.Job) jobView { return newJobView(j, h.transfers.Now()) }

func newJobView(j transfer.Job, now time.Time) jobView {
	v := jobView{
		ID: j.ID, Kind: j.Kind, State: j.State, SkipErrors: j.Options.SkipErrors, DateFormat: j.Options.DateFormat.String(),
		Queue: j.Options.Queue, DryRun: j.Options.DryRun, ResetFromGroup: j.Options.ResetFromGroup,
		ResourceGroup: j.Options.ResourceGroup,
		CopyRolesFrom: j.Options.CopyRolesFrom, Filters: j.Options.Filters, Set: j.Options.Set, Chosen: len(j.Options.IDs),
		HiddenSheet: j.HiddenSheet, Sheet: j.HasResultSheet && j.HasReport && j.State.Ended(), By: j.By, Created: j.Created,
		Counts:   j.Counts,
		Progress: progressView{Total: j.Counts.Rows, Checked: j.Checked, Written: j.NextRow}, Problem: j.Problem,
		Sheets: j.OtherSheets, Files: j.Files,
	}
	v.Undoes = j.UndoesJobID
	if j.Undone {
		v.UndoneBy = j.UndoJobID
	}
	if until := j.UndoableUntil(); until.After(now) {
		v.UndoableUntil = &until
	}
	if !j.Submitted.IsZero() {
		v.Submitted = &j.Submitted
	}
	if !j.Ended.IsZero() {
		v.Ended = &j.Ended
		if !j.Submitted.IsZero() {
			v.DurationMS = j.Ended.Sub(j.Submitted).Milliseconds()
		}
	}
	return v
}

func path(j transfer.Job) string { return "/api/jobs/" + j.ID }

func parseDateFormat(name string) (sheet.DateFormat, error) {
	f, ok := sheet.DateFormatNamed(name)
	if !ok {
		return f, fault.InvalidFields([]fault.Field{{
			Field: "dateFormat", Code: "choice", Message: "Date format is one of british, european, american and iso.",
		}})
	}
	return f, nil
}

func (h handlers) beginImport(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in importBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	format, err := parseDateFormat(in.DateFormat)
	if err != nil {
		return httpapi.Response{}, err
	}
	job, form, err := h.transfers.BeginImport(ctx, r.Scope, transfer.Options{
		SkipErrors: in.SkipErrors, DateFormat: format, Queue: in.Queue, DryRun: in.DryRun,
		ResetFromGroup: in.ResetFromGroup, ResourceGroup: in.ResourceGroup, CopyRolesFrom: in.CopyRolesFrom,
	})
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Created(path(job), begunView{
		Job: h.view(job), Form: formView{URL: form.URL, Fields: form.Fields, Expires: form.Expires},
	}), nil
}

func (h handlers) beginExport(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in exportBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	format, err := parseDateFormat(in.DateFormat)
	if err != nil {
		return httpapi.Response{}, err
	}
	o := transfer.Options{DateFormat: format, Queue: in.Queue, Filters: in.Filters, IDs: in.IDs}
	if err := h.applySet(ctx, r, in, &o); err != nil {
		return httpapi.Response{}, err
	}
	return h.accepted(h.transfers.BeginExport(ctx, r.Scope, o))
}

// applySet puts the filters of the Set that an export was asked for by into its options.
func (h handlers) applySet(ctx context.Context, r *httpapi.Request, in exportBody, o *transfer.Options) error {
	refuse := func(code, message string) error {
		return fault.InvalidFields([]fault.Field{{Field: "set", Code: code, Message: message}})
	}
	switch {
	case in.Set == "":
		return nil
	case in.Filters != nil || in.IDs != nil:
		return refuse("one", "Choose by a Set, by filters or by ids, and leave the others out.")
	case len(in.Set) != 26: // what no id can be is not looked for
		return refuse("unknown", "There is no Set with this id, or it is another person's own.")
	}
	set, err := h.sets.Get(ctx, r.Scope, in.Set)
	if fault.Is(err, fault.NotFound) {
		return refuse("unknown", "There is no Set with this id, or it is another person's own.")
	}
	o.Set, o.Filters = set.Name, set.Filters
	if o.Filters == nil {
		o.Filters = map[string]string{} // the list that the Set shows: active accounts
	}
	return err
}

func (h handlers) accepted(job transfer.Job, err error) (httpapi.Response, error) {
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Accepted(path(job), h.view(job)), nil
}

func (h handlers) submit(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.accepted(h.transfers.Submit(ctx, r.Scope, id))
}

func (h handlers) cancel(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.accepted(h.transfers.Cancel(ctx, r.Scope, id))
}

// undo begins a job that undoes an import.
func (h handlers) undo(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.accepted(h.transfers.Undo(ctx, r.Scope, id))
}

func (h handlers) get(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	job, err := h.transfers.Get(ctx, r.Scope, id)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(h.view(job)), nil
}

func (h handlers) list(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	after, _, err := httpapi.OpenCursor[string](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	jobs, next, err := h.transfers.List(ctx, r.Scope, after, r.QueryInt("limit"))
	if err != nil {
		return httpapi.Response{}, err
	}
	page := httpapi.Page[jobView]{Items: make([]jobView, len(jobs))}
	for i, j := range jobs {
		page.Items[i] = h.view(j)
	}
	if next != "" {
		page.Next, err = httpapi.SealCursor(r, next)
	}
	return httpapi.OK(page), err
}

func (h handlers) rows(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	start, _, err := httpapi.OpenCursor[int](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	rows, err := h.transfers.Rows(ctx, r.Scope, id)
	if err != nil {
		return httpapi.Response{}, err
	}
	page := httpapi.Page[transfer.Row]{Items: []transfer.Row{}}
	outcome := transfer.Outcome(r.Query("outcome"))
	for i := start; i < len(rows); i++ {
		if outcome != "" && rows[i].Outcome != outcome {
			continue
		}
		if len(page.Items) == r.QueryInt("limit") {
			page.Next, err = httpapi.SealCursor(r, i)
			break
		}
		page.Items = append(page.Items, rows[i])
	}
	return httpapi.OK(page), err
}

// sheet returns a link to the uploaded sheet with the results in it.
func (h handlers) sheet(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	l, err := h.transfers.ResultSheet(ctx, r.Scope, id)
	return httpapi.OK(linkView{Name: l.Name, URL: l.URL, Expires: l.Expires}), err
}

func (h handlers) download(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	links, err := h.transfers.Download(ctx, r.Scope, id)
	if err != nil {
		return httpapi.Response{}, err
	}
	out := linksView{Items: make([]linkView, len(links))}
	for i, l := range links {
		out.Items[i] = linkView{Name: l.Name, URL: l.URL, Expires: l.Expires}
	}
	return httpapi.OK(out), nil
}
