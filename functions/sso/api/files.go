package api

import (
	"context"
	"net/http"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/sso"
)

type formView struct {
	FileID  string            `json:"fileId"`
	URL     string            `json:"url"`
	Fields  map[string]string `json:"fields" help:"Send each as a part of the form, then the file as the part file, last."`
	Expires time.Time         `json:"expires"`
}

type checkBody struct {
	Version string `json:"version,omitzero" maxLength:"1024" help:"As the check before returned it, for its next lines; left out it is the file posted last."`
	From    int    `json:"from,omitzero" minimum:"0" help:"next of the part before; left out it is the first line."`
}

type applyBody struct {
	Version string `json:"version" minLength:"1" maxLength:"1024" help:"The version that was checked."`
	From    int    `json:"from,omitzero" minimum:"0" help:"next of the part before; left out it is the first line."`
}

type lineView struct {
	Line int `json:"line" help:"The line of the file, from 1."`
	matchedView
}

type partView struct {
	Version string         `json:"version" help:"Of the file, to go on with and to apply."`
	Lines   int            `json:"lines" help:"How many lines the whole file has, without its headings and blank ones."`
	Items   []lineView     `json:"items"`
	Counts  map[string]int `json:"counts" help:"How many of these lines have each outcome."`
	Next    int            `json:"next,omitzero" help:"The line to go on from; not there at the end."`
}

func (h handlers) fileRoutes() []httpapi.Route {
	part := []httpapi.Answer{{Status: http.StatusOK, Body: partView{}}}
	wrong := []httpapi.Problem{
		providerNotFound,
		{Kind: fault.NotFound, Code: "noFile", When: "No file was posted yet, it is older than a day, or another person's."},
		{Kind: fault.Invalid, Code: "invalid",
			When: "The file is empty, no CSV in UTF-8, without its headings, or too long."},
	}
	return []httpapi.Route{
		{Key: "POST /api/sso-providers/{id}/link-files", Needs: access.AccountLink, Handle: h.beginFile,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Begin to link by a file",
				Description: "Post a CSV file (UTF-8, at most 10 MB and 50,000 lines) with the columns email and object_id to " +
					"the form, then check and apply it. It is gone after a day.",
				Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: formView{}}},
				Problems: []httpapi.Problem{providerNotFound},
			}},
		{Key: "POST /api/sso-providers/{id}/link-files/{fileId}/check", Needs: access.AccountLink, Handle: h.checkFile,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Check a file of links",
				Description: "Up to 1,000 lines at a time, judged by the whole file. Nothing is changed.",
				Body:        checkBody{}, BodyOptional: true, Answers: part, Problems: wrong,
			}},
		{Key: "POST /api/sso-providers/{id}/link-files/{fileId}/apply", Needs: access.AccountLink, Handle: h.applyFile,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Link by a file",
				Description: "Up to 1,000 lines at a time: the good ones go in. To apply lines again changes nothing.",
				Body:        applyBody{}, Answers: part, Problems: wrong,
			}},
	}
}

func (h handlers) beginFile(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	f, err := h.Files.BeginUpload(ctx, r.Scope, id)
	return httpapi.OK(formView{f.FileID, f.URL, f.Fields, f.Expires}), err
}

func (h handlers) checkFile(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in checkBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return processFile(ctx, r, sso.FileRange{Version: in.Version, From: in.From}, h.Files.Check)
}

func (h handlers) applyFile(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in applyBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	if in.Version == "" {
		return httpapi.Response{},
			httpapi.BadBody(
				[]fault.Field{{Field: "version", Code: "required", Message: "Give the version that the check returned."}})
	}
	return processFile(ctx, r, sso.FileRange{Version: in.Version, From: in.From}, h.Files.Apply)
}

func processFile(ctx context.Context, r *httpapi.Request, a sso.FileRange,
	do func(context.Context, access.Scope, sso.FileRange) (sso.FileResult, error)) (httpapi.Response, error) {
	var err error
	if a.ProviderID, err = r.ID("id"); err == nil {
		a.FileID, err = r.ID("fileId")
	}
	if err != nil {
		return httpapi.Response{}, err
	}
	part, err := do(ctx, r.Scope, a)
	view := partView{Version: part.Version, Lines: part.Rows, Next: part.Next, Items: make([]lineView, len(part.Items)),
		Counts: map[string]int{}}
	for i, item := range part.Items {
		view.Items[i] = lineView{item.Line, viewOfMatched(item.MatchResult)}
		view.Counts[string(item.Outcome)]++
	}
	return httpapi.OK(view), err
}
