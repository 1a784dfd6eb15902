package api

import (
	"context"
	"net/http"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mail"
)

// HealthRoutes returns the check for operators. Authentication has read the table before; the check reads the outbox.
func HealthRoutes(log *mail.CommunicationLog) []httpapi.Route {
	return []httpapi.Route{{
		Key: "GET /api/health/deep", Needs: access.SettingsRead,
		Handle: func(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
			if _, _, err := log.Page(ctx, r.Scope.Env, mail.Filter{}, "", 1); err != nil {
				r.LogWarning(err)
				return httpapi.Response{}, fault.New(fault.Unavailable, "outboxUnavailable",
					"The outbox of mails cannot be read. See the log of the settings function.")
			}
			return httpapi.OK(deepHealthView{Status: "ok", Table: "ok", Outbox: "ok"}), nil
		},
		Doc: httpapi.Operation{
			Tag: "About", ID: "checkHealth",
			Summary:     "Check what the service depends on",
			Description: "For operators: it reads the table, to authenticate the caller, and the outbox.",
			Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: deepHealthView{}}},
			Problems: []httpapi.Problem{
				{Kind: fault.Unavailable, Code: "outboxUnavailable", When: "The outbox of mails cannot be read."}},
		},
	}}
}

// deepHealthView says what could be read.
type deepHealthView struct {
	Status string `json:"status" enum:"ok"`
	Table  string `json:"table" enum:"ok"`
	Outbox string `json:"outbox" enum:"ok"`
}
