// Package api is the routes of the sessions function: the caller's account and sessions, and those of others.
package api

import (
	"context"
	"net/http"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/credential"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/session"
)

const tag = "Sessions"

// Store is what the routes need of the store of sessions.
type Store interface {
	// Sessions returns up to limit sessions of an account, newest first, after the given id, and the id to continue from.
	Sessions(ctx context.Context, accountID, after string, limit int) ([]session.Session, string, error)
	// Close closes a session if it is open, and reports whether it was.
	Close(ctx context.Context, accountID, sessionID string, end session.End) (bool, error)
}

// Accounts reads the account whose sessions an administrator asks for.
type Accounts interface {
	Get(ctx context.Context, sc access.Scope, id string) (account.Account, error)
}

// Routes returns the route table over the stores.
func Routes(sessions Store, accounts Accounts, now func() time.Time) []httpapi.Route {
	h := handlers{sessions, accounts, now}
	list := []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.Page[view]{}}}
	paging := []httpapi.Param{httpapi.Limit(50, 200), httpapi.Cursor()}
	closed := []httpapi.Answer{
		{Status: http.StatusNoContent, Description: "The session is closed, as it may have been before."},
	}
	notFound := []httpapi.Problem{{Kind: fault.NotFound, Code: "notFound", When: "There is no such account."}}
	return []httpapi.Route{
		{Key: "GET /api/me", Needs: access.SignedIn, Handle: h.me, Doc: httpapi.Operation{
			Tag: tag, ID: "getMe",
			Summary: "My account and permissions", Answers: []httpapi.Answer{{Status: http.StatusOK, Body: meView{}}},
		}},
		{Key: "GET /api/sessions", Needs: access.SignedIn, Query: paging, Handle: h.listOwn, Doc: httpapi.Operation{
			Tag: tag, ID: "listMySessions",
			Summary: "List my sessions", Description: "Newest first.", Answers: list,
		}},
		{Key: "DELETE /api/sessions", Needs: access.SignedIn, NoKeys: true, Handle: h.closeOwnOthers, Doc: httpapi.Operation{
			Tag: tag, ID: "closeMyOtherSessions",
			Summary:     "Close all my other sessions",
			Description: "The session of this request stays open. A session that begins at the same time may stay open too.",
			Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: closedView{}}},
		}},
		{
			Key: "DELETE /api/accounts/{id}/sessions", Needs: access.AccountSession, Handle: h.closeAllOfAccount,
			Doc: httpapi.Operation{
				Tag: tag, ID: "closeSessions",
				Summary: "Close all sessions of an account",
				Description: "For your own account, the session of the request stays open. A session that begins at the same " +
					"time may stay open too; block the account to prevent new sessions.",
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: closedView{}}}, Problems: notFound,
			},
		},
		{Key: "DELETE /api/sessions/{sessionId}", Needs: access.SignedIn, Handle: h.closeOwn, Doc: httpapi.Operation{
			Tag: tag, ID: "closeMySession",
			Summary: "Close one of my sessions", Answers: closed,
		}},
		{
			Key: "GET /api/accounts/{id}/sessions", Needs: access.AccountSession, Query: paging, Handle: h.listOfAccount,
			Doc: httpapi.Operation{
				Tag: tag, ID: "listSessions",
				Summary: "List an account's sessions", Description: "Newest first.", Answers: list, Problems: notFound,
			},
		},
		{
			Key: "DELETE /api/accounts/{id}/sessions/{sessionId}", Needs: access.AccountSession, Handle: h.closeOfAccount,
			Doc: httpapi.Operation{
				Tag: tag, ID: "closeSession",
				Summary: "Close an account's session", Answers: closed, Problems: notFound,
			},
		},
	}
}

// closedView tells how many sessions were closed.
type closedView struct {
	Closed int `json:"closed" help:"How many open sessions were closed."`
}

type handlers struct {
	sessions Store
	accounts Accounts
	now      func() time.Time
}

type meView struct {
	AccountID   string              `json:"accountId"`
	Username    string              `json:"username"`
	SessionID   string              `json:"sessionId" help:"Empty for a caller that sends an API key."`
	KeyID       string              `json:"keyId,omitzero" help:"The API key of the caller; absent for people."`
	Permissions []access.Permission `json:"permissions" help:"The permissions of all my effective roles."`
}

// view is one session in a list; times are UTC.
type view struct {
	ID         string     `json:"id"`
	Client     string     `json:"client" help:"Client application."`
	UserAgent  string     `json:"userAgent"`
	Location   string     `json:"location" help:"Network address."`
	Start      time.Time  `json:"start"`
	RefreshDue time.Time  `json:"refreshDue" help:"Session refresh due."`
	HardEnd    time.Time  `json:"hardEnd"`
	Closed     *time.Time `json:"closed,omitzero" help:"When it was closed or expired; absent while it is open."`
	ClosedBy   string     `json:"closedBy,omitzero" help:"Username of who closed it; absent if nobody did."`
	Reason     string     `json:"reason,omitzero" help:"Why it was closed." enum:"signedOut|closedByOwner|closedByAdministrator|refreshReused|expired"`
	KeyID      string     `json:"keyId,omitzero" help:"The API key that opened it; absent for people's sessions."`
	Current    bool       `json:"current" help:"Whether it is the session of this request."`
}

func (h handlers) me(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	c := r.Scope.Caller
	return httpapi.OK(
		meView{
			AccountID: c.AccountID, Username: c.Username, SessionID: c.SessionID, KeyID: c.KeyID,
			Permissions: c.Permissions.Sorted(),
		}), nil
}

func (h handlers) listOwn(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	return h.list(ctx, r, r.Scope.Caller.AccountID)
}

func (h handlers) listOfAccount(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := h.accountID(ctx, r)
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.list(ctx, r, id)
}

// accountID returns the id of the account in the path, if the caller's environment has it (V58).
func (h handlers) accountID(ctx context.Context, r *httpapi.Request) (string, error) {
	id, err := r.ID("id")
	if err != nil {
		return "", err
	}
	a, err := h.accounts.Get(ctx, r.Scope, id)
	if err != nil {
		return "", err
	}
	return id, account.CheckCredentialAct(r.Scope, credential.CloseSessions, a, h.now())
}

func (h handlers) list(ctx context.Context, r *httpapi.Request, accountID string) (httpapi.Response, error) {
	after, _, err := httpapi.OpenCursor[string](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	found, next, err := h.sessions.Sessions(ctx, accountID, after, r.QueryInt("limit"))
	if err != nil {
		return httpapi.Response{}, err
	}
	page := httpapi.Page[view]{Items: make([]view, len(found))}
	for i, s := range found {
		page.Items[i] = h.view(s, r.Scope.Caller.SessionID)
	}
	if next != "" {
		page.Next, err = httpapi.SealCursor(r, next)
	}
	return httpapi.OK(page), err
}

func (h handlers) view(s session.Session, current string) view {
	v := view{
		ID: s.ID, Client: s.Client, UserAgent: s.UserAgent, Location: s.Address, Start: s.Start,
		RefreshDue: s.RefreshDue, HardEnd: s.HardEnd, Reason: string(s.Reason), KeyID: s.KeyID, Current: s.ID == current,
		ClosedBy: s.ClosedBy,
	}
	switch {
	case !s.Closed.IsZero():
		v.Closed = &s.Closed
	case !h.now().Before(s.RefreshDue):
		v.Closed, v.Reason = &s.RefreshDue, "expired"
	}
	return v
}

func (h handlers) closeOwn(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	return h.close(ctx, r, r.Scope.Caller.AccountID, session.ClosedByOwner)
}

func (h handlers) closeOfAccount(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := h.accountID(ctx, r)
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.close(ctx, r, id, session.ClosedByAdmin)
}

func (h handlers) close(ctx context.Context, r *httpapi.Request, accountID string,
	why session.Reason,
) (httpapi.Response, error) {
	id, err := r.ID("sessionId")
	if err != nil {
		return httpapi.Response{}, err
	}
	_, err = h.sessions.Close(ctx, accountID, id, h.end(r, why))
	return httpapi.NoContent(), err
}

// end is the end of sessions that the caller closes now.
func (h handlers) end(r *httpapi.Request, why session.Reason) session.End {
	c := r.Scope.Caller
	return session.End{
		At: h.now().UTC().Truncate(time.Millisecond), Reason: why, By: c.Username, ByID: c.AccountID,
		FromAddress: r.SourceIP(),
	}
}

func (h handlers) closeOwnOthers(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	return h.closeAll(ctx, r, r.Scope.Caller.AccountID, session.ClosedByOwner)
}

func (h handlers) closeAllOfAccount(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := h.accountID(ctx, r)
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.closeAll(ctx, r, id, session.ClosedByAdmin)
}

// closeAll closes every open session of an account except that of the request. It reads them newest first and stops at
// one that is older than a session can last.
func (h handlers) closeAll(ctx context.Context, r *httpapi.Request, accountID string,
	why session.Reason,
) (httpapi.Response, error) {
	var out closedView
	for after := ""; ; {
		found, next, err := h.sessions.Sessions(ctx, accountID, after, 100)
		if err != nil {
			return httpapi.Response{}, err
		}
		for _, s := range found {
			switch {
			case h.now().Sub(s.Start) > session.MaxLifetime:
				return httpapi.OK(out), nil
			case s.ID == r.Scope.Caller.SessionID || !s.Closed.IsZero() || !h.now().Before(s.RefreshDue):
				continue
			}
			closed, err := h.sessions.Close(ctx, accountID, s.ID, h.end(r, why))
			if err != nil {
				return httpapi.Response{}, err
			}
			if closed {
				out.Closed++
			}
		}
		if after = next; next == "" {
			return httpapi.OK(out), nil
		}
	}
}
