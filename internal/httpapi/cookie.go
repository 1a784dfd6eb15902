package httpapi

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"useraccounts/internal/fault"
)

// The cookies of a browser that signed in through the console. The prefix makes browsers refuse a cookie without
// Secure, with a Domain or for another path (V37, C29).
const (
	AccessCookie        = "__Host-access"
	RefreshCookie       = "__Host-refresh"
	TrustedDeviceCookie = "__Host-device"
)

// webHeader is the header that our own pages send with every change, with the value webClient. A page of another origin
// cannot send it without a CORS preflight, which is refused (V48).
const (
	webHeader = "x-ua-client"
	webClient = "web"
)

// Cookie returns the value of a cookie, empty for none. A cookie that is sent twice counts as none: two parties set it.
func (r *Request) Cookie(name string) string {
	found, times := "", 0
	for _, cookie := range r.event.Cookies {
		if value, ok := strings.CutPrefix(strings.TrimSpace(cookie), name+"="); ok {
			found, times = value, times+1
		}
	}
	if times != 1 || len(found) > maxToken {
		return ""
	}
	return found
}

// CheckWebClient reports whether the request comes from our own page, which gets cookies instead of tokens. A request
// that claims so and comes from another origin is a fault.
func (r *Request) CheckWebClient() (bool, error) {
	if r.header(webHeader) != webClient {
		return false, nil
	}
	return true, r.checkSameOrigin()
}

// WithCookie adds a cookie with a lifetime. An empty value or lifetime deletes it.
func (r Response) WithCookie(name, value string, lifetime time.Duration) Response {
	seconds := int64(max(lifetime, 0) / time.Second)
	if value == "" {
		seconds = 0
	}
	if seconds == 0 {
		value = ""
	}
	r.Cookies = append(r.Cookies[:len(r.Cookies):len(r.Cookies)],
		name+"="+value+"; Path=/; Max-Age="+strconv.FormatInt(seconds, 10)+"; Secure; HttpOnly; SameSite=Strict")
	return r
}

// accessToken returns the request's access token. An Authorization header takes precedence over a cookie: no page of
// another origin can send one. A cookie alone is accepted for a read, or for a change from our own page (V48).
func (r *Request) accessToken() (string, error) {
	if r.has("authorization") {
		return parseBearer(r.header("authorization"))
	}
	token := r.Cookie(AccessCookie)
	if token == "" {
		return "", sessionRequired()
	}
	if method := r.route.Method(); method != http.MethodGet {
		web, err := r.CheckWebClient()
		if err != nil {
			return "", err
		}
		if !web {
			return "", crossOrigin()
		}
	}
	return parseBearer("Bearer " + token)
}

// checkSameOrigin compares Origin and Sec-Fetch-Site with the service's address. Each header that is sent must match,
// and at least one must be sent.
func (r *Request) checkSameOrigin() error {
	origin, site := r.header("origin"), r.header("sec-fetch-site")
	switch {
	case r.publicURL == "", origin == "" && site == "":
		return crossOrigin()
	case origin != "" && origin != originOf(r.publicURL):
		return crossOrigin()
	case site != "" && site != "same-origin":
		return crossOrigin()
	}
	return nil
}

// originOf returns scheme, host and port of an address, as browsers write an origin.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

func crossOrigin() error {
	return fault.New(fault.Forbidden, "crossOrigin",
		"Changes with a cookie are accepted from the service's own pages only, with X-UA-Client: web and the service's "+
			"Origin. Programs send the access token as Authorization: Bearer.")
}
