// Package apidoc generates the API reference from the functions' route tables: an OpenAPI 3.1 document for programs and
// a page for people. It adds no statements of its own: a mistake in its output is a mistake in a route table.
package apidoc

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
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
		},
		Servers: []Server{{URL: "/", Description: "The deployment that serves this document"}},
	}
	b := builder{doc: doc}
	problem := b.schemas.register("Problem", schemaOwner{}, problemSchema())
	b.problem = problem
	for _, table := range tables {
		for _, route := range table {
			if route.Key != "$default" {
				b.add(route)
			}
		}
	}
	doc.Components.Schemas = b.schemas.named
	doc.Components.SecuritySchemes = Ordered[SecurityScheme]{{"bearer", SecurityScheme{
		Type: "http", Scheme: "bearer", Description: "The access token that a sign-in returned.",
	}}}
	return doc, errors.Join(append(b.wrong, b.schemas.wrong...)...)
}

// JSON returns the document's text.
func (d *Document) JSON() ([]byte, error) {
	raw, err := json.Marshal(d, json.Deterministic(true), jsontext.Multiline(true), jsontext.WithIndent("  "))
	return append(raw, '\n'), err
}

type builder struct {
	doc     *Document
	schemas schemas
	problem *Schema
	wrong   []error
}

func (b *builder) add(route httpapi.Route) {
	op := &Operation{
		OperationID: operationID(route), Tags: []string{route.Doc.Tag}, Summary: route.Doc.Summary,
		Description: route.Doc.Description, Security: []map[string][]string{},
	}
	b.checkDoc(route)
	if route.Needs != access.Public {
		op.Security = append(op.Security, map[string][]string{"bearer": {}})
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
	}
	b.responses(op, route)
	path, _ := b.doc.Paths.Find(route.Path())
	method := strings.ToLower(route.Method())
	if _, twice := path.Find(method); twice {
		b.wrong = append(b.wrong, fmt.Errorf("there are two routes %s", route.Key))
	}
	path.Set(method, op)
	b.doc.Paths.Set(route.Path(), path)
	if !slices.Contains(b.doc.Tags, Tag{route.Doc.Tag}) {
		b.doc.Tags = append(b.doc.Tags, Tag{route.Doc.Tag})
	}
}

// checkDoc notes what a route's Doc must state and does not.
func (b *builder) checkDoc(route httpapi.Route) {
	for what, missing := range map[string]bool{
		"tag": route.Doc.Tag == "", "summary": route.Doc.Summary == "", "answers": len(route.Doc.Answers) == 0,
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
		if a.Location {
			out.Headers.Set("Location", Header{"The address of the resource.", &Schema{Type: "string", Format: "uri-reference"}})
		}
		if a.ETag {
			out.Headers.Set("ETag", Header{"The version, for If-Match.", &Schema{Type: "string"}})
		}
		op.Responses.Set(strconv.Itoa(a.Status), out)
		if a.ETag && route.Method() == http.MethodGet {
			op.Responses.Set("304", &Response{Description: "The version in If-None-Match is still the latest."})
		}
	}
	b.problemResponses(op, route)
}

// problemResponses adds the problems: those of the operation, then those of the server.
func (b *builder) problemResponses(op *Operation, route httpapi.Route) {
	problems := slices.Clone(route.Doc.Problems)
	stale := func(p httpapi.Problem) bool { return p.Kind == fault.Stale }
	if (route.Doc.IfMatch || route.Doc.IfMatchOptional) && !slices.ContainsFunc(problems, stale) {
		problems = append(problems, httpapi.Problem{
			Kind: fault.Stale, Code: "stale", When: "Somebody changed it since; `fields` says what, who and when.",
		})
	}
	add := func(p httpapi.Problem, fromServer bool) {
		status := httpapi.StatusOf(p.Kind)
		if !slices.ContainsFunc(op.Problems,
			func(have Problem) bool { return have.Status == status && have.Code == p.Code }) {
			op.Problems = append(op.Problems, Problem{Status: status, Code: p.Code, When: p.When, FromServer: fromServer})
		}
	}
	for _, p := range problems {
		add(p, false)
	}
	for _, p := range httpapi.ServerProblems(route) {
		add(p, true)
	}
	slices.SortStableFunc(op.Problems, func(x, y Problem) int { return x.Status - y.Status })
	byStatus := map[int][]string{}
	for _, p := range op.Problems {
		byStatus[p.Status] = append(byStatus[p.Status], "`"+p.Code+"`: "+p.When)
	}
	const longHeaders = http.StatusRequestHeaderFieldsTooLarge
	byStatus[longHeaders] = nil
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		answer := headersTooLongResponse()
		if status != longHeaders {
			answer = b.problemResponse(status, byStatus[status])
		}
		op.Responses.Set(strconv.Itoa(status), b.sharedResponse(status, answer))
	}
}

// headersTooLongResponse is the gateway's response to a request that is too long for it; no function sees such a
// request. It has no schema, because generated clients would then expect it as an alternative to every problem.
func headersTooLongResponse() *Response {
	return &Response{
		Description: "Address and headers are longer than 10,240 bytes. The gateway responds, without a problem document.",
	}
}

func (b *builder) problemResponse(status int, when []string) *Response {
	out := &Response{
		Description: strings.Join(when, "\n\n"),
		Content:     Ordered[MediaType]{{"application/problem+json", MediaType{Schema: b.problem}}},
	}
	switch status {
	case http.StatusUnauthorized:
		out.Headers.Set("WWW-Authenticate", Header{"", &Schema{Type: "string"}})
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		out.Headers.Set("Retry-After", Header{"Seconds to wait, if known.", integer(reflect.Int)})
	}
	return out
}

// sharedResponse returns a reference to a response among the components, which operations with equal responses share.
func (b *builder) sharedResponse(status int, a *Response) *Response {
	name := strings.ReplaceAll(http.StatusText(status), " ", "")
	for n := 2; ; n++ {
		have, there := b.doc.Components.Responses.Find(name)
		if !there {
			b.doc.Components.Responses.Set(name, a)
		}
		if !there || reflect.DeepEqual(have, a) {
			return &Response{Ref: "#/components/responses/" + name}
		}
		name = strings.TrimRight(name, "0123456789") + strconv.Itoa(n)
	}
}

var nonAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9]+`)

// operationID returns the name of a route for generated clients, such as postAccountsIdBlock.
func operationID(route httpapi.Route) string {
	if route.Doc.ID != "" {
		return route.Doc.ID
	}
	path := strings.TrimPrefix(strings.TrimPrefix(route.Path(), "/api"), "/")
	out := strings.ToLower(route.Method())
	for word := range strings.FieldsSeq(nonAlphanumeric.ReplaceAllString(path, " ")) {
		out += strings.ToUpper(word[:1]) + word[1:]
	}
	if path == "" {
		out += "Root"
	}
	return out
}
