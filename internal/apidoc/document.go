// Package apidoc generates the API reference from the functions' route tables: an OpenAPI 3.1 document for programs and
// a page for people. It adds no statements of its own: a mistake in its output is a mistake in a route table.
package apidoc

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

//go:embed description.md
var apiDescription string

// New returns the document of the given route tables, in their order, or an error with everything that they lack.
func New(tables ...[]httpapi.Route) (*Document, error) {
	doc := &Document{
		OpenAPI: "3.1.0",
		Info: Info{
			Title: "User Accounts", Version: Version, Summary: "Accounts, sign-in and spreadsheet transfers",
			Description: strings.TrimSpace(apiDescription),
			Contact:     Named{Name: "The administrators of the deployment"},
			License:     Named{"Proprietary", "LicenseRef-Proprietary"},
		},
		Servers: []Server{{URL: "/", Description: "The deployment that serves this document"}},
	}
	b := builder{doc: doc, elsewhere: []Problem{{Status: http.StatusServiceUnavailable, Code: "noEnvironment",
		When: "The stack was deployed, but its environment is not set up yet: run make seed."}}}
	for _, table := range tables {
		for _, route := range table {
			if route.Key == "$default" {
				b.elsewhere = append(b.elsewhere, serverProblems(route)...)
				continue
			}
			b.add(route)
		}
	}
	doc.otherProblems = b.elsewhere
	code := b.schemas.register("ProblemCode", schemaOwner{}, problemCodes(doc.problems()))
	problem := b.schemas.register("Problem", schemaOwner{}, problemSchema(code))
	doc.Components = Components{Schemas: b.schemas.named, Responses: sharedResponses(problem), Headers: sharedHeaders(),
		SecuritySchemes: securitySchemes()}
	return doc, errors.Join(append(b.wrong, b.schemas.wrong...)...)
}

// securitySchemes are the ways of authentication: access tokens of people, and those that API keys open.
func securitySchemes() Ordered[SecurityScheme] {
	return Ordered[SecurityScheme]{
		{"bearer", SecurityScheme{
			Type: "http", Scheme: "bearer", Description: "The access token of a person, from `POST /api/login`.",
		}},
		{"apiKey", SecurityScheme{
			Type: "http", Scheme: "bearer", Description: "The access token of a program, which opens a session of 30 minutes " +
				"with its API key: `POST /api/login/key`. Operations without this scheme refuse API keys.",
		}},
	}
}

// JSON returns the document's text.
func (d *Document) JSON() ([]byte, error) {
	raw, err := json.Marshal(d, json.Deterministic(true), jsontext.Multiline(true), jsontext.WithIndent("  "))
	return append(raw, '\n'), err
}

type builder struct {
	doc     *Document
	schemas schemas
	// elsewhere are problems of any operation, and those of addresses without one.
	elsewhere []Problem
	wrong     []error
}

func (b *builder) add(route httpapi.Route) {
	op := &Operation{
		OperationID: route.Doc.ID, Tags: []string{route.Doc.Tag}, Summary: route.Doc.Summary,
		Description: cmp.Or(route.Doc.Description, route.Doc.Summary+"."), Security: []map[string][]string{},
	}
	b.checkDoc(route)
	if route.Needs != access.Public {
		op.Security = append(op.Security, map[string][]string{"bearer": {}})
		if !route.RefusesKeys() {
			op.Security = append(op.Security, map[string][]string{"apiKey": {}})
		}
		op.Permission = string(route.Needs)
	}
	op.Parameters = parameters(route)
	if route.Doc.Body != nil {
		media := MediaType{Schema: b.schemas.body(route.Doc.Body, true), Example: route.Doc.BodyExample}
		if media.Example == nil {
			media.Example = b.schemas.exampleOf(media.Schema)
		}
		op.RequestBody = &RequestBody{
			Required: !route.Doc.BodyOptional,
			Content:  Ordered[MediaType]{{"application/json", media}},
		}
		if route.Doc.Form {
			op.RequestBody.Content = Ordered[MediaType]{{"application/x-www-form-urlencoded", media}}
		}
		if route.Method() == http.MethodPatch {
			op.RequestBody.Content.Set("application/merge-patch+json", media)
		}
	}
	b.responses(op, route)
	path, _ := b.doc.Paths.Find(route.Path())
	method := strings.ToLower(route.Method())
	if _, twice := path.Find(method); twice {
		b.wrong = append(b.wrong, fmt.Errorf("there are two routes %s", route.Key))
	}
	path.Set(method, op)
	b.doc.Paths.Set(route.Path(), path)
	if !slices.ContainsFunc(b.doc.Tags, func(t Tag) bool { return t.Name == route.Doc.Tag }) {
		description := tagDescriptions[route.Doc.Tag]
		if description == "" {
			b.wrong = append(b.wrong, fmt.Errorf("tagDescriptions does not describe the tag %q", route.Doc.Tag))
		}
		b.doc.Tags = append(b.doc.Tags, Tag{route.Doc.Tag, description})
	}
}

// checkDoc notes what a route's Doc must state and does not.
func (b *builder) checkDoc(route httpapi.Route) {
	for what, missing := range map[string]bool{
		"tag": route.Doc.Tag == "", "ID": route.Doc.ID == "", "summary": route.Doc.Summary == "",
		"answers": len(route.Doc.Answers) == 0,
	} {
		if missing {
			b.wrong = append(b.wrong, fmt.Errorf("%s: its Doc has no %s", route.Key, what))
		}
	}
}

// responses adds the successful responses and, by status, the problems.
func (b *builder) responses(op *Operation, route httpapi.Route) {
	for _, a := range route.Doc.Answers {
		out := &Response{Description: a.Description}
		if out.Description == "" {
			out.Description = http.StatusText(a.Status)
		}
		if a.Body != nil {
			contentType := a.ContentType
			if contentType == "" {
				contentType = "application/json"
			}
			out.Content.Set(contentType, MediaType{Schema: b.schemas.body(a.Body, false)})
		}
		out.Headers.Set("X-Request-Id", headerRef("X-Request-Id"))
		if route.Idempotent {
			out.Headers.Set("Idempotency-Replayed", headerRef("Idempotency-Replayed"))
		}
		if a.Location {
			out.Headers.Set("Location", headerRef("Location"))
		}
		if a.ETag {
			out.Headers.Set("ETag", headerRef("ETag"))
		}
		op.Responses.Set(strconv.Itoa(a.Status), out)
		if a.ETag && route.Method() == http.MethodGet {
			op.Responses.Set("304", &Response{Ref: "#/components/responses/NotModified"})
		}
	}
	op.Problems = problemsOf(route)
	for status, name := range map[string]string{"4XX": "Problem", "431": "HeadersTooLong", "default": "Problem"} {
		op.Responses.Set(status, &Response{Ref: "#/components/responses/" + name})
	}
	if route.Doc.Form {
		for _, status := range []string{"4XX", "default"} {
			op.Responses.Set(status, &Response{
				Description: "An error (RFC 6749, 5.2).",
				Headers:     Ordered[*Header]{{"X-Request-Id", headerRef("X-Request-Id")}},
				Content: Ordered[MediaType]{
					{"application/json", MediaType{Schema: b.schemas.body(httpapi.OAuthError{}, false)}},
				},
			})
		}
	}
	slices.SortFunc(op.Responses, func(x, y Entry[*Response]) int { return strings.Compare(x.Name, y.Name) })
}

// problemsOf returns the problems of a route by status: those of the operation, then those of the server.
func problemsOf(route httpapi.Route) []Problem {
	problems := slices.Clone(route.Doc.Problems)
	stale := func(p httpapi.Problem) bool { return p.Kind == fault.Stale }
	if (route.Doc.IfMatch || route.Doc.IfMatchOptional) && !slices.ContainsFunc(problems, stale) {
		problems = append(problems, httpapi.Problem{
			Kind: fault.Stale, Code: "stale", When: "Somebody changed it since; `fields` says what, who and when.",
		})
	}
	var out []Problem
	add := func(more ...Problem) {
		for _, p := range more {
			if !slices.ContainsFunc(out, func(have Problem) bool { return have.Status == p.Status && have.Code == p.Code }) {
				out = append(out, p)
			}
		}
	}
	for _, p := range problems {
		add(Problem{Status: httpapi.StatusOf(p.Kind), Code: p.Code, When: p.When})
	}
	add(serverProblems(route)...)
	slices.SortStableFunc(out, func(x, y Problem) int { return x.Status - y.Status })
	return out
}

// serverProblems returns the problems that the server itself has on a route.
func serverProblems(route httpapi.Route) []Problem {
	var out []Problem
	for _, p := range httpapi.ServerProblems(route) {
		out = append(out, Problem{Status: httpapi.StatusOf(p.Kind), Code: p.Code, When: p.When, FromServer: true})
	}
	return out
}

// sharedResponses are the responses that operations refer to, under names that do not change when routes are added.
func sharedResponses(problem *Schema) Ordered[*Response] {
	refused := &Response{
		Description: "A problem. The operation's x-problems lists its statuses and codes. The gateway itself answers 429 " +
			"when " +
			"it throttles, and 503 when a function does not answer, with application/json: `{\"message\":\"...\"}`.",
		Content: Ordered[MediaType]{{"application/problem+json", MediaType{Schema: problem}}},
	}
	for _, name := range []string{"X-Request-Id", "WWW-Authenticate", "Retry-After", "RateLimit", "RateLimit-Policy",
		"Allow"} {
		refused.Headers.Set(name, headerRef(name))
	}
	return Ordered[*Response]{
		{"NotModified", &Response{Description: "The version in If-None-Match is still the latest.",
			Headers: Ordered[*Header]{{"X-Request-Id", headerRef("X-Request-Id")}, {"ETag", headerRef("ETag")}}}},
		{"Problem", refused},
		// It has no schema, because generated clients would then expect it as an alternative to every problem.
		{"HeadersTooLong", &Response{
			Description: "Address and headers are longer than 10,240 bytes. The gateway responds, without a problem document.",
		}},
	}
}

// sharedHeaders are the headers of responses.
func sharedHeaders() Ordered[*Header] {
	text := func(description string) *Header {
		return &Header{Description: description, Schema: &Schema{Type: "string"}}
	}
	return Ordered[*Header]{
		{"X-Request-Id", text("The id of the request in the logs, and `instance` of a problem.")},
		{"Idempotency-Replayed", &Header{Description: "Sent where the response is that of an earlier request with the same " +
			"Idempotency-Key.", Schema: &Schema{Type: "string", Enum: []any{"true"}}}},
		{"Location", &Header{Description: "The address of the resource.",
			Schema: &Schema{Type: "string", Format: "uri-reference"}}},
		{"ETag", text("The version, for If-Match.")},
		{"WWW-Authenticate", text("Sent with 401.")},
		{"Allow", text("The methods that the address supports; sent with 405.")},
		{"Retry-After", &Header{Description: "Seconds to wait; sent with 429 and 503 where it is known.",
			Schema: integer(reflect.Int)}},
		{"RateLimit-Policy", text("The limit of requests without a session from one network, as " +
			"draft-ietf-httpapi-ratelimit-headers writes it: `\"network\";q=120;w=60`.")},
		{"RateLimit", text("What is left of it, and the seconds until it is full again: `\"network\";r=119;t=42`.")},
	}
}

func headerRef(name string) *Header { return &Header{Ref: "#/components/headers/" + name} }
