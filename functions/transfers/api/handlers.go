package api

import (
	"context"
	"time"

	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/sheet"
	"useraccounts/internal/transfer"
)

type handlers struct{ transfers *transfer.Service }

type importBody struct {
	SkipErrors bool   `json:"skipErrors,omitzero" help:"Import the right rows and leave the wrong ones out."`
	DateFormat string `json:"dateFormat" help:"How dates that are text are written in the sheet: dd/MM/yyyy, dd.MM.yyyy, MM/dd/yyyy or yyyy-MM-dd." enum:"british|european|american|iso"`
	Queue      bool   `json:"queue,omitzero" help:"Wait for the jobs queued before instead of starting at once."`
}

type exportBody struct {
	DateFormat string `json:"dateFormat" help:"How the sheet shows dates." enum:"british|european|american|iso"`
	Queue      bool   `json:"queue,omitzero" help:"Wait for the jobs queued before instead of starting at once."`
}

// jobView is a job as people see it.
type jobView struct {
	ID         string            `json:"id"`
	Kind       transfer.Kind     `json:"kind" enum:"import|export"`
	State      transfer.State    `json:"state" enum:"created|submitted|checking|writing|rollingBack|done|refused|cancelled|failed" help:"done, refused, cancelled and failed are ends; only done changed anything."`
	SkipErrors bool              `json:"skipErrors"`
	DateFormat string            `json:"dateFormat" enum:"british|european|american|iso"`
	Queue      bool              `json:"queue"`
	By         string            `json:"by" help:"Username of who began it."`
	Created    time.Time         `json:"created"`
	Submitted  *time.Time        `json:"submitted,omitzero"`
	Ended      *time.Time        `json:"ended,omitzero"`
	Counts     transfer.Counts   `json:"counts"`
	Progress   progressView      `json:"progress"`
	Problem    *transfer.Problem `json:"problem,omitzero" help:"Why it was refused or failed as a whole."`
	Sheets     []string          `json:"otherSheets,omitzero" help:"Worksheets of the file that were left alone."`
	Files      int               `json:"files,omitzero" help:"How many files an export made."`
}

type progressView struct {
	Checked int `json:"checked" help:"Rows checked."`
	Written int `json:"written" help:"Rows gone through for writing; none counts before the job is done."`
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

func viewOf(j transfer.Job) jobView {
	v := jobView{
		ID: j.ID, Kind: j.Kind, State: j.State, SkipErrors: j.Options.SkipErrors, DateFormat: j.Options.DateFormat.String(),
		Queue: j.Options.Queue, By: j.By, Created: j.Created, Counts: j.Counts,
		Progress: progressView{Checked: j.Checked, Written: j.Next}, Problem: j.Problem, Sheets: j.Sheets, Files: j.Files,
	}
	if !j.Submitted.IsZero() {
		v.Submitted = &j.Submitted
	}
	if !j.Ended.IsZero() {
		v.Ended = &j.Ended
	}
	return v
}

func path(j transfer.Job) string { return "/api/jobs/" + j.ID }

func dateFormat(name string) (sheet.DateFormat, error) {
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
	format, err := dateFormat(in.DateFormat)
	if err != nil {
		return httpapi.Response{}, err
	}
	job, form, err := h.transfers.BeginImport(ctx, r.Scope, transfer.Options{SkipErrors: in.SkipErrors, DateFormat: format, Queue: in.Queue})
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Created(path(job), begunView{
		Job: viewOf(job), Form: formView{URL: form.URL, Fields: form.Fields, Expires: form.Expires},
	}), nil
}

func (h handlers) beginExport(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in exportBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	format, err := dateFormat(in.DateFormat)
	if err != nil {
		return httpapi.Response{}, err
	}
	return accepted(h.transfers.BeginExport(ctx, r.Scope, transfer.Options{DateFormat: format, Queue: in.Queue}))
}

func accepted(job transfer.Job, err error) (httpapi.Response, error) {
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Accepted(path(job), viewOf(job)), nil
}

func (h handlers) submit(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return accepted(h.transfers.Submit(ctx, r.Scope, id))
}

func (h handlers) cancel(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return accepted(h.transfers.Cancel(ctx, r.Scope, id))
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
	return httpapi.OK(viewOf(job)), nil
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
		page.Items[i] = viewOf(j)
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
