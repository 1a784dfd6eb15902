package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"unicode"

	"github.com/aws/aws-lambda-go/events"
)

// logFields are the fields of the request's log line that are set while it is handled.
type logFields struct {
	account, session, key, stack string
	// reason is the real reason of a failed sign-in.
	reason   string
	replayed bool
	// warning is an error that did not change the response.
	warning error
}

// withLogging writes one log line per request. It names the route, and never the path, the query, a header that can
// hold a credential, or a body: what a caller sends by mistake stays out of the log (V82, C50).
func (h *Handler) withLogging(next HandlerFunc) HandlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		res, err := next(ctx, r)
		attrs := []slog.Attr{
			slog.String("requestId", r.id),
			slog.String("route", r.route.Key),
			slog.Int("status", res.Status),
			slog.Float64("ms", float64(h.Now().Sub(r.now).Microseconds())/1000),
			slog.String("ip", singleLine(r.SourceIP(), 45)),
			slog.String("agent", r.UserAgent()),
		}
		add := func(name, text string) {
			if text != "" {
				attrs = append(attrs, slog.String(name, text))
			}
		}
		add("account", r.logFields.account)
		add("session", r.logFields.session)
		add("key", r.logFields.key)
		add("why", r.logFields.reason)
		if res.problem != nil {
			add("code", res.problem.Code)
		}
		if r.logFields.replayed {
			attrs = append(attrs, slog.Bool("replayed", true))
		}
		if err != nil && res.Status >= http.StatusInternalServerError {
			add("error", singleLine(err.Error(), 2000))
		}
		if r.logFields.warning != nil {
			add("trouble", singleLine(r.logFields.warning.Error(), 2000))
		}
		add("stack", truncate(r.logFields.stack, 8000))
		h.Log.LogAttrs(ctx, level(res.Status), "request", attrs...)
		return res, nil
	}
}

// level is a warning for refused callers (V81), and an error for failures of our own.
func level(status int) slog.Level {
	switch {
	case status >= http.StatusInternalServerError:
		return slog.LevelError
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusTooManyRequests:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// requestID returns the gateway's id of a request, or a new id if that is missing or not plain text.
func requestID(event events.APIGatewayV2HTTPRequest, fresh func() string) string {
	id := event.RequestContext.RequestID
	plain := func(c rune) bool { return c > ' ' && c < 0x7f }
	if id == "" || len(id) > 100 || strings.ContainsFunc(id, func(c rune) bool { return !plain(c) }) {
		return fresh()
	}
	return id
}

// singleLine returns at most n characters of text on one line, without control characters.
func singleLine(text string, n int) string {
	clean := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "�"))
	if r := []rune(clean); len(r) > n {
		return string(r[:n]) + "…"
	}
	return clean
}

// truncate bounds a stack in bytes. It keeps line breaks, which JSON escapes.
func truncate(text string, n int) string {
	if len(text) > n {
		return strings.ToValidUTF8(text[:n], "") + "…"
	}
	return text
}
