package api

import (
	"context"
	"net/http"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mail"
)

// CommunicationRoutes returns the route of the communication log.
func CommunicationRoutes(log *mail.CommunicationLog) []httpapi.Route {
	h := communications{log}
	kinds := make([]string, 0, len(mail.Kinds()))
	for _, k := range mail.Kinds() {
		kinds = append(kinds, string(k))
	}
	return []httpapi.Route{{
		Key: "GET /api/communications", Needs: access.CommunicationRead, Handle: h.list,
		Query: []httpapi.Param{
			httpapi.Limit(50, 200), httpapi.Cursor(),
			{Name: "kind", Kind: httpapi.EnumParam, Choices: kinds, Help: "Only mails of this kind."},
			{Name: "state", Kind: httpapi.EnumParam,
				Choices: []string{string(mail.Queued), string(mail.Sent), string(mail.Failed)},
				Help:    "Only mails in this state."},
			{Name: "account", Kind: httpapi.IDParam, Help: "Only mails about the account with this id."},
			{Name: "from", Kind: httpapi.InstantParam, Help: "Only from this instant, or day (UTC), on.",
				Example: "2026-01-31T08:00:00Z"},
			{Name: "to", Kind: httpapi.InstantParam, Help: "Only up to this instant, or the end of this day (UTC).",
				Example: "2026-02-01T00:00:00Z"},
		},
		Doc: httpapi.Operation{
			Tag: "Communication log", ID: "listCommunications",
			Summary: "List mails",
			Description: "Mails that were sent, failed, or wait to be sent, newest first. A page can have fewer than `limit` " +
				"and still have a `next`. The text of a mail is not kept.",
			Answers: []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.Page[communicationView]{}}},
		},
	}}
}

type communications struct{ log *mail.CommunicationLog }

// communicationView is one mail.
type communicationView struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at" help:"When it was written (UTC)."`
	Kind      string    `json:"kind" help:"What the mail is about." example:"passwordLink"`
	Subject   string    `json:"subject" example:"Set your password"`
	Recipient string    `json:"recipient" example:"j.doe@example.com"`
	AccountID string    `json:"accountId"`
	Username  string    `json:"username"`
	State     string    `json:"state" enum:"queued|sent|failed"`
	Attempts  int64     `json:"attempts" help:"How often sending was tried."`
	Ended     time.Time `json:"ended,omitzero" help:"When it was sent, or failed for good (UTC)."`
	Reason    string    `json:"reason,omitzero" help:"Why it failed, or is still waiting."`
	// Confirmation is present if the environment asks for it.
	Confirmation *confirmationView `json:"confirmation,omitzero" help:"The delivery of a mail about a password, if the environment default Reset password confirmation is set."`
}

type confirmationView struct {
	Delivered time.Time `json:"delivered" help:"When the mail service accepted it (UTC)."`
	MessageID string    `json:"messageId" help:"The mail service's id of it."`
}

func (h communications) list(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	before, _, err := httpapi.OpenCursor[string](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	records, next, err := h.log.Page(ctx, r.Scope.Env, mail.Filter{
		Kind: mail.Kind(r.Query("kind")), State: mail.State(r.Query("state")), AccountID: r.Query("account"),
		From: instantOf(r, "from", 0), To: instantOf(r, "to", 24*time.Hour-time.Millisecond),
	}, before, r.QueryInt("limit"))
	if err != nil {
		return httpapi.Response{}, err
	}
	page := httpapi.Page[communicationView]{Items: make([]communicationView, len(records))}
	for i, record := range records {
		page.Items[i] = viewOf(record, r.Scope.Env.Settings.ResetConfirmation)
	}
	if next != "" {
		page.Next, err = httpapi.SealCursor(r, next)
	}
	return httpapi.OK(page), err
}

func viewOf(m mail.LogEntry, confirm bool) communicationView {
	v := communicationView{
		ID: m.ID, At: m.At, Kind: string(m.Kind), Subject: mail.Subject(m.Kind), Recipient: m.To, AccountID: m.AccountID,
		Username: m.Username,
		State:    string(m.State), Attempts: m.Attempts, Ended: m.Ended, Reason: m.Reason,
	}
	if confirm && m.Kind.AboutPassword() && m.State == mail.Sent {
		v.Confirmation = &confirmationView{Delivered: m.Ended, MessageID: m.MessageID}
	}
	return v
}

// instantOf returns a query parameter that is an instant, zero without one. after is added to the start of a day.
func instantOf(r *httpapi.Request, name string, after time.Duration) time.Time {
	if day, err := time.Parse(time.DateOnly, r.Query(name)); err == nil {
		return day.Add(after)
	}
	at, _ := time.Parse(time.RFC3339, r.Query(name)) // checked before the handler ran
	return at
}
