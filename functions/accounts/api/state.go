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
	Password string    `json:"password" help:"The generated password, shown only this once. The person sets their own at the next sign-in; from then on it works for another quarter of an hour, in case they have to start again." example:"hK7w-pR2x-9mTe-Vb4n-Qz8s"`
	Expires  time.Time `json:"expires" help:"When the password expires (UTC); a quarter of an hour after its first use if that is sooner."`
	ID       string    `json:"id" help:"The account's id."`
	Version  int64     `json:"version" help:"The account's new version, as in the ETag."`
}

// seatView is one licence with its seats.
type seatView struct {
	Licence     string `json:"licence" example:"FULL"`
	Description string `json:"description"`
	Used        int64  `json:"used" help:"How many accounts have the licence, without locked ones."`
	Seats       *int   `json:"seats" help:"How many accounts may have it; null for any number."`
}

type seatList struct {
	Items []seatView `json:"items"`
}

// actionHandler makes a handler of what is done to an account without more being said.
func (h handlers) actionHandler(
	do func(context.Context, access.Scope, string, int64) (account.Account, error),
) httpapi.HandlerFunc {
	return func(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
		id, version, err := action(r, nil)
		if err != nil {
			return httpapi.Response{}, err
		}
		return h.answer(r)(do(ctx, r.Scope, id, version))
	}
}

func (h handlers) reset(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in resetBody
	id, version, err := action(r, &in)
	if err != nil {
		return httpapi.Response{}, err
	}
	a, password, err := h.Accounts.ResetPassword(ctx, r.Scope, id, version, in.Unlock)
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
	return h.answer(r)(h.Accounts.MailPassword(ctx, r.Scope, id, version, in.Unlock))
}

func (h handlers) remove(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, version, err := action(r, nil)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.Accounts.Delete(ctx, r.Scope, id, version)
}

func (h handlers) seats(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	found, err := h.Accounts.SeatsInUse(ctx, r.Scope)
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

// stateRoutes are the routes about an account's state; ok is the answer with an account.
func (h handlers) stateRoutes(ok []httpapi.Answer) []httpapi.Route {
	return append([]httpapi.Route{
		{
			Key: "GET /api/accounts/seats", Needs: access.AccountRead, Handle: h.seats,
			Doc: httpapi.Operation{
				Tag: tag, ID: "listSeats",
				Summary: "List the seats in use", Description: "All licences, in the order of codes.",
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: seatList{}}},
			},
		},
		{
			Key: "DELETE /api/accounts/{id}", Needs: access.AccountDelete, Handle: h.remove,
			Doc: httpapi.Operation{
				Tag: tag, ID: "deleteAccount",
				Summary: "Delete an account that was never used", IfMatchOptional: true,
				Description: "The username and the email become free again; the id is never used again. The environment's log " +
					"keeps who deleted whom.",
				Answers: []httpapi.Answer{{Status: http.StatusNoContent, Description: "The account is deleted."}},
				Problems: []httpapi.Problem{
					{Kind: fault.Conflict, Code: "inUse",
						When: "The account has signed in, or has a used API key, a resource or a delegation; see `fields`. Lock " +
							"the account instead."},
					selfProblem("You would delete yourself."), administratorProblem(),
				},
			},
		},
		{
			Key: "POST /api/accounts/{id}/lock", Needs: access.AccountLock, Handle: h.actionHandler(h.Accounts.Lock),
			Doc: httpapi.Operation{
				Tag: tag, ID: "lockAccount",
				Summary: "Lock an account", IfMatchOptional: true,
				Description: "Takes the account out of use: every session ends at its next request, the seat is free, and the " +
					"account is not in the list of active accounts. Whether login access is blocked does not change.",
				Answers: ok, Problems: []httpapi.Problem{selfProblem("You would lock yourself."), administratorProblem()},
			},
		},
		{
			Key: "POST /api/accounts/{id}/unlock", Needs: access.AccountLock, Handle: h.actionHandler(h.Accounts.Unlock),
			Doc: httpapi.Operation{
				Tag: tag, ID: "unlockAccount",
				Summary: "Unlock an account", IfMatchOptional: true,
				Description: "Puts a locked account back into use, if its licence has a free seat. A block of login access stays.",
				Answers:     ok, Problems: []httpapi.Problem{seatsProblem(), administratorProblem()},
			},
		},
		{
			Key: "POST /api/accounts/{id}/reset-tries", Needs: access.AccountBlock,
			Handle: h.actionHandler(h.Accounts.ResetTries),
			Doc: httpapi.Operation{
				Tag: tag, ID: "resetFailedTries",
				Summary: "Reset the failed tries", IfMatchOptional: true,
				Description: "Also lifts a block by failed tries, but never a block by an administrator.",
				Answers:     ok, Problems: []httpapi.Problem{administratorProblem()},
			},
		},
	}, h.passwordRoutes(ok)...)
}

// passwordRoutes are the routes by which an administrator changes or renews a password, besides setting one.
func (h handlers) passwordRoutes(ok []httpapi.Answer) []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "POST /api/accounts/{id}/force-password-change", Needs: access.AccountPassword,
			Handle: h.actionHandler(h.Accounts.ForcePasswordChange),
			Doc: httpapi.Operation{
				Tag: tag, ID: "forcePasswordChange",
				Summary: "Force a change of password", IfMatchOptional: true,
				Description: "The person has to choose a new password at the next sign-in. Open sessions go on.",
				Answers:     ok, Problems: []httpapi.Problem{apiOnlyProblem(), administratorProblem()},
			},
		},
		{
			Key: "POST /api/accounts/{id}/mail-password", Needs: access.AccountPassword, Handle: h.mailPassword,
			Doc: httpapi.Operation{
				Tag: tag, ID: "mailPasswordLink",
				Summary: "Mail a link to set a password", IfMatchOptional: true,
				Description: "Auto mail new password: the link works once, for as many hours as the environment defaults say, " +
					"and replaces any earlier link. The present password works until then. A block stays unless unlock is true.",
				Body: mailPasswordBody{}, Answers: ok,
				Problems: []httpapi.Problem{
					apiOnlyProblem(),
					{Kind: fault.Conflict, Code: "noEmail", When: "The account has no email."},
					lockedProblem("The account is locked."),
					rightsProblem(),
				},
			},
		},
		{
			Key: "POST /api/accounts/{id}/auto-reset-password", Needs: access.AccountPassword, Idempotent: true,
			ShownOnce: true, Handle: h.reset,
			Doc: httpapi.Operation{
				Tag: tag, ID: "generatePassword", Secret: true,
				Summary: "Give an account a generated password", IfMatchOptional: true, BodyOptional: true,
				Description: "This answer is the only place with the password. It is temporary: it only leads to a change of " +
					"password, and it expires at the time given, or a quarter of an hour after its first use if that is sooner. " +
					"Ends every session of the account. A block stays unless unlock is true.",
				Body:    resetBody{},
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: generatedPasswordView{}, ETag: true}},
				Problems: []httpapi.Problem{
					apiOnlyProblem(), selfProblem("This is your own account: change your password with POST /api/me/password."),
					lockedProblem(unlockLocked), rightsProblem(),
				},
			},
		},
	}
}
