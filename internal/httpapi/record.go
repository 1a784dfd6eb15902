package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"unicode"

	"github.com/aws/aws-lambda-go/events"
)

// record is what a request leaves in the log besides what is known at its end.
type record struct {
	account, session, key, stack string
	// why is the real reason of a sign-in that failed.
	why      string
	replayed bool
	// trouble is an error that did not change the answer.
	trouble error
}

// recorded writes the request's one line. It names the route and never the path, the query, a header that can hold a
// credential, or a body: whatever a caller sends by mistake stays out of the log (V82, C50).
func (h *Handler) recorded(next step) step {
	return func(ctx context.Context, r *Request) (Response, error) {
		res, err := next(ctx, r)
		attrs := []slog.Attr{
			slog.String("requestId", r.id),
			slog.String("route", r.route.Key),
			slog.Int("status", res.Status),
			slog.Float64("ms", float64(h.Now().Sub(r.now).Microseconds())/1000),
			slog.String("ip", clipText(r.SourceIP(), 45)),
			slog.String("agent", r.UserAgent()),
		}
		add := func(name, text string) {
			if text != "" {
				attrs = append(attrs, slog.String(name, text))
			}
		}
		add("account", r.record.account)
		add("session", r.record.session)
		add("key", r.record.key)
		add("why", r.record.why)
		if res.problem != nil {
			add("code", res.problem.Code)
		}
		if r.record.replayed {
			attrs = append(attrs, slog.Bool("replayed", true))
		}
		if err != nil && res.Status >= http.StatusInternalServerError {
			add("error", clipText(err.Error(), 2000))
		}
		if r.record.trouble != nil {
			add("trouble", clipText(r.record.trouble.Error(), 2000))
		}
		add("stack", clipLines(r.record.stack, 8000))
		h.Log.LogAttrs(ctx, level(res.Status), "request", attrs...)
		return res, nil
	}
}

// level makes refusals of who is calling stand out (V81), and failures of ours more.
func level(status int) slog.Level {
	switch {
	case status >= http.StatusInternalServerError:
		return slog.LevelError
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusTooManyRequests:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// requestID returns the gateway's id of a request, or a new one where it has none that is plain text.
func requestID(event events.APIGatewayV2HTTPRequest, fresh func() string) string {
	id := event.RequestContext.RequestID
	plain := func(c rune) bool { return c > ' ' && c < 0x7f }
	if id == "" || len(id) > 100 || strings.ContainsFunc(id, func(c rune) bool { return !plain(c) }) {
		return fresh()
	}
	return id
}

// clipText returns at most n characters of text on one line, without control characters.
func clipText(text string, n int) string {
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

// clipLines bounds a stack; its lines are kept, JSON escapes them.
func clipLines(text string, n int) string {
	if len(text) > n {
		return strings.ToValidUTF8(text[:n], "") + "…"
	}
	return text
}
