// Package apidoc makes the API's reference from the functions' route tables: an OpenAPI 3.1 document for programs and a
// page for people. It states nothing of its own: what is wrong in its output is wrong in a route table.
package apidoc

import (
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

const apiDescription = `Accounts, sign-in and spreadsheet transfers.

Sign in with ` + "`POST /api/login`" + ` and send the access token as ` + "`Authorization: Bearer`" +
	`. Bodies are JSON in UTF-8, at most
64 KB, sent as ` + "`Content-Type: application/json`" +
	`; unknown and doubled members are refused. Times are UTC (RFC 3339), days yyyy-MM-dd.

What goes wrong is told as a problem document (RFC 9457): programs read ` + "`code`" + ` and ` + "`fields`" +
	`, people ` + "`detail`" + `. The gateway in
front answers by itself, without one, when it throttles (429), when headers are longer
than 10,240 bytes (431) or when a function does not answer (503).

A change names the version it was made from: send the ` + "`ETag`" + ` of your read as ` + "`If-Match`" +
	`. Where a POST takes an ` + "`Idempotency-Key`" + `,
the same key and request within a day give the same answer and are done once.`

// New returns the document of the given route tables, in their order, or everything that is missing from them.
func New(tables ...[]httpapi.Route) (*Document, error) {
	doc := &Document{
		OpenAPI: "3.1.0",
		Info: Info{Title: "User Accounts", Version: "1.0.0", Summary: "Accounts, sign-in and spreadsheet transfers",
			Description: apiDescription},
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
		op.RequestBody = &RequestBody{Required: !route.Doc.BodyOptional,
			Content: Ordered[MediaType]{{"application/json", media}}}
	}
	b.responses(op, route)
	path, _ := b.doc.Paths.Find(route.Path())
	method := strings.ToLower(route.Method())
	if _, twice := path.Find(method); twice {
		b.wrong = append(b.wrong, fmt.Errorf("%s is there twice", route.Key))
	}
	path.Set(method, op)
	b.doc.Paths.Set(route.Path(), path)
	if !slices.Contains(b.doc.Tags, Tag{route.Doc.Tag}) {
		b.doc.Tags = append(b.doc.Tags, Tag{route.Doc.Tag})
	}
}

// checkDoc notes what a route's Doc must say and does not.
func (b *builder) checkDoc(route httpapi.Route) {
	for what, missing := range map[string]bool{
		"tag": route.Doc.Tag == "", "summary": route.Doc.Summary == "", "answers": len(route.Doc.Answers) == 0,
	} {
		if missing {
			b.wrong = append(b.wrong, fmt.Errorf("%s: its Doc has no %s", route.Key, what))
		}
	}
}

// responses adds the good answers and, by status, the problems.
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
			out.Headers.Set("Location", Header{"Where to find it.", &Schema{Type: "string", Format: "uri-reference"}})
		}
		if a.ETag {
			out.Headers.Set("ETag", Header{"The version, for If-Match.", &Schema{Type: "string"}})
		}
		op.Responses.Set(strconv.Itoa(a.Status), out)
		if a.ETag && route.Method() == http.MethodGet {
			op.Responses.Set("304", &Response{Description: "What If-None-Match names is still the newest."})
		}
	}
	b.problemResponses(op, route)
}

// problemResponses adds the problems, those of the operation before those of the server.
func (b *builder) problemResponses(op *Operation, route httpapi.Route) {
	problems := slices.Clone(route.Doc.Problems)
	stale := func(p httpapi.Problem) bool { return p.Kind == fault.Stale }
	if (route.Doc.IfMatch || route.Doc.IfMatchOptional) && !slices.ContainsFunc(problems, stale) {
		problems = append(problems, httpapi.Problem{
			Kind: fault.Stale, Code: "stale", When: "Somebody changed it meanwhile; the fields say what, who and when.",
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

// headersTooLongResponse returns how the gateway answers what is too long for it, before any function sees it. It has
// no schema, as its text is for nobody; with one, every generated client would take any error for either this or a
// problem.
func headersTooLongResponse() *Response {
	return &Response{
		Description: "The address and the headers are longer than 10,240 bytes. The gateway says so, and not as a problem " +
			"document.",
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
		out.Headers.Set("Retry-After", Header{"Seconds to wait, where known.", &Schema{Type: "integer"}})
	}
	return out
}

// sharedResponse returns a reference to an answer among the components, where operations that refuse alike meet.
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

// operationID names a route for generated clients: postAccountsIdBlock.
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
