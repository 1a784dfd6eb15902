package apidoc

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/httpapi"
)

//go:embed pages
var pageFiles embed.FS

// guide is a page beside the reference.
type guide struct{ Name, Title string }

// guides are the pages beside the reference, in the order of the navigation.
var guides = []guide{
	{"first-steps", "First steps"}, {"pagination", "Pages, versions and repetition"},
	{"imports", "Imports by a program"}, {"api-keys", "API keys for nightly jobs"}, {"problems", "Problems"},
}

// Pages returns the document as pages for people by their path below /api/docs: the reference, which is "", the guides,
// and a page for each problem. Each is one file without scripts and external resources.
func (d *Document) Pages() (map[string][]byte, error) {
	files, err := template.New("pages").Funcs(template.FuncMap{
		"formatText": formatText, "typeOf": typeText, "rules": rules, "schemaName": refName, "indentJSON": indentJSON,
		"problemsFrom": problemsFrom, "problemPage": httpapi.ProblemPage, "has": slices.Contains[[]string],
		"lower": strings.ToLower, "baseName": path.Base,
	}).ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return nil, err
	}
	p := pages{document: d, files: files, out: map[string][]byte{}}
	p.add("", "reference.html", d.Info.Title+" API", "")
	problems := d.problems()
	for _, g := range guides {
		var content any
		if g.Name == "problems" {
			content = problems
		}
		p.add(g.Name, "guide.html", g.Title, p.render(g.Name+".html", content))
	}
	for code, page := range d.problemPages(problems) {
		p.add("problems/"+code, "guide.html", "Problem "+code, p.render("problem.html", page))
	}
	return p.out, errors.Join(p.wrong...)
}

// pages collects the pages of a document.
type pages struct {
	document *Document
	files    *template.Template
	out      map[string][]byte
	wrong    []error
}

// add adds a page in a layout.
func (p *pages) add(name, layout, heading string, content template.HTML) {
	p.out[name] = []byte(p.render(layout, struct {
		*Document

		Heading string
		Content template.HTML
		Groups  []group
		Guides  []guide
	}{p.document, heading, content, p.document.groups(), guides}))
}

func (p *pages) render(file string, data any) template.HTML {
	var out bytes.Buffer
	if err := p.files.ExecuteTemplate(&out, file, data); err != nil {
		p.wrong = append(p.wrong, err)
	}
	return template.HTML(out.String()) //nolint:gosec // a template escaped it
}

// problemPage is what the page about a code shows.
type problemPage struct {
	Meanings   []meaning
	Operations []entry
}

type meaning struct {
	Problem

	Title, Advice string
}

// problemPages returns the pages about problems by code.
func (d *Document) problemPages(problems []Problem) map[string]problemPage {
	out := map[string]problemPage{}
	for _, p := range problems {
		page := out[p.Code]
		title, advice := httpapi.TitleAndAdvice(p.Status)
		page.Meanings = append(page.Meanings, meaning{p, title, advice})
		out[p.Code] = page
	}
	for _, g := range d.groups() {
		for _, op := range g.Operations {
			seen := map[string]bool{}
			for _, p := range op.Problems {
				if page := out[p.Code]; !seen[p.Code] {
					page.Operations, seen[p.Code] = append(page.Operations, op), true
					out[p.Code] = page
				}
			}
		}
	}
	return out
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
	all := slices.Clone(d.otherProblems)
	for _, g := range d.groups() {
		for _, op := range g.Operations {
			all = append(all, op.Problems...)
		}
	}
	for _, p := range all {
		i := slices.IndexFunc(out, func(have Problem) bool { return have.Code == p.Code && have.Status == p.Status })
		switch {
		case i < 0:
			out = append(out, p)
		case !strings.Contains(out[i].When, p.When):
			out[i].When += "\n\n" + p.When
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
