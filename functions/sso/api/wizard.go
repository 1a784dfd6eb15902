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

// matchedView is the outcome, or expected outcome, of one pair.
type matchedView struct {
	ObjectID  string      `json:"objectId,omitzero"`
	Email     string      `json:"email,omitzero" help:"As it was sent."`
	Outcome   sso.Outcome `json:"outcome" enum:"linkable|linked|alreadyLinked|noSuchEmail|twoAccounts|linkedToAnother|notAllowed|unusable|noSuchAccount|removed|notLinked" help:"linkable: it would be linked. linked, removed: done by this request."`
	AccountID string      `json:"accountId,omitzero"`
	Username  string      `json:"username,omitzero"`
	Detail    string      `json:"detail,omitzero" help:"What prevents it, and what to do."`
}

func viewOfMatched(m sso.MatchResult) matchedView {
	id := m.AccountID
	if id == "" {
		id = m.Pair.AccountID
	}
	return matchedView{m.ObjectID, m.Email, m.Outcome, id, m.Username, m.Detail}
}

type matchedList struct {
	Items []matchedView `json:"items" help:"In the order of the request."`
}

func matchResponse(all []sso.MatchResult, err error) (httpapi.Response, error) {
	view := matchedList{Items: make([]matchedView, len(all))}
	for i, m := range all {
		view.Items[i] = viewOfMatched(m)
	}
	return httpapi.OK(view), err
}

type directoryView struct {
	Directory  string    `json:"directory" help:"Send it to list the people. It is valid for your session only."`
	ProviderID string    `json:"providerId"`
	Expires    time.Time `json:"expires"`
}

type pageOfBody struct {
	Directory string `json:"directory" maxLength:"32000"`
	Next      string `json:"next,omitzero" maxLength:"8000" help:"The next of the previous page."`
}

type personView struct {
	matchedView

	Name     string `json:"name"`
	Disabled bool   `json:"disabled" help:"Whether the person is disabled in the directory."`
}

type peopleView struct {
	Items []personView `json:"items"`
	Next  string       `json:"next,omitzero" help:"For the next page; absent on the last."`
}

type pairBody struct {
	AccountID string `json:"accountId,omitzero" maxLength:"26" help:"The account's id, or else its email."`
	Email     string `json:"email,omitzero" maxLength:"1000"`
	ObjectID  string `json:"objectId" maxLength:"1000"`
}

type pairsBody struct {
	Pairs []pairBody `json:"pairs" maxItems:"500"`
}

type accountsBody struct {
	AccountIDs []string `json:"accountIds" maxItems:"500"`
}

func (h handlers) wizardRoutes() []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "POST /api/sso-providers/{id}/directory/depart", Needs: access.AccountLink, Handle: h.beginDirectory,
			Doc: httpapi.Operation{
				Tag: tag, ID: "beginDirectorySignIn", Secret: true,
				Summary:     "Start signing in to a provider's directory",
				Description: "Only directories of the kind azure can be read.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: departureView{}}},
				Problems: append(problems(providerFailed), providerNotFound,
					httpapi.Problem{Kind: fault.Conflict, Code: "noDirectory", When: "The provider is of another kind."}),
			},
		},
		{
			Key: "POST /api/sso/directory/return", Needs: access.AccountLink, Handle: h.completeDirectory,
			Doc: httpapi.Operation{
				Tag: tag, ID: "openDirectory",
				Summary: "Open a directory with the provider's callback", Body: returnBody{},
				Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: directoryView{}}},
				Problems: append(problems(providerFailed), unknownRequest),
			},
		},
		{Key: "POST /api/sso/directory/people", Needs: access.AccountLink, Handle: h.people, Doc: httpapi.Operation{
			Tag: tag, ID: "listDirectoryPeople",
			Summary: "List the people of a directory",
			Description: "A page at a time. Each person is matched with the account with their email, in any case. Nothing " +
				"is changed.",
			Body: pageOfBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: peopleView{}}},
			Problems: problems(providerFailed, []httpapi.Problem{
				{
					Kind: fault.Conflict, Code: "directory",
					When: "The sign-in to the directory has expired, or belongs to another session.",
				},
				{
					Kind: fault.TooManyRequests, Code: "provider.throttled",
					When: "The directory is throttling requests; Retry-After says how long to wait.",
				},
				{Kind: fault.Invalid, Code: "cursor", When: "next is not that of a page."},
			}),
		}},
		{Key: "POST /api/sso-providers/{id}/links", Needs: access.AccountLink, Handle: h.linkMany, Doc: httpapi.Operation{
			Tag: tag, ID: "linkManyAccounts",
			Summary:     "Link many accounts",
			Description: "Up to 500, each independently: one that cannot be linked does not prevent others.",
			Body:        pairsBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: matchedList{}}},
			Problems: []httpapi.Problem{providerNotFound},
		}},
		{
			Key: "POST /api/sso-providers/{id}/links/remove", Needs: access.AccountLink, Handle: h.unlinkMany,
			Doc: httpapi.Operation{
				Tag: tag, ID: "removeManyLinks",
				Summary: "Remove many links", Description: "Up to 500, each independently. Open sessions continue.",
				Body: accountsBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: matchedList{}}},
				Problems: []httpapi.Problem{providerNotFound},
			},
		},
	}
}

func (h handlers) beginDirectory(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return redirectResponse(r)(h.Wizard.BeginDirectory(ctx, r.Scope, id))
}

func (h handlers) completeDirectory(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in returnBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	got, err := h.Wizard.CompleteDirectory(ctx, r.Scope, in.callback(r))
	return httpapi.OK(directoryView{got.Token, got.Provider.ID, got.Expires}), err
}

func (h handlers) people(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in pageOfBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	found, next, err := h.Wizard.People(ctx, r.Scope, in.Directory, in.Next)
	view := peopleView{Items: make([]personView, len(found)), Next: next}
	for i, f := range found {
		view.Items[i] = personView{viewOfMatched(f.Match), f.Person.Name, f.Person.Disabled}
	}
	return httpapi.OK(view), err
}

func (h handlers) linkMany(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	var in pairsBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	pairs := make([]sso.Pair, len(in.Pairs))
	for i, p := range in.Pairs {
		pairs[i] = sso.Pair{AccountID: p.AccountID, Email: p.Email, ObjectID: p.ObjectID}
	}
	return matchResponse(h.Wizard.Link(ctx, r.Scope, id, pairs))
}

func (h handlers) unlinkMany(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	var in accountsBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return matchResponse(h.Wizard.Unlink(ctx, r.Scope, id, in.AccountIDs))
}
