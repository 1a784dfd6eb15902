package apidoc

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/field"
	"useraccounts/internal/httpapi"
)

// idPattern is the canonical spelling of a ULID.
const idPattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"

// singleLinePattern is text without control characters, in the syntax of every regular expression dialect.
const singleLinePattern = `^[^\x00-\x1f\x7f-\x9f]*$`

// schemas collects the named schemas of a document.
type schemas struct {
	named  Ordered[*Schema]
	owners map[string]schemaOwner
	wrong  []error
}

// schemaOwner is what a schema name stands for: a type in one direction, or the zero value for a schema without a Go
// type.
type schemaOwner struct {
	goType  reflect.Type
	request bool
}

// body returns the schema of a body in a route's Doc: a struct's zero value, a FieldsDoc, a OneOfDoc or a ListDoc.
// Requests refuse unknown members; later versions may add members to responses.
func (s *schemas) body(doc any, request bool) *Schema {
	switch doc := doc.(type) {
	case httpapi.FieldsDoc:
		return s.register(doc.Name, schemaOwner{}, s.fields(doc))
	case httpapi.OneOfDoc:
		return s.register(doc.Name, schemaOwner{}, s.oneOf(doc, request))
	case httpapi.ListDoc:
		page := s.structOf(reflect.TypeFor[httpapi.Page[struct{}]](), request)
		items, _ := page.Properties.Find("items")
		items.Items = s.body(doc.Of, request)
		return s.register(doc.Name, schemaOwner{}, page)
	}
	return s.typeSchema(reflect.TypeOf(doc), request)
}

// oneOf returns the schema of a body that has one of several forms.
func (s *schemas) oneOf(doc httpapi.OneOfDoc, request bool) *Schema {
	out := &Schema{Discriminator: &Discriminator{PropertyName: doc.Member}}
	for _, body := range doc.Bodies {
		ref := s.typeSchema(reflect.TypeOf(body), request)
		out.OneOf = append(out.OneOf, ref)
		member, _ := s.resolve(ref).Properties.Find(doc.Member)
		if member == nil || len(member.Enum) == 0 {
			s.wrong = append(s.wrong, fmt.Errorf("%T has no enum of %s", body, doc.Member))
			continue
		}
		for _, value := range member.Enum {
			out.Discriminator.Mapping.Set(fmt.Sprint(value), ref.Ref)
		}
	}
	return out
}

// register adds a named schema and returns a reference to it.
func (s *schemas) register(name string, of schemaOwner, schema *Schema) *Schema {
	had, taken := s.named.Find(name)
	if taken && (s.owners[name] != of || (of == schemaOwner{} && !reflect.DeepEqual(had, schema))) {
		s.wrong = append(s.wrong, fmt.Errorf("two schemas are named %s", name))
	}
	s.named.Set(name, schema)
	if s.owners == nil {
		s.owners = map[string]schemaOwner{}
	}
	s.owners[name] = of
	return &Schema{Ref: "#/components/schemas/" + name}
}

// structRef returns a reference to the schema of a named struct. One that is both sent and received has two.
func (s *schemas) structRef(t reflect.Type, request bool) *Schema {
	name := schemaName(t)
	if request && s.owners[name] == (schemaOwner{t, false}) {
		name += "Input"
	} else if !request && s.owners[name] == (schemaOwner{t, true}) {
		name += "Output"
	}
	if s.owners[name] != (schemaOwner{t, request}) {
		s.register(name, schemaOwner{t, request}, &Schema{}) // registered before its members, which may refer back
		s.register(name, schemaOwner{t, request}, s.structOf(t, request))
	}
	return &Schema{Ref: "#/components/schemas/" + name}
}

// typeSchema returns the schema of a Go type in a request or a response.
func (s *schemas) typeSchema(t reflect.Type, request bool) *Schema {
	if d, ok := reflect.New(t).Interface().(httpapi.Describer); ok {
		return s.describedSchema(d)
	}
	switch t {
	case reflect.TypeFor[time.Time]():
		return &Schema{Type: "string", Format: "date-time"}
	case reflect.TypeFor[field.Date]():
		return &Schema{Type: "string", Format: "date"}
	case reflect.TypeFor[jsontext.Value]():
		return &Schema{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(s.typeSchema(t.Elem(), request))
	case reflect.String:
		return &Schema{Type: "string"}
	case reflect.Bool:
		return &Schema{Type: "boolean"}
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: "number"}
	case reflect.Slice, reflect.Array:
		return &Schema{Type: "array", Items: s.typeSchema(t.Elem(), request)}
	case reflect.Map:
		return &Schema{Type: "object", AdditionalProperties: s.typeSchema(t.Elem(), request)}
	case reflect.Interface:
		return &Schema{}
	case reflect.Struct:
		if t.Name() == "" || t.NumField() == 0 {
			return s.structOf(t, request)
		}
		return s.structRef(t, request)
	default:
		if t.ConvertibleTo(reflect.TypeFor[int64]()) {
			return integer(t.Kind())
		}
		s.wrong = append(s.wrong, fmt.Errorf("type %s has no schema", t))
		return &Schema{}
	}
}

// maxExact is the largest whole number that programs which read every number as a float64 keep exactly.
const maxExact = 1<<53 - 1

// integer returns the schema of a count or a version. No number of the API is negative. Versions are int64: they begin
// at the time of creation, so that a code that is made again repeats none.
func integer(kind reflect.Kind) *Schema {
	if kind == reflect.Int64 {
		return &Schema{Type: "integer", Format: "int64", Minimum: new(0), Maximum: new(maxExact)}
	}
	return &Schema{Type: "integer", Format: "int32", Minimum: new(0), Maximum: new(math.MaxInt32)}
}

// describedSchema returns the schema that a Describer states.
func (s *schemas) describedSchema(d httpapi.Describer) *Schema {
	var out Schema
	raw, err := json.Marshal(d.JSONSchema(), json.Deterministic(true))
	if err == nil {
		err = json.Unmarshal(raw, &out, json.RejectUnknownMembers(true))
	}
	if err != nil {
		s.wrong = append(s.wrong, fmt.Errorf("schema of %T: %w", d, err))
	}
	return &out
}

// schemaName returns the name of a Go type in the document: its owner, then its own name. blockBody of
// functions/accounts/api is AccountsBlock, Row of internal/transfer is TransferRow, Page[jobView] of
// functions/transfers/api is TransfersJobPage.
func schemaName(t reflect.Type) string {
	owner, name, suffix := t.PkgPath(), t.Name(), ""
	if generic, of, ok := strings.Cut(strings.TrimSuffix(name, "]"), "["); ok {
		dot := strings.LastIndex(of, ".")
		owner, name, suffix = of[:max(dot, 0)], of[dot+1:], generic
	}
	owner = strings.TrimSuffix(path.Base(strings.TrimSuffix(owner, "/api")), "_test")
	switch owner {
	case "httpapi":
		owner = "" // types of all functions have no owner
	case "accounttabs":
		owner = "accounts" // whose routes these were: clients keep the names that they were generated with
	}
	for _, role := range []string{"View", "Body"} {
		if name = capitalise(name); len(name) >= len(role) {
			name = strings.TrimSuffix(name, role)
		}
	}
	return capitalise(owner) + name + suffix
}

func capitalise(name string) string {
	if name == "" || name == "." {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// structOf returns the schema of a struct, from the tags of its fields.
func (s *schemas) structOf(t reflect.Type, request bool) *Schema {
	out := &Schema{Type: "object"}
	if request {
		out.AdditionalProperties = false
	}
	s.members(out, t, request)
	return out
}

func (s *schemas) members(out *Schema, t reflect.Type, request bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			s.members(out, f.Type, request)
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			name = f.Name
		}
		member := s.typeSchema(f.Type, request)
		s.applyTags(member, f)
		out.Properties.Set(name, member)
		if !httpapi.OptionalMember(f.Tag) {
			out.Required = append(out.Required, name)
		}
	}
}

// applyTags adds the bounds and the help in a struct field's tags to its member.
func (s *schemas) applyTags(member *Schema, f reflect.StructField) {
	member.Description = f.Tag.Get("help")
	at := member
	if member.Items != nil {
		member.MinItems, member.MaxItems = s.number(f, "minItems"), s.number(f, "maxItems")
		at = member.Items // the bounds of a list are those of its elements
	}
	at.MinLength, at.MaxLength = s.number(f, "minLength"), s.number(f, "maxLength")
	at.Minimum, at.Maximum = cmp.Or(s.number(f, "minimum"), at.Minimum), cmp.Or(s.number(f, "maximum"), at.Maximum)
	if at.Format == "" {
		at.Format = f.Tag.Get("format")
	}
	at.Pattern = f.Tag.Get("pattern")
	if choices := f.Tag.Get("enum"); choices != "" {
		for choice := range strings.SplitSeq(choices, "|") {
			at.Enum = append(at.Enum, choice)
		}
	}
	if example := f.Tag.Get("example"); example != "" {
		member.Examples = []any{s.example(f, example)}
	}
}

// example parses an example of a member: JSON, except that a text needs no quotes.
func (s *schemas) example(f reflect.StructField, text string) any {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.String || t == reflect.TypeFor[time.Time]() {
		return text
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		s.wrong = append(s.wrong, fmt.Errorf("example of %s: %w", f.Name, err))
	}
	return v
}

func (s *schemas) number(f reflect.StructField, tag string) *int {
	text := f.Tag.Get(tag)
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		s.wrong = append(s.wrong, fmt.Errorf("%s of %s is %q", tag, f.Name, text))
	}
	return &n
}

// nullable adds null to the types of a schema, unless it is a reference.
func nullable(s *Schema) *Schema {
	if name, ok := s.Type.(string); ok {
		s.Type = []string{name, "null"}
		if len(s.Enum) > 0 {
			s.Enum = append(s.Enum, nil)
		}
	}
	return s
}
