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
	SkipErrors bool   `json:"skipErrors,omitzero" help:"Import the rows without errors and leave out the others."`
	DateFormat string `json:"dateFormat" help:"Format of dates that are text in the sheet: dd/MM/yyyy, dd.MM.yyyy, MM/dd/yyyy or yyyy-MM-dd." enum:"british|european|american|iso"`
	Queue      bool   `json:"queue,omitzero" help:"Wait until all jobs that were submitted earlier have ended, instead of starting at once."`
	DryRun     bool   `json:"dryRun,omitzero" help:"Only check the rows, and report what each one would change."`

	ResetFromGroup bool   `json:"resetFromGroup,omitzero" help:"Reset the resources of the rows to the defaults of their resource group. A filled cell wins."`
	ResourceGroup  string `json:"resourceGroup,omitzero" help:"Code of the resource group of new resources whose row names none." maxLength:"50"`
	CopyRolesFrom  string `json:"copyRolesFrom,omitzero" help:"Username of an account whose roles new accounts get if their row names none." maxLength:"50"`
}

type exportBody struct {
	DateFormat string `json:"dateFormat" help:"Format in which the sheet shows dates." enum:"british|european|american|iso"`
	Queue      bool   `json:"queue,omitzero" help:"Wait until all jobs that were submitted earlier have ended, instead of starting at once."`

	Filters map[string]string `json:"filters,omitzero" help:"Export the accounts that the list shows with these query parameters. Without filters, set and ids all accounts are exported, locked ones too."`
	Set     string            `json:"set,omitzero" help:"Id of a Set, one's own or a shared one: export the accounts that its filters show."`
	IDs     []string          `json:"ids,omitzero" help:"Export these accounts, at most 1,000."`
}

// jobView is a job as people see it.
type jobView struct {
	ID             string            `json:"id"`
	Kind           transfer.Kind     `json:"kind" enum:"import|export|undo"`
	State          transfer.State    `json:"state" enum:"created|submitted|checking|writing|rollingBack|done|refused|cancelled|failed" help:"A job ends as done, refused, cancelled or failed. Only a job that is done has changed anything."`
	SkipErrors     bool              `json:"skipErrors"`
	DateFormat     string            `json:"dateFormat" enum:"british|european|american|iso"`
	Queue          bool              `json:"queue"`
	DryRun         bool              `json:"dryRun,omitzero"`
	ResetFromGroup bool              `json:"resetFromGroup,omitzero"`
	ResourceGroup  string            `json:"resourceGroup,omitzero"`
	CopyRolesFrom  string            `json:"copyRolesFrom,omitzero"`
	Filters        map[string]string `json:"filters,omitzero"`
	Set            string            `json:"set,omitzero" help:"Name of the Set that an export's filters are from."`
	Chosen         int               `json:"chosen,omitzero" help:"Number of accounts that were selected by their ids."`
	By             string            `json:"by" help:"Username of the person who started the job."`
	Created        time.Time         `json:"created"`
	Submitted      *time.Time        `json:"submitted,omitzero"`
	Ended          *time.Time        `json:"ended,omitzero"`
	DurationMS     int64             `json:"durationMs,omitzero" help:"From the submit to the end."`
	Counts         transfer.Counts   `json:"counts"`
	Progress       progressView      `json:"progress"`
	Problem        *transfer.Problem `json:"problem,omitzero" help:"Why the job as a whole was refused or failed."`
	Sheets         []string          `json:"otherSheets,omitzero" help:"Worksheets of the file that were not read."`
	HiddenSheet    bool              `json:"hiddenSheet,omitzero" help:"The worksheet that was read, the first one, is hidden."`
	HiddenRows     int               `json:"hiddenRows,omitzero" help:"Rows that were read though a filter or a person has hidden them."`
	DroppedTimes   []string          `json:"droppedTimes,omitzero" help:"Cells with a date and a time of day, of which only the date was taken; the first 20."`
	Sheet          bool              `json:"sheet" help:"The result sheet is available: GET /api/jobs/{id}/sheet."`
	Files          int               `json:"files,omitzero" help:"Number of files of an export."`
	UndoableUntil  *time.Time        `json:"undoableUntil,omitzero" help:"Until when the import can be undone: POST /api/jobs/{id}/undo."`
	UndoneBy       string            `json:"undoneBy,omitzero" help:"Id of the job that undid the import."`
	Undoes         string            `json:"undoes,omitzero" help:"Id of the import that this job undoes."`
}

type progressView struct {
	Total   int `json:"total" help:"Rows of the sheet, or rows exported so far."`
	Checked int `json:"checked" help:"Rows checked."`
	Written int `json:"written" help:"Rows written so far. Rows of an import are not visible before the job is done."`
}

type formView struct {
	URL     string            `json:"url"`
	Fields  map[string]string `json:"fields" help:"Send each one as a part of the form, and then the file as the last part, named file."`
	Expires time.Time         `json:"expires"`
}

type newImportView struct {
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
		HiddenSheet: j.HiddenSheet, HiddenRows: j.HiddenRows, DroppedTimes: j.DroppedTimes,
		Sheet: j.HasResultSheet && j.HasReport && j.State.Ended(), By: j.By, Created: j.Created,
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
			Field: "dateFormat", Code: "choice", Message: "Date format must be british, european, american or iso.",
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
	return httpapi.Created(path(job), newImportView{
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

// applySet sets the options of an export to the filters of its Set.
func (h handlers) applySet(ctx context.Context, r *httpapi.Request, in exportBody, o *transfer.Options) error {
	refuse := func(code, message string) error {
		return fault.InvalidFields([]fault.Field{{Field: "set", Code: code, Message: message}})
	}
	switch {
	case in.Set == "":
		return nil
	case in.Filters != nil || in.IDs != nil:
		return refuse("one", "Select accounts by a Set, by filters or by ids, not by two of them.")
	case len(in.Set) != 26: // not an id
		return refuse("unknown", "There is no Set with this id, or it is another person's own.")
	}
	set, err := h.sets.Get(ctx, r.Scope, in.Set)
	if fault.Is(err, fault.NotFound) {
		return refuse("unknown", "There is no Set with this id, or it is another person's own.")
	}
	o.Set, o.Filters = set.Name, set.Filters
	if o.Filters == nil {
		o.Filters = map[string]string{} // a Set without filters shows the active accounts
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

// undo starts a job that undoes an import.
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
	return httpapi.FitPage(r.QueryInt("limit"), func(limit int) (httpapi.Page[jobView], error) {
		jobs, next, err := h.transfers.List(ctx, r.Scope, after, limit)
		if err != nil {
			return httpapi.Page[jobView]{}, err
		}
		page := httpapi.Page[jobView]{Items: make([]jobView, len(jobs))}
		for i, j := range jobs {
			page.Items[i] = h.view(j)
		}
		if next != "" {
			page.Next, err = httpapi.SealCursor(r, next)
		}
		return page, err
	})
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
	var size httpapi.PageSize
	outcome := transfer.Outcome(r.Query("outcome"))
	for i := start; i < len(rows); i++ {
		if outcome != "" && rows[i].Outcome != outcome {
			continue
		}
		fits, sizeErr := size.Add(rows[i])
		if sizeErr != nil {
			return httpapi.Response{}, sizeErr
		}
		if len(page.Items) == r.QueryInt("limit") || !fits {
			page.Next, err = httpapi.SealCursor(r, i)
			break
		}
		page.Items = append(page.Items, rows[i])
	}
	return httpapi.OK(page), err
}

// sheet returns a link to the result sheet.
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
