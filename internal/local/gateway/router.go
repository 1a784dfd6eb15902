package gateway

import (
	"net/url"
	"strings"

	"useraccounts/internal/samtemplate"
)

// Router finds the route of a request as an HTTP API does.
type Router struct {
	routes []route
}

type route struct {
	samtemplate.Route
	function string
	segments []segment
}

type segmentKind int

// The order is that of precedence.
const (
	static segmentKind = iota
	parameter
	greedy
)

type segment struct {
	kind segmentKind
	text string // the static text or the parameter's name
}

// Match is the route that a request takes.
type Match struct {
	Key        string // "GET /api/accounts/{id}", or "$default"
	Function   string
	Parameters map[string]string // decoded, as API Gateway hands them on
}

// NewRouter takes the routes of every function.
func NewRouter(functions []samtemplate.Function) *Router {
	r := &Router{}
	for _, f := range functions {
		for _, one := range f.Routes {
			r.routes = append(r.routes, route{Route: one, function: f.Name, segments: parsePath(one.Path)})
		}
	}
	return r
}

func parsePath(path string) []segment {
	if path == "$default" {
		return nil
	}
	var segments []segment
	for _, text := range strings.Split(path[1:], "/") {
		name, isParameter := strings.CutPrefix(text, "{")
		name = strings.TrimSuffix(name, "}")
		switch {
		case !isParameter:
			segments = append(segments, segment{kind: static, text: text})
		case strings.HasSuffix(name, "+"):
			segments = append(segments, segment{kind: greedy, text: strings.TrimSuffix(name, "+")})
		default:
			segments = append(segments, segment{kind: parameter, text: name})
		}
	}
	return segments
}

// Find picks the most specific route that fits method and path: a static segment before a parameter before a greedy
// one, from the left; then the route of the method before ANY; $default when nothing else fits. The path is the escaped
// one.
func (r *Router) Find(method, escapedPath string) (Match, bool) {
	parts := strings.Split(strings.TrimPrefix(escapedPath, "/"), "/")
	var best *route
	for i := range r.routes {
		candidate := &r.routes[i]
		fits := candidate.Path == "$default" ||
			(candidate.Method == method || candidate.Method == "ANY") && candidate.fits(parts)
		if fits && (best == nil || candidate.before(best)) {
			best = candidate
		}
	}
	if best == nil {
		return Match{}, false
	}
	return Match{Key: best.Key(), Function: best.function, Parameters: best.parameters(parts)}, true
}

func (r *route) fits(parts []string) bool {
	for i, s := range r.segments {
		if i >= len(parts) {
			return false
		}
		switch s.kind {
		case greedy:
			return parts[i] != ""
		case parameter:
			if parts[i] == "" {
				return false
			}
		case static:
			if unescape(parts[i]) != s.text {
				return false
			}
		}
	}
	return len(parts) == len(r.segments)
}

func (r *route) before(other *route) bool {
	if (r.Path == "$default") != (other.Path == "$default") {
		return other.Path == "$default"
	}
	for i := range min(len(r.segments), len(other.segments)) {
		if r.segments[i].kind != other.segments[i].kind {
			return r.segments[i].kind < other.segments[i].kind
		}
	}
	return r.Method != "ANY" && other.Method == "ANY"
}

func (r *route) parameters(parts []string) map[string]string {
	var found map[string]string
	for i, s := range r.segments {
		if s.kind == static {
			continue
		}
		if found == nil {
			found = map[string]string{}
		}
		value := parts[i]
		if s.kind == greedy {
			value = strings.Join(parts[i:], "/")
		}
		found[s.text] = unescape(value)
	}
	return found
}

func unescape(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}
