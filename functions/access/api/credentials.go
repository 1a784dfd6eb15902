package api

import (
	"context"
	"net/http"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/application"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/reference"
)

const applicationsTag = "Applications"

type credentialHandlers struct {
	entries      *reference.Service
	applications *application.Service
}

type proofBody struct {
	Password string `json:"password,omitzero" maxLength:"1000" help:"Your password; not needed within five minutes of signing in." example:"correct horse battery staple"`
}

// credentialView is one credential in a list; times are UTC.
type credentialView struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"createdAt"`
	CreatedBy string    `json:"createdBy" help:"Username of who made it."`
}

type newCredentialView struct {
	ClientID     string `json:"clientId" help:"The application's code." example:"erp"`
	ClientSecret string `json:"clientSecret" help:"The secret itself, shown only here." example:"uac_AAAAAAAAAAAAAAAAAAAA..."`
	credentialView
}

type credentialList struct {
	Items []credentialView `json:"items"`
}

func credentialRoutes(entries *reference.Service, applications *application.Service) []httpapi.Route {
	h := credentialHandlers{entries, applications}
	code := httpapi.Param{Name: "code", Kind: httpapi.TextParam, Max: catalogue.MaxCode,
		Help: "The application's code, in any case.", Example: "erp"}
	path := []httpapi.Param{code}
	busy := httpapi.Problem{Kind: fault.Conflict, Code: "busy",
		When: "Others are changing reference data, or giving its codes to accounts."}
	return []httpapi.Route{
		{
			Key: "GET /api/applications/{code}/credentials", Needs: access.ApplicationRead, NoKeys: true, Handle: h.list,
			Doc: httpapi.Operation{
				Tag: applicationsTag, ID: "listCredentials",
				Summary: "List an application's credentials", Path: path,
				Description: "Without their secrets, which are shown once.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: credentialList{}}},
			},
		},
		{
			Key: "POST /api/applications/{code}/credentials", Needs: access.ApplicationWrite, Idempotent: true, ShownOnce: true,
			Handle: h.create, Doc: httpapi.Operation{
				Tag: applicationsTag, ID: "createCredential", Secret: true,
				Summary: "Make a credential of an application", Path: path,
				Description: "Client id and secret, by which the application asks for tokens and about them. The secret is in " +
					"this answer only: the service keeps a hash of it. An application has two at most. To rotate, make the " +
					"second, change the application to it, and end the first.",
				Body: proofBody{}, BodyOptional: true,
				Answers: []httpapi.Answer{{Status: http.StatusCreated, Body: newCredentialView{}, Location: true}},
				Problems: []httpapi.Problem{
					{Kind: fault.Forbidden, Code: "proofNeeded",
						When: "You signed in more than five minutes ago: send your password."},
					{Kind: fault.Invalid, Code: "invalid", When: "The password is wrong or temporary."},
					{Kind: fault.Conflict, Code: "tooManyCredentials", When: "The application has two already."},
					{Kind: fault.Conflict, Code: "native", When: "A native application has no credentials."}, busy,
				},
			},
		},
		{
			Key: "DELETE /api/applications/{code}/credentials/{credentialId}", Needs: access.ApplicationWrite, Handle: h.end,
			Doc: httpapi.Operation{
				Tag: applicationsTag, ID: "endCredential",
				Summary: "End a credential of an application", Path: path,
				Description: "At once and for ever: its next request is refused.",
				Answers:     []httpapi.Answer{{Status: http.StatusNoContent, Description: "The credential has ended."}},
				Problems:    []httpapi.Problem{busy},
			},
		},
	}
}

func viewOf(c catalogue.Credential) credentialView {
	return credentialView{ID: c.ID, CreatedAt: c.CreatedAt, CreatedBy: c.CreatedBy}
}

func (h credentialHandlers) list(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	e, err := h.entries.Get(r.Scope, catalogue.Application, r.Param("code"))
	if err != nil {
		return httpapi.Response{}, err
	}
	out := credentialList{Items: []credentialView{}}
	for _, c := range e.Application.Credentials {
		out.Items = append(out.Items, viewOf(c))
	}
	return httpapi.OK(out), nil
}

func (h credentialHandlers) create(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in proofBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	e, err := h.entries.Get(r.Scope, catalogue.Application, r.Param("code"))
	if err != nil {
		return httpapi.Response{}, err
	}
	made, secret, err := h.applications.Create(ctx, r.Scope, e.Code, in.Password)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Created("/api/applications/"+e.Code+"/credentials",
		newCredentialView{ClientID: e.Code, ClientSecret: secret.Reveal(), credentialView: viewOf(made)}), nil
}

func (h credentialHandlers) end(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("credentialId")
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.applications.End(ctx, r.Scope, r.Param("code"), id)
}
