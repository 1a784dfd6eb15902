package httpapi

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"useraccounts/internal/fault"
)

// The cookies of a browser that signs in through the console. The prefix makes browsers refuse one without Secure, with
// a Domain or for another path (V37, C29).
const (
	AccessCookie        = "__Host-access"
	RefreshCookie       = "__Host-refresh"
	TrustedDeviceCookie = "__Host-device"
)

// webHeader is what a page of ours sends with every request that changes something: a page of another origin cannot,
// without asking first, and is told no (V48). Its value is webClient.
const (
	webHeader = "x-ua-client"
	webClient = "web"
)

// Cookie returns the value of a cookie, empty for none. One that is there twice is none: two parties set it.
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

// CheckWebClient reports whether the request comes from our own page, which wants cookies rather than tokens. One that
// says so and comes from another origin is a fault.
func (r *Request) CheckWebClient() (bool, error) {
	if r.header(webHeader) != webClient {
		return false, nil
	}
	return true, r.checkSameOrigin()
}

// WithCookie adds a cookie that lasts for a time; an empty value, or no time left, takes it away.
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

// accessToken returns the token that a request comes with. An Authorization header wins over a cookie: no page of
// another origin can send one, and a client that sends both means the one it wrote itself. A cookie alone is taken
// where nothing is changed, or where the request proves to be our own page's (V48).
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

// checkSameOrigin holds what the browser says of where a request comes from against the one address we have. Each
// statement that is there must be right, and one of the two must be there.
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

// originOf returns scheme, host and port of an address as browsers write them.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

func crossOrigin() error {
	return fault.New(fault.Forbidden, "crossOrigin",
		"A request that comes with a cookie and changes something is taken from our own pages only: with X-UA-Client: "+
			"web, and the Origin that this service is reached at. Programs send the access token as Authorization: Bearer.")
}
