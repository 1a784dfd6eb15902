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

type linkView struct {
	ProviderID string    `json:"providerId"`
	ObjectID   string    `json:"objectId" help:"The person's id at the provider."`
	Email      string    `json:"email" help:"That of the account when the link was made."`
	At         time.Time `json:"at"`
	By         string    `json:"by" help:"The username of who made it."`
}

type linksView struct {
	Items []linkView `json:"items"`
}

func viewOfLink(l sso.FederatedIdentity) linkView {
	return linkView{l.ProviderID, l.ObjectID, l.Email, l.At, l.By}
}

func linksResponse(all []sso.FederatedIdentity, err error) (httpapi.Response, error) {
	view := linksView{Items: make([]linkView, len(all))}
	for i, l := range all {
		view.Items[i] = viewOfLink(l)
	}
	return httpapi.OK(view), err
}

type identityBody struct {
	ObjectID string `json:"objectId" minLength:"1" maxLength:"255" help:"The object id at Azure; at other providers the subject (sub)." example:"7b3e..."`
}

type proofBody struct {
	Password string `json:"password,omitzero" maxLength:"1000" help:"Your password; not needed within five minutes of a sign-in." example:"correct horse battery staple"`
}

func (h handlers) linkRoutes() []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "GET /api/accounts/{id}/links", Needs: access.AccountRead, NoKeys: true, Handle: h.accountLinks,
			Doc: httpapi.Operation{
				Tag: tag, ID: "listLinks",
				Summary: "List an account's links", Answers: []httpapi.Answer{{Status: http.StatusOK, Body: linksView{}}},
			},
		},
		{Key: "PUT /api/accounts/{id}/links/{providerId}", Needs: access.AccountLink, Handle: h.link, Doc: httpapi.Operation{
			Tag: tag, ID: "linkAccount",
			Summary:     "Link an account to an identity",
			Description: "Repeating it changes nothing. The owner is notified of a new link by mail.",
			Body:        identityBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: linkView{}}},
			Problems: problems(
				[]httpapi.Problem{
					{Kind: fault.Invalid, Code: "invalid", When: "The object id is blank, too long or not printable."},
				},
				guardProblems, linkProblems),
		}},
		{
			Key: "DELETE /api/accounts/{id}/links/{providerId}", Needs: access.AccountLink, Handle: h.unlink,
			Doc: httpapi.Operation{
				Tag: tag, ID: "removeLink",
				Summary: "Remove an account's link",
				Description: "The next sign-in with the provider is refused. Open sessions continue: to end them, block the " +
					"account or close its sessions. The owner is notified by mail. Removing a missing link is not an error.",
				Answers: []httpapi.Answer{{Status: http.StatusNoContent}}, Problems: problems(guardProblems, linkProblems[2:]),
			},
		},
	}
}

func (h handlers) ownRoutes() []httpapi.Route {
	return []httpapi.Route{
		{Key: "GET /api/me/links", Needs: access.SignedIn, NoKeys: true, Handle: h.ownLinks, Doc: httpapi.Operation{
			Tag: tag, ID: "listMyLinks",
			Summary: "List my links", Answers: []httpapi.Answer{{Status: http.StatusOK, Body: linksView{}}},
		}},
		{
			Key: "POST /api/me/links/{providerId}/depart", Needs: access.SignedIn, NoKeys: true, Handle: h.beginOwnLink,
			Doc: httpapi.Operation{
				Tag: tag, ID: "beginMyLink", Secret: true,
				Summary:     "Start linking my account",
				Description: "You sign in to the provider at the returned url, within ten minutes.",
				Body:        proofBody{}, BodyOptional: true,
				Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: departureView{}}},
				Problems: problems(proofProblems, []httpapi.Problem{providerNotFound}, providerFailed),
			},
		},
		{
			Key: "POST /api/me/links/return", Needs: access.SignedIn, NoKeys: true, Handle: h.completeOwnLink,
			Doc: httpapi.Operation{
				Tag: tag, ID: "completeMyLink",
				Summary: "Link my account with a provider's callback", Body: returnBody{},
				Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: linkView{}}},
				Problems: problems([]httpapi.Problem{unknownRequest}, providerFailed, linkProblems),
			},
		},
		{
			Key: "POST /api/me/links/{providerId}/remove", Needs: access.SignedIn, NoKeys: true, Handle: h.removeOwnLink,
			Doc: httpapi.Operation{
				Tag: tag, ID: "removeMyLink",
				Summary:     "Remove my link",
				Description: "Open sessions continue. Removing a missing link is not an error.",
				Body:        proofBody{}, BodyOptional: true, Answers: []httpapi.Answer{{Status: http.StatusNoContent}},
				Problems: problems(proofProblems, linkProblems[2:],
					[]httpapi.Problem{
						{
							Kind: fault.Conflict, Code: "lastWayIn",
							When: "You could no longer sign in: the account has no password, no passkey and no other link to an enabled " +
								"provider.",
						},
					}),
			},
		},
	}
}

// twoIDs reads the ids of account and provider.
func twoIDs(r *httpapi.Request) (account, provider string, err error) {
	if account, err = r.ID("id"); err == nil {
		provider, err = r.ID("providerId")
	}
	return account, provider, err
}

func (h handlers) accountLinks(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return linksResponse(h.Identities.List(ctx, r.Scope, id))
}

func (h handlers) link(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	account, provider, err := twoIDs(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	var in identityBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	l, err := h.Identities.Link(ctx, r.Scope, account, provider, in.ObjectID)
	return httpapi.OK(viewOfLink(l)), err
}

func (h handlers) unlink(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	account, provider, err := twoIDs(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.Identities.Unlink(ctx, r.Scope, account, provider)
}

func (h handlers) ownLinks(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	return linksResponse(h.SelfService.List(ctx, r.Scope))
}

// providerAndPassword reads the provider's id, and the password if there is one.
func providerAndPassword(r *httpapi.Request) (provider, password string, err error) {
	if provider, err = r.ID("providerId"); err != nil {
		return "", "", err
	}
	var in proofBody
	err = r.Decode(&in)
	return provider, in.Password, err
}

func (h handlers) beginOwnLink(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	provider, password, err := providerAndPassword(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	return redirectResponse(r)(h.SelfService.BeginLink(ctx, r.Scope, provider, password))
}

func (h handlers) completeOwnLink(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in returnBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	l, err := h.SelfService.CompleteLink(ctx, r.Scope, in.callback(r))
	return httpapi.OK(viewOfLink(l)), err
}

func (h handlers) removeOwnLink(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	provider, password, err := providerAndPassword(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.SelfService.Unlink(ctx, r.Scope, provider, password)
}
