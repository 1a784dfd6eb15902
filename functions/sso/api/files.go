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
	Fields  map[string]string `json:"fields" help:"Send each as a part of the form, then the file as the last part, named file."`
	Expires time.Time         `json:"expires"`
}

type checkBody struct {
	Version string `json:"version,omitzero" maxLength:"1024" help:"As the previous check returned it, to continue; left out, it is the latest file."`
	From    int    `json:"from,omitzero" minimum:"0" help:"The next of the previous response; left out, it is the first line."`
}

type applyBody struct {
	Version string `json:"version" minLength:"1" maxLength:"1024" help:"The version that was checked."`
	From    int    `json:"from,omitzero" minimum:"0" help:"The next of the previous response; left out, it is the first line."`
}

type lineView struct {
	Line int `json:"line" help:"The line of the file, from 1."`
	matchedView
}

type partView struct {
	Version string         `json:"version" help:"The version of the file, to continue and to apply."`
	Lines   int            `json:"lines" help:"The number of lines of the whole file, without headings and blank lines."`
	Items   []lineView     `json:"items"`
	Counts  map[string]int `json:"counts" help:"The number of these lines by outcome."`
	Next    int            `json:"next,omitzero" help:"The line to continue from; absent at the end."`
}

func (h handlers) fileRoutes() []httpapi.Route {
	part := []httpapi.Answer{{Status: http.StatusOK, Body: partView{}}}
	wrong := []httpapi.Problem{
		providerNotFound,
		{
			Kind: fault.NotFound, Code: "noFile",
			When: "No file was posted yet, it is older than a day, or belongs to somebody else.",
		},
		{
			Kind: fault.Invalid, Code: "invalid",
			When: "The file is empty, not CSV in UTF-8, lacks the headings, or is too long.",
		},
	}
	return []httpapi.Route{
		{
			Key: "POST /api/sso-providers/{id}/link-files", Needs: access.AccountLink, Handle: h.beginFile,
			Doc: httpapi.Operation{
				Tag: tag, ID: "startLinkFile", Secret: true,
				Summary: "Start linking with a file",
				Description: "Post a CSV file (UTF-8, at most 10 MB and 50,000 lines) with the columns email and object_id to " +
					"the form, then check and apply it. It is deleted after a day.",
				Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: formView{}}},
				Problems: []httpapi.Problem{providerNotFound},
			},
		},
		{
			Key: "POST /api/sso-providers/{id}/link-files/{fileId}/check", Needs: access.AccountLink, Handle: h.checkFile,
			Doc: httpapi.Operation{
				Tag: tag, ID: "checkLinkFile",
				Summary:     "Check a file of links",
				Description: "Up to 1,000 lines at a time, checked against the whole file. Nothing is changed.",
				Body:        checkBody{}, BodyOptional: true, Answers: part, Problems: wrong,
			},
		},
		{
			Key: "POST /api/sso-providers/{id}/link-files/{fileId}/apply", Needs: access.AccountLink, Handle: h.applyFile,
			Doc: httpapi.Operation{
				Tag: tag, ID: "applyLinkFile",
				Summary:     "Link with a file",
				Description: "Up to 1,000 lines at a time; those that can be linked are. Applying lines again changes nothing.",
				Body:        applyBody{}, Answers: part, Problems: wrong,
			},
		},
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
				[]fault.Field{{Field: "version", Code: "required", Message: "Send the version that the check returned."}})
	}
	return processFile(ctx, r, sso.FileRange{Version: in.Version, From: in.From}, h.Files.Apply)
}

func processFile(ctx context.Context, r *httpapi.Request, a sso.FileRange,
	do func(context.Context, access.Scope, sso.FileRange) (sso.FileResult, error),
) (httpapi.Response, error) {
	var err error
	if a.ProviderID, err = r.ID("id"); err == nil {
		a.FileID, err = r.ID("fileId")
	}
	if err != nil {
		return httpapi.Response{}, err
	}
	part, err := do(ctx, r.Scope, a)
	view := partView{
		Version: part.Version, Lines: part.Rows, Next: part.Next, Items: make([]lineView, len(part.Items)),
		Counts: map[string]int{},
	}
	for i, item := range part.Items {
		view.Items[i] = lineView{item.Line, viewOfMatched(item.MatchResult)}
		view.Counts[string(item.Outcome)]++
	}
	return httpapi.OK(view), err
}
