package httpapi

import (
	"bytes"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/fault"
)

// maxBadMembers is the maximum number of wrong members that a fault names.
const maxBadMembers = 20

// bounds are the bounds in the tags of a struct field, which the API reference states too. maxItems is that of the
// list, the other bounds of a list are those of its elements.
type bounds struct {
	name                                             string
	required                                         bool
	minLength, maxLength, maxItems, minimum, maximum *int
	choices                                          []string
	goType                                           reflect.Type
}

// structMembers returns the bounds of a struct's members.
func structMembers(t reflect.Type) []bounds {
	var out []bounds
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			out = append(out, structMembers(f.Type)...)
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			name = f.Name
		}
		b := bounds{
			name: name, goType: f.Type, required: !OptionalMember(f.Tag), minLength: bound(f, "minLength"),
			maxLength: bound(f, "maxLength"),
			maxItems:  bound(f, "maxItems"), minimum: bound(f, "minimum"), maximum: bound(f, "maximum"),
		}
		if choices := f.Tag.Get("enum"); choices != "" {
			b.choices = strings.Split(choices, "|")
		}
		out = append(out, b)
	}
	return out
}

func bound(f reflect.StructField, tag string) *int {
	n, err := strconv.Atoi(f.Tag.Get(tag))
	if err != nil {
		return nil // no bound; one that is not a number fails the API reference's test
	}
	return &n
}

// checkBounds returns the members of a JSON object that are missing or beyond the bounds of their tags, at any depth.
// The object was decoded into a t before.
func checkBounds(t reflect.Type, object jsontext.Value, prefix string) []fault.Field {
	var bad []fault.Field
	given, err := readObject(object)
	if err != nil {
		return nil // not an object: its type has a decoder of its own
	}
	for _, b := range structMembers(t) {
		if value, ok := given[b.name]; ok {
			bad = append(bad, b.check(value, prefix+b.name)...)
		} else if b.required {
			bad = append(bad, fault.Field{Field: prefix + b.name, Code: "required", Message: "This member is required."})
		}
	}
	return bad
}

// check returns how a value breaks the bounds. path is its name in the body.
func (b bounds) check(value jsontext.Value, path string) []fault.Field {
	t := b.goType
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	violation := func(code, message string, of ...any) []fault.Field {
		return []fault.Field{{Field: path, Code: code, Message: fmt.Sprintf(message, of...)}}
	}
	switch kind := value.Kind(); {
	case kind == '"':
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return nil
		}
		length := utf8.RuneCountInString(text)
		switch {
		case b.maxLength != nil && length > *b.maxLength:
			return violation("tooLong", "This is longer than %d characters; shorten it.", *b.maxLength)
		case b.minLength != nil && length < *b.minLength:
			return violation("tooShort", "This must have at least %d characters.", *b.minLength)
		case len(b.choices) > 0 && !slices.Contains(b.choices, text):
			return violation("choice", "This must be one of %s.", strings.Join(b.choices, ", "))
		}
	case kind == '0':
		n, err := strconv.ParseFloat(string(bytes.TrimSpace(value)), 64)
		if err == nil && (b.minimum != nil && n < float64(*b.minimum) || b.maximum != nil && n > float64(*b.maximum)) {
			return violation("range", "This must be %s.", b.rangeText())
		}
	case kind == '[' && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
		return b.checkElements(t.Elem(), value, path)
	case kind == '{' && t.Kind() == reflect.Struct && !hasOwnDecoder(t):
		return checkBounds(t, value, path+".")
	}
	return nil
}

// checkElements checks a list and its elements.
func (b bounds) checkElements(of reflect.Type, list jsontext.Value, path string) []fault.Field {
	var values []jsontext.Value
	if err := json.Unmarshal(list, &values); err != nil {
		return nil
	}
	if b.maxItems != nil && len(values) > *b.maxItems {
		return []fault.Field{
			{Field: path, Code: "tooMany", Message: fmt.Sprintf("At most %d are allowed; remove some.", *b.maxItems)},
		}
	}
	element, bad := b, []fault.Field(nil)
	element.goType, element.maxItems = of, nil
	for i, value := range values {
		if bad = append(bad, element.check(value, path+"."+strconv.Itoa(i))...); len(bad) > maxBadMembers {
			return bad
		}
	}
	return bad
}

// rangeText states the bounds of a number for people.
func (b bounds) rangeText() string {
	switch {
	case b.minimum == nil:
		return "at most " + strconv.Itoa(*b.maximum)
	case b.maximum == nil:
		return "at least " + strconv.Itoa(*b.minimum)
	}
	return "between " + strconv.Itoa(*b.minimum) + " and " + strconv.Itoa(*b.maximum)
}

// hasOwnDecoder reports whether a type decodes itself, so that its fields are not members.
func hasOwnDecoder(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) ||
		p.Implements(reflect.TypeFor[json.Unmarshaler]()) ||
		p.Implements(reflect.TypeFor[json.UnmarshalerFrom]())
}
