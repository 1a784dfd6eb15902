package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/fault"
)

// Decode reads the body into v, a pointer to the struct that the route declares as Doc.Body. It is strict at any depth
// (V59): a fault names unknown and repeated members, values of another type, null where v has no pointer, missing
// members (those without omitzero or omitempty) and values beyond the bounds of their tags. An optional body that is
// missing leaves v as it is.
func (r *Request) Decode(v any) error {
	if _, err := r.Members(); err != nil {
		return err
	}
	if len(r.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.body, v, json.RejectUnknownMembers(true), json.WithUnmarshalers(rejectNulls)); err != nil {
		return bodyFault(err)
	}
	bad := checkBounds(reflect.TypeOf(v).Elem(), r.body, "")
	return BadBody(bad[:min(len(bad), maxBadMembers)])
}

// Members returns the members of the body's object, for bodies that a field table reads. Repeated members are refused
// at any depth; unknown ones are left to the table.
func (r *Request) Members() (map[string]jsontext.Value, error) {
	if r.route.Doc.Body == nil {
		panic("route " + r.route.Key + " does not declare a body")
	}
	if len(r.body) > 0 {
		return readObject(r.body)
	}
	if r.route.Doc.BodyOptional {
		return map[string]jsontext.Value{}, nil
	}
	return nil, fault.New(fault.Malformed, "bodyRequired", "The request has no body; send a JSON object.")
}

// BadBody is the fault of a JSON body with wrong members, such as a field table's ReadPatch found. It is an untyped nil
// if there are none.
func BadBody(fields []fault.Field) error {
	if len(fields) == 0 {
		return nil
	}
	sortFields(fields)
	return fault.New(fault.Malformed, "body",
		"Some members of the body are invalid; see `fields`. Nothing was changed.").
		WithFields(fields...)
}

// readObject returns the members of a JSON object.
func readObject(body []byte) (map[string]jsontext.Value, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	if kind := dec.PeekKind(); kind != '{' && kind != jsontext.KindInvalid {
		return nil, fault.New(fault.Malformed, "json", "The body must be a JSON object: {...}.")
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, bodyFault(err)
	}
	members := map[string]jsontext.Value{}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, bodyFault(err)
		}
		key := name.String() // the token lives until the next read
		value, err := dec.ReadValue()
		if err != nil {
			return nil, bodyFault(err)
		}
		members[key] = value.Clone()
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, bodyFault(err)
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Malformed, "json",
			"The body continues after its JSON object; send one object and nothing else.")
	}
	return members, nil
}

// bodyFault says what is wrong with a body, and where. It never repeats what was sent, which may be a password.
func bodyFault(err error) error {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		name := dottedPath(semantic.JSONPointer)
		if errors.Is(err, json.ErrUnknownName) {
			return BadBody(
				[]fault.Field{{Field: name, Code: "unknown", Message: "This member is unknown; leave it out."}})
		}
		return BadBody([]fault.Field{{Field: name, Code: "type", Message: "This must be " + typeName(semantic.GoType) + "."}})
	}
	syntactic, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !ok:
		return fault.New(fault.Malformed, "json", "The body is not JSON.")
	case errors.Is(err, jsontext.ErrDuplicateName):
		name := dottedPath(syntactic.JSONPointer)
		return BadBody(
			[]fault.Field{{Field: name, Code: "duplicate", Message: "This member is repeated; send it once."}})
	}
	return fault.New(fault.Malformed, "json", "The body is not valid JSON in UTF-8; the error is at byte %d.",
		syntactic.ByteOffset)
}

// rejectNulls refuses null for anything but a pointer. The library would read it as the zero value.
var rejectNulls = json.UnmarshalFromFunc(func(dec *jsontext.Decoder, v any) error {
	target := reflect.TypeOf(v).Elem()
	if dec.PeekKind() == 'n' && target.Kind() != reflect.Pointer && target != reflect.TypeFor[jsontext.Value]() {
		if err := dec.SkipValue(); err != nil { // the error's position is that of the null
			return err
		}
		return &json.SemanticError{JSONPointer: dec.StackPointer(), GoType: target, Err: errNull}
	}
	return errors.ErrUnsupported
})

var errNull = errors.New("null")

// OptionalMember reports whether a struct field's tags make its member optional; the API reference uses it too.
func OptionalMember(tag reflect.StructTag) bool {
	_, options, _ := strings.Cut(tag.Get("json"), ",")
	parts := strings.Split(options, ",")
	return slices.Contains(parts, "omitzero") || slices.Contains(parts, "omitempty")
}

// typeName returns the JSON type that a Go type is read from, for people.
func typeName(t reflect.Type) string {
	if t == nil {
		return "of another type"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	default:
		return "of another type"
	}
}

// dottedPath turns a JSON pointer into the dotted name that faults use, bounded.
func dottedPath(pointer jsontext.Pointer) string {
	return truncateName(strings.Join(slices.Collect(pointer.Tokens()), "."))
}

// sortFields sorts faults by name, so that responses do not vary from call to call.
func sortFields(fields []fault.Field) {
	slices.SortStableFunc(fields, func(a, b fault.Field) int { return strings.Compare(a.Field, b.Field) })
}

// truncateName bounds a caller's text before it is returned.
func truncateName(text string) string {
	if r := []rune(strings.ToValidUTF8(text, "�")); len(r) > 60 {
		return fmt.Sprintf("%s…", string(r[:60]))
	}
	return strings.ToValidUTF8(text, "�")
}
