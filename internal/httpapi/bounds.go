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

// maxBadMembers is how many members of a body are named at most.
const maxBadMembers = 20

// bounds is what the tags of a struct's field say of its member, as the API reference says it too: a list's maxItems
// are its own, the other bounds of a list are those of each of its elements.
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
		return nil // no bound; one that is no number fails the API reference's test
	}
	return &n
}

// checkBounds returns the members of a JSON object, which was read into a t without a fault, that are missing or beyond
// the bounds of their tags, at any depth.
func checkBounds(t reflect.Type, object jsontext.Value, prefix string) []fault.Field {
	var bad []fault.Field
	given, err := readObject(object)
	if err != nil {
		return nil // no object, which what reads it has its own rules for
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

// check holds a value against the bounds. The path is where it stands.
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

// checkElements judges a list and what is in it.
func (b bounds) checkElements(of reflect.Type, list jsontext.Value, path string) []fault.Field {
	var values []jsontext.Value
	if err := json.Unmarshal(list, &values); err != nil {
		return nil
	}
	if b.maxItems != nil && len(values) > *b.maxItems {
		return []fault.Field{
			{Field: path, Code: "tooMany", Message: fmt.Sprintf("There can be at most %d; take some out.", *b.maxItems)}}
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

// rangeText says the bounds of a number.
func (b bounds) rangeText() string {
	switch {
	case b.minimum == nil:
		return "at most " + strconv.Itoa(*b.maximum)
	case b.maximum == nil:
		return "at least " + strconv.Itoa(*b.minimum)
	}
	return "within " + strconv.Itoa(*b.minimum) + " and " + strconv.Itoa(*b.maximum)
}

// hasOwnDecoder reports whether a type has a way of its own to be read, so that its fields are no members.
func hasOwnDecoder(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) ||
		p.Implements(reflect.TypeFor[json.Unmarshaler]()) ||
		p.Implements(reflect.TypeFor[json.UnmarshalerFrom]())
}
