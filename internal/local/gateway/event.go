package gateway

import (
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// requestMeta is what is known of a request beside the request itself.
type requestMeta struct {
	id   string
	at   time.Time
	body []byte
}

// event turns a request into the payload 2.0 of an HTTP API. Like the real one it hands on a decoded path and an
// encoded query, headers in lower case with repeats joined by commas, and cookies apart from the headers.
func event(r *http.Request, m Match, a requestMeta) events.APIGatewayV2HTTPRequest {
	source := sourceIP(r)
	path := r.URL.Path
	e := events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RouteKey:              m.Key,
		RawPath:               path,
		RawQueryString:        r.URL.RawQuery,
		Cookies:               cookies(r.Header),
		Headers:               headers(r, source),
		QueryStringParameters: query(r.URL.RawQuery),
		PathParameters:        m.Parameters,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: m.Key, AccountID: "000000000000", Stage: "$default", RequestID: a.id, APIID: "local",
			DomainName: r.Host, DomainPrefix: strings.SplitN(r.Host, ".", 2)[0],
			Time: a.at.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: a.at.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: source, UserAgent: r.UserAgent(),
			},
		},
	}
	e.Body, e.IsBase64Encoded = requestBody(r.Header, a.body)
	return e
}

// sourceIP is the address of the connection, never of a header: what a caller claims is no fact.
func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func headers(r *http.Request, source string) map[string]string {
	joined := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		if name != "Cookie" {
			joined[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	if r.ContentLength >= 0 && r.Header.Get("Content-Length") == "" &&
		(r.ContentLength > 0 || r.Method != http.MethodGet) {
		joined["content-length"] = itoa(r.ContentLength)
	}
	// API Gateway adds the caller to the end of what came, and states the port and protocol of its own side.
	joined["x-forwarded-for"] = source
	if came := r.Header.Get("X-Forwarded-For"); came != "" {
		joined["x-forwarded-for"] = came + ", " + source
	}
	joined["x-forwarded-proto"] = "http"
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		joined["x-forwarded-port"] = port
	}
	return joined
}

func cookies(h http.Header) []string {
	var all []string
	for _, line := range h["Cookie"] {
		for _, one := range strings.Split(line, ";") {
			if one = strings.TrimSpace(one); one != "" {
				all = append(all, one)
			}
		}
	}
	return all
}

// query decodes the parameters; the values of a repeated one are joined with commas in their order.
func query(raw string) map[string]string {
	if raw == "" {
		return nil
	}
	joined := map[string]string{}
	for _, pair := range strings.Split(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = queryUnescape(name), queryUnescape(value)
		if former, again := joined[name]; again {
			value = former + "," + value
		}
		joined[name] = value
	}
	return joined
}

func queryUnescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// requestBody is text for the few types that API Gateway takes for text, and base64 for everything else, a form or
// application/problem+json included.
func requestBody(h http.Header, body []byte) (text string, encoded bool) {
	if len(body) == 0 {
		return "", false
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err == nil && h.Get("Content-Encoding") == "" && utf8.Valid(body) {
		switch {
		case strings.HasPrefix(kind, "text/"), kind == "application/json", kind == "application/javascript",
			kind == "application/xml":
			return string(body), false
		}
	}
	return base64.StdEncoding.EncodeToString(body), true
}
