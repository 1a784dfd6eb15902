package api

import (
	"context"
	"net/http"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/overview"
)

func (h handlers) overviewRoutes() []httpapi.Route {
	return []httpapi.Route{{
		Key: "GET /api/overview", Needs: access.AccountRead, Handle: h.overview,
		Doc: httpapi.Operation{
			Tag: tag, ID: "getOverview",
			Summary: "Read the statistics of the home page",
			Description: "Accounts, starts and ends are counted again if the last count is older than five minutes; counted " +
				"says when that was. Everything else is current. All days are UTC.",
			Answers: []httpapi.Answer{{Status: http.StatusOK, Body: overviewView{}}},
		},
	}}
}

func (h handlers) overview(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	found, err := h.Overview.Get(ctx, r.Scope)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(newOverviewView(found)), nil
}

type overviewView struct {
	Counted  time.Time    `json:"counted" help:"When accounts, starts and ends were counted (UTC)."`
	Accounts statesView   `json:"accounts" help:"Accounts by state."`
	Seats    []seatView   `json:"seats" help:"The licences with their seats, in the order of codes."`
	SignIns  []dayView    `json:"signIns" help:"The last 14 days, oldest first, today last."`
	Starts   upcomingView `json:"starts" help:"Active accounts whose Date from is today or within 7 days."`
	Ends     upcomingView `json:"ends" help:"Active accounts whose Date to is today or within 7 days."`
	Jobs     []jobView    `json:"jobs" help:"Imports and exports that run or wait, in the order in which they were submitted, at most 10: your own, or everybody's for administrators."`
	Keys     *keysView    `json:"keys,omitzero" help:"API keys that expire within 14 days. Left out for callers with an API key."`
}

type statesView struct {
	ByStatus            map[account.Status]int `json:"byStatus" help:"How many accounts have each status; left out where it is none."`
	Active              int                    `json:"active" help:"Not locked."`
	Locked              int                    `json:"locked" help:"Out of use; not in any other count."`
	Allowed             int                    `json:"allowed" help:"Active accounts whose login access is allowed."`
	Blocked             int                    `json:"blocked" help:"Active accounts blocked by an administrator."`
	BlockedByTries      int                    `json:"blockedByTries" help:"Active accounts blocked by failed tries."`
	NotYetAllowed       int                    `json:"notYetAllowed" help:"Active accounts whose login access is not yet allowed."`
	OutOfDates          int                    `json:"outOfDates" help:"Active accounts before their Date from or after their Date to."`
	SecondFactor        int                    `json:"secondFactor" help:"Active accounts with a second factor."`
	SecondFactorMissing int                    `json:"secondFactorMissing" help:"Active accounts that need a second factor and have none."`
}

type dayView struct {
	Date     string `json:"date" format:"date" example:"2026-11-23"`
	SignIns  int64  `json:"signIns" help:"Sign-ins that succeeded."`
	Failures int64  `json:"failures" help:"Sign-ins that failed at any step, with unknown usernames and wrong codes."`
}

type upcomingView struct {
	Count int          `json:"count" help:"How many accounts there are."`
	Items []personView `json:"items" help:"The first 20, by day and username."`
}

type personView struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
	Date     string `json:"date" format:"date" example:"2026-11-23"`
}

type jobView struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind" enum:"import|export|undo"`
	State     string    `json:"state" enum:"submitted|checking|writing|rollingBack"`
	By        string    `json:"by" help:"The username that submitted it."`
	Submitted time.Time `json:"submitted"`
}

type keysView struct {
	Count int            `json:"count" help:"How many keys there are, counted up to 500."`
	Items []expiringView `json:"items" help:"The first 20 to expire."`
}

type expiringView struct {
	ID          string    `json:"id"`
	AccountID   string    `json:"accountId"`
	Username    string    `json:"username" help:"The username of its account."`
	Description string    `json:"description"`
	Expires     time.Time `json:"expires"`
}

func newOverviewView(o overview.Overview) overviewView {
	out := overviewView{
		Counted: o.At, Accounts: statesView(o.States), Seats: newSeatViews(o.Seats), SignIns: make([]dayView, len(o.Days)),
		Starts: newUpcomingView(o.Starts), Ends: newUpcomingView(o.Ends), Jobs: make([]jobView, len(o.Jobs)),
	}
	for i, d := range o.Days {
		out.SignIns[i] = dayView(d)
	}
	for i, j := range o.Jobs {
		out.Jobs[i] = jobView(j)
	}
	if o.Keys != nil {
		out.Keys = &keysView{Count: o.KeyCount, Items: make([]expiringView, len(o.Keys))}
		for i, k := range o.Keys {
			out.Keys.Items[i] = expiringView{ID: k.ID, AccountID: k.AccountID, Username: k.Username, Description: k.Description,
				Expires: k.Expires}
		}
	}
	return out
}

func newUpcomingView(s overview.Upcoming) upcomingView {
	out := upcomingView{Count: s.Count, Items: make([]personView, len(s.First))}
	for i, p := range s.First {
		out.Items[i] = personView{ID: p.ID, Username: p.Username, Name: p.Name, Date: string(p.Date)}
	}
	return out
}
