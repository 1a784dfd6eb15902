package api

import (
	"context"
	"net/http"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

type resetBody struct {
	Unlock bool `json:"unlock,omitzero" help:"Also allow login access (Unlock user account)."`
}

type mailPasswordBody struct {
	Unlock bool `json:"unlock,omitzero" help:"Also allow login access (Unlock user account)."`
}

// generatedPasswordView is a generated password with the account as it is now.
type generatedPasswordView struct {
	Password string    `json:"password" help:"The generated password, shown this once. The person sets their own at the next sign-in, and has a quarter of an hour from then on to begin anew." example:"hK7w-pR2x-9mTe-Vb4n-Qz8s"`
	Expires  time.Time `json:"expires" help:"When the password stops signing in (UTC); a quarter of an hour after its first use, if that is sooner."`
	ID       string    `json:"id" help:"The account's id."`
	Version  int64     `json:"version" help:"The account's version by now; the ETag holds it."`
}

// seatView is one licence with its seats.
type seatView struct {
	Licence     string `json:"licence" example:"FULL"`
	Description string `json:"description"`
	Used        int64  `json:"used" help:"How many accounts hold the licence, locked ones not counted."`
	Seats       *int   `json:"seats" help:"How many may; null for any number."`
}

type seatList struct {
	Items []seatView `json:"items"`
}

// actionHandler makes a handler of what is done to an account without more being said.
func actionHandler(do func(context.Context, access.Scope, string, int64) (account.Account, error)) httpapi.HandlerFunc {
	return func(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
		id, version, err := action(r, nil)
		if err != nil {
			return httpapi.Response{}, err
		}
		return answer(r)(do(ctx, r.Scope, id, version))
	}
}

func (h handlers) reset(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in resetBody
	id, version, err := action(r, &in)
	if err != nil {
		return httpapi.Response{}, err
	}
	a, password, err := h.accounts.ResetPassword(ctx, r.Scope, id, version, in.Unlock)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(
		generatedPasswordView{Password: password, Expires: a.PasswordExpires, ID: a.ID, Version: a.Version}).WithVersion(
		a.Version), nil
}

func (h handlers) mailPassword(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in mailPasswordBody
	id, version, err := action(r, &in)
	if err != nil {
		return httpapi.Response{}, err
	}
	return answer(r)(h.accounts.MailPassword(ctx, r.Scope, id, version, in.Unlock))
}

func (h handlers) remove(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, version, err := action(r, nil)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.accounts.Delete(ctx, r.Scope, id, version)
}

func (h handlers) seats(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	found, err := h.accounts.SeatsInUse(ctx, r.Scope)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(seatList{newSeatViews(found)}), nil
}

func newSeatViews(found []account.SeatUse) []seatView {
	out := make([]seatView, len(found))
	for i, f := range found {
		out[i] = seatView{Licence: f.Licence, Description: f.Description, Used: f.Used}
		if f.Seats > 0 {
			out[i].Seats = &f.Seats
		}
	}
	return out
}

// seatsProblem is the problem of every write that can take a seat.
func seatsProblem() httpapi.Problem {
	return httpapi.Problem{Kind: fault.Conflict, Code: "seats",
		When: "The licence has a number of seats, and all are in use."}
}

// stateRoutes are the routes about an account's state; one is the answer with an account.
func stateRoutes(h handlers, one []httpapi.Answer) []httpapi.Route {
	administrator := httpapi.Problem{Kind: fault.Forbidden, Code: "administrator",
		When: "The account is an administrator's and you are none."}
	apiOnly := httpapi.Problem{Kind: fault.Conflict, Code: "apiOnly", When: "The licence of the account has no password."}
	return []httpapi.Route{
		{
			Key: "GET /api/accounts/seats", Needs: access.AccountRead, Handle: h.seats,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "List the seats in use", Description: "Of every licence, in the order of codes.",
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: seatList{}}},
			},
		},
		{
			Key: "DELETE /api/accounts/{id}", Needs: access.AccountDelete, Handle: h.remove,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Delete an account that was never used", IfMatchOptional: true,
				Description: "Username and email are free again; the id is never given again. The environment's log keeps who " +
					"deleted whom.",
				Answers: []httpapi.Answer{{Status: http.StatusNoContent, Description: "The account is deleted."}},
				Problems: []httpapi.Problem{
					{Kind: fault.Conflict, Code: "inUse",
						When: "It has signed in, or owns a used API key, a resource or a delegation; the fields list what. Lock it " +
							"instead."},
					{Kind: fault.Conflict, Code: "self", When: "You would delete yourself."}, administrator,
				},
			},
		},
		{
			Key: "POST /api/accounts/{id}/lock", Needs: access.AccountLock, Handle: actionHandler(h.accounts.Lock),
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Lock an account", IfMatchOptional: true,
				Description: "Takes it out of use: every session is over at its next request, its seat is free, and it leaves " +
					"the usual list. Whether login access is blocked stays as it is.",
				Answers:  one,
				Problems: []httpapi.Problem{{Kind: fault.Conflict, Code: "self", When: "You would lock yourself."}, administrator},
			},
		},
		{
			Key: "POST /api/accounts/{id}/unlock", Needs: access.AccountLock, Handle: actionHandler(h.accounts.Unlock),
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Unlock an account", IfMatchOptional: true,
				Description: "Takes it back into use, if its licence has a seat for it. A block of login access stays.",
				Answers:     one, Problems: []httpapi.Problem{seatsProblem(), administrator},
			},
		},
		{
			Key: "POST /api/accounts/{id}/reset-tries", Needs: access.AccountBlock, Handle: actionHandler(h.accounts.ResetTries),
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Reset the failed tries", IfMatchOptional: true,
				Description: "Also lifts the block that failed tries brought about; never an administrator's.",
				Answers:     one, Problems: []httpapi.Problem{administrator},
			},
		},
		{
			Key: "POST /api/accounts/{id}/force-password-change", Needs: access.AccountPassword,
			Handle: actionHandler(h.accounts.ForcePasswordChange),
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Force a change of password", IfMatchOptional: true,
				Description: "The person has to choose a new password at the next sign-in. Open sessions go on.",
				Answers:     one, Problems: []httpapi.Problem{apiOnly, administrator},
			},
		},
		{
			Key: "POST /api/accounts/{id}/mail-password", Needs: access.AccountPassword, Handle: h.mailPassword,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Mail a link to set a password", IfMatchOptional: true,
				Description: "Auto mail new password: the link works once, for as many hours as the environment's defaults say, " +
					"and replaces any before it. The present password stays until then. A block stays unless unlock is true.",
				Body: mailPasswordBody{}, Answers: one,
				Problems: []httpapi.Problem{
					apiOnly,
					{Kind: fault.Conflict, Code: "noEmail", When: "The account has no email."},
					{Kind: fault.Conflict, Code: "locked", When: "The account is locked."},
					{Kind: fault.Forbidden, Code: "aboveOwnRights", When: "The account holds permissions that you do not."},
				},
			},
		},
		{
			Key: "POST /api/accounts/{id}/auto-reset-password", Needs: access.AccountPassword, Idempotent: true, Handle: h.reset,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Give an account a generated password", IfMatchOptional: true, BodyOptional: true,
				Description: "The password is in this answer and nowhere else. It is a temporary one: it leads to the change of " +
					"it only, and is over at the time given, or a quarter of an hour after it first signed in. Ends every session " +
					"of the account. A block stays unless unlock is true.",
				Body:    resetBody{},
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: generatedPasswordView{}, ETag: true}},
				Problems: []httpapi.Problem{
					apiOnly, {Kind: fault.Conflict, Code: "self", When: "The account is your own: use POST /api/me/password."},
					{Kind: fault.Forbidden, Code: "aboveOwnRights", When: "The account holds permissions that you do not."},
				},
			},
		},
	}
}
