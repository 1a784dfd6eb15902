package apidoc

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/httpapi"
)

//go:embed page.html
var pageText string

// Page returns the document as a page for people: one file without scripts and external resources.
func (d *Document) Page() ([]byte, error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		"formatText": formatText, "typeOf": typeText, "rules": rules, "schemaName": refName, "indentJSON": indentJSON,
		"problemsFrom": problemsFrom, "anchor": httpapi.ProblemAnchor, "has": slices.Contains[[]string],
		"lower": strings.ToLower,
	}).Parse(pageText)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, struct {
		*Document
		Groups   []group
		Problems []Problem
	}{d, d.groups(), d.problems()})
	return out.Bytes(), err
}

type group struct {
	Name       string
	Operations []entry
}

// entry is an operation with its context in the document.
type entry struct {
	Method, Path string
	*Operation
	// Body is the resolved schema of the request body, Example its example.
	Body    *Schema
	Example any
}

// groups returns the operations by tag.
func (d *Document) groups() []group {
	out := make([]group, len(d.Tags))
	for i, tag := range d.Tags {
		out[i].Name = tag.Name
	}
	s := schemas{named: d.Components.Schemas}
	for _, path := range d.Paths {
		for _, op := range path.Value {
			e := entry{Method: strings.ToUpper(op.Name), Path: path.Name, Operation: op.Value}
			if e.RequestBody != nil {
				media := e.RequestBody.Content[0].Value
				e.Body, e.Example = s.resolve(media.Schema), media.Example
			}
			i := slices.IndexFunc(out, func(g group) bool { return g.Name == op.Value.Tags[0] })
			out[i].Operations = append(out[i].Operations, e)
		}
	}
	return out
}

// problems returns the problems of all operations, once each, sorted by status and code. A code may have several
// meanings.
func (d *Document) problems() []Problem {
	var out []Problem
	for _, g := range d.groups() {
		for _, op := range g.Operations {
			for _, p := range op.Problems {
				i := slices.IndexFunc(out, func(have Problem) bool { return have.Code == p.Code && have.Status == p.Status })
				switch {
				case i < 0:
					out = append(out, p)
				case !strings.Contains(out[i].When, p.When):
					out[i].When += " " + p.When
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Problem) int {
		if a.Status != b.Status {
			return a.Status - b.Status
		}
		return strings.Compare(a.Code, b.Code)
	})
	return out
}

// problemsFrom returns the problems of the server, or those of the operation.
func problemsFrom(problems []Problem, fromServer bool) []Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return p.FromServer != fromServer })
}

// formatText returns HTML with paragraphs for blank lines and code for backquotes. Everything else is escaped.
func formatText(text string) template.HTML {
	var out strings.Builder
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		out.WriteString("<p>")
		for i, part := range strings.Split(template.HTMLEscapeString(paragraph), "`") {
			if i%2 == 1 {
				part = "<code>" + part + "</code>"
			}
			out.WriteString(part)
		}
		out.WriteString("</p>")
	}
	return template.HTML(out.String()) //nolint:gosec // every part was escaped above
}

// refName returns the name of the schema that a schema or its items refer to, or "".
func refName(s *Schema) string {
	if s == nil {
		return ""
	}
	if s.Items != nil {
		return refName(s.Items)
	}
	return strings.TrimPrefix(s.Ref, "#/components/schemas/")
}

// typeText returns a schema's type for people.
func typeText(s *Schema) string {
	if s.Ref != "" {
		return refName(s)
	}
	name, null := "", ""
	switch t := s.Type.(type) {
	case string:
		name = t
	case []string:
		name, null = t[0], " or null"
	}
	switch {
	case name == "array":
		name = "list of " + typeText(s.Items)
	case name == "string" && s.Format != "":
		name = s.Format
	case name == "string":
		name = "text"
	case name == "":
		name = "anything"
	}
	return name + null
}

// rules returns a schema's bounds for people.
func rules(s *Schema) string {
	var out []string
	add := func(n *int, format string) {
		if n != nil {
			out = append(out, fmt.Sprintf(format, *n))
		}
	}
	each := s
	if s.Items != nil {
		add(s.MaxItems, "at most %d entries")
		each = s.Items
	}
	add(each.MinLength, "at least %d characters")
	add(each.MaxLength, "at most %d characters")
	add(each.Minimum, "from %d")
	add(each.Maximum, "to %d")
	if len(each.Enum) > 0 {
		choices := make([]string, len(each.Enum))
		for i, choice := range each.Enum {
			choices[i] = fmt.Sprint(choice)
		}
		out = append(out, "one of "+strings.Join(choices, ", "))
	}
	if s.Default != nil {
		out = append(out, "default "+fmt.Sprint(s.Default))
	}
	return strings.Join(out, ", ")
}

// indentJSON returns an example as indented JSON.
func indentJSON(v any) (string, error) {
	if text, ok := v.(string); ok {
		return strconv.Quote(text), nil
	}
	raw, err := json.Marshal(v, json.Deterministic(true), jsontext.Multiline(true), jsontext.WithIndent("  "))
	return string(raw), err
}
