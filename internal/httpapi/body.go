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

// Decode reads the body into v, a pointer to the struct that the route declares as Doc.Body. Nothing is guessed:
// unknown and doubled members, another type than the field's, null where v has no pointer, missing members (those
// without omitzero or omitempty) and values beyond the bounds of their tags are a fault that names them (V59), at any
// depth. A body that was left out leaves v as it is.
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

// Members returns the members of the body's object, for bodies that a field table reads. Doubled members are refused at
// any depth, unknown ones are the table's to judge.
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

// BadBody is the fault of a body that can be read as JSON but has wrong members: what a field table's ReadPatch found.
// It is nil (an untyped nil error) if there are none.
func BadBody(fields []fault.Field) error {
	if len(fields) == 0 {
		return nil
	}
	sortFields(fields)
	return fault.New(fault.Malformed, "body",
		"Some members of the body are not right. Nothing was changed; mend those named and send the request again.").
		WithFields(fields...)
}

// readObject takes a JSON object apart.
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
			"The body goes on after its JSON object; send one object and nothing else.")
	}
	return members, nil
}

// bodyFault says what is wrong with a body, and where, without repeating what was sent: it may be a password.
func bodyFault(err error) error {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		name := dottedPath(semantic.JSONPointer)
		if errors.Is(err, json.ErrUnknownName) {
			return BadBody(
				[]fault.Field{{Field: name, Code: "unknown", Message: "There is no member of this name; leave it out."}})
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
			[]fault.Field{{Field: name, Code: "duplicate", Message: "This member is there more than once; give it once."}})
	}
	return fault.New(fault.Malformed, "json", "The body is not JSON in UTF-8: byte %d cannot stand where it does.",
		syntactic.ByteOffset)
}

// rejectNulls refuses null for anything but a pointer; the library would take it for the zero value.
var rejectNulls = json.UnmarshalFromFunc(func(dec *jsontext.Decoder, v any) error {
	target := reflect.TypeOf(v).Elem()
	if dec.PeekKind() == 'n' && target.Kind() != reflect.Pointer && target != reflect.TypeFor[jsontext.Value]() {
		if err := dec.SkipValue(); err != nil { // so that the position is the null's
			return err
		}
		return &json.SemanticError{JSONPointer: dec.StackPointer(), GoType: target, Err: errNull}
	}
	return errors.ErrUnsupported
})

var errNull = errors.New("null")

// OptionalMember reports whether a struct field's tags let its member be left out; the API reference says the same.
func OptionalMember(tag reflect.StructTag) bool {
	_, options, _ := strings.Cut(tag.Get("json"), ",")
	parts := strings.Split(options, ",")
	return slices.Contains(parts, "omitzero") || slices.Contains(parts, "omitempty")
}

// typeName says in JSON's words what a Go type is read from.
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
	}
	return "of another type"
}

// dottedPath turns a JSON pointer into the dotted name that faults use, bounded.
func dottedPath(pointer jsontext.Pointer) string {
	return truncateName(strings.Join(slices.Collect(pointer.Tokens()), "."))
}

// sortFields puts faults in the order of their names, for answers that do not change from call to call.
func sortFields(fields []fault.Field) {
	slices.SortStableFunc(fields, func(a, b fault.Field) int { return strings.Compare(a.Field, b.Field) })
}

// truncateName bounds a caller's text before it is sent back.
func truncateName(text string) string {
	if r := []rune(strings.ToValidUTF8(text, "�")); len(r) > 60 {
		return fmt.Sprintf("%s…", string(r[:60]))
	}
	return strings.ToValidUTF8(text, "�")
}
