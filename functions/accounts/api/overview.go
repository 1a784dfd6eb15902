package api

import (
	"context"
	"net/http"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/overview"
)

// OverviewRoutes returns the route of the home page.
func OverviewRoutes(service *overview.Service) []httpapi.Route {
	return []httpapi.Route{{
		Key: "GET /api/overview", Needs: access.AccountRead,
		Handle: func(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
			found, err := service.Get(ctx, r.Scope)
			if err != nil {
				return httpapi.Response{}, err
			}
			return httpapi.OK(newOverviewView(found)), nil
		},
		Doc: httpapi.Operation{
			Tag: tag, Summary: "Read the figures of the home page",
			Description: "What concerns the whole directory is counted when somebody looks and the figures are older than " +
				"five minutes; counted says when. The rest is as it is. All days are those of UTC.",
			Answers: []httpapi.Answer{{Status: http.StatusOK, Body: overviewView{}}},
		},
	}}
}

type overviewView struct {
	Counted  time.Time  `json:"counted" help:"When accounts, starts and ends were counted (UTC)."`
	Accounts statesView `json:"accounts" help:"Accounts by state."`
	Seats    []seatView `json:"seats" help:"The licences with their seats, in the order of codes."`
	SignIns  []dayView  `json:"signIns" help:"The last 14 days, oldest first, today last."`
	Starts   soonView   `json:"starts" help:"Active accounts whose Date from is today or within 7 days."`
	Ends     soonView   `json:"ends" help:"Active accounts whose Date to is today or within 7 days."`
	Jobs     []jobView  `json:"jobs" help:"Imports and exports that run or wait, first submitted first, at most 10: your own, or everybody's for administrators."`
	Keys     *keysView  `json:"keys,omitzero" help:"API keys that expire within 14 days. Left out for callers who come by an API key."`
}

type statesView struct {
	Active              int `json:"active" help:"Not locked."`
	Locked              int `json:"locked" help:"Out of use; counted here alone."`
	Allowed             int `json:"allowed" help:"Active ones whose login access is allowed."`
	Blocked             int `json:"blocked" help:"Active ones blocked by an administrator."`
	BlockedByTries      int `json:"blockedByTries" help:"Active ones blocked by failed tries."`
	NotYetAllowed       int `json:"notYetAllowed" help:"Active ones whose login access was never allowed."`
	OutOfDates          int `json:"outOfDates" help:"Active ones before their Date from or after their Date to."`
	SecondFactor        int `json:"secondFactor" help:"Active ones with a second factor."`
	SecondFactorMissing int `json:"secondFactorMissing" help:"Active ones that need a second factor and have none."`
}

type dayView struct {
	Date     string `json:"date" format:"date" example:"2026-11-23"`
	SignIns  int64  `json:"signIns" help:"Sign-ins that succeeded."`
	Failures int64  `json:"failures" help:"Sign-ins that were refused at any step, unknown usernames and wrong codes included."`
}

type soonView struct {
	Count int          `json:"count" help:"How many there are."`
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
	By        string    `json:"by" help:"The username of who submitted it."`
	Submitted time.Time `json:"submitted"`
}

type keysView struct {
	Count int            `json:"count" help:"How many there are, counted up to 500."`
	Items []expiringView `json:"items" help:"The first 20 to expire."`
}

type expiringView struct {
	ID          string    `json:"id"`
	AccountID   string    `json:"accountId"`
	Username    string    `json:"username" help:"Of its account."`
	Description string    `json:"description"`
	Expires     time.Time `json:"expires"`
}

func newOverviewView(o overview.Overview) overviewView {
	out := overviewView{
		Counted: o.At, Accounts: statesView(o.States), Seats: newSeatViews(o.Seats), SignIns: make([]dayView, len(o.Days)),
		Starts: newSoonView(o.Starts), Ends: newSoonView(o.Ends), Jobs: make([]jobView, len(o.Jobs)),
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

func newSoonView(s overview.Upcoming) soonView {
	out := soonView{Count: s.Count, Items: make([]personView, len(s.First))}
	for i, p := range s.First {
		out.Items[i] = personView{ID: p.ID, Username: p.Username, Name: p.Name, Date: string(p.Date)}
	}
	return out
}
