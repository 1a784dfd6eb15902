package httpapi

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// ParamKind is the type of a parameter.
type ParamKind string

// The kinds of parameter.
const (
	TextParam   ParamKind = "text"   // any text of at most Max characters; not blank where there is a Min
	NumberParam ParamKind = "number" // a whole number within Min..Max
	BoolParam   ParamKind = "yesNo"  // true or false
	DateParam   ParamKind = "date"   // yyyy-MM-dd
	// InstantParam is an instant in RFC 3339, or a date, which stands for the whole day.
	InstantParam ParamKind = "instant"
	EnumParam    ParamKind = "choice" // one of Choices
	IDParam      ParamKind = "id"     // a ULID
	// CodesParam is a list of at most Max codes, separated by commas; by semicolons, if there is one. Clients do not agree
	// on whether a comma within a value is percent-encoded, and codes may contain commas, but no semicolons.
	CodesParam  ParamKind = "codes"
	cursorParam ParamKind = "cursor" // an opaque position
)

// Param declares a query or path parameter. The server checks it before the handler runs.
type Param struct {
	Name string
	Kind ParamKind
	Help string
	// Min and Max bound a number, or the length of a text. A Max of zero means 1,000 characters, or the largest number.
	Min, Max int
	// Choices are the values of an EnumParam, or, if there are any, of a CodesParam.
	Choices []string
	// Default is the value of a missing parameter.
	Default  string
	Required bool
	Example  string
}

// Limit declares the usual "limit", the size of a page.
func Limit(defaultLimit, maxLimit int) Param {
	return Param{
		Name: "limit", Kind: NumberParam, Min: 1, Max: maxLimit, Default: strconv.Itoa(defaultLimit),
		Help: "The maximum number of entries on the page.",
	}
}

// Cursor declares the usual "cursor", for OpenCursor.
func Cursor() Param {
	return Param{
		Name: "cursor", Kind: cursorParam, Max: maxCursor,
		Help: "The `next` of the page before. It is valid for a day, for the same caller, filters and order.",
	}
}

// Query returns the text of a declared query parameter, or its default, or "".
func (r *Request) Query(name string) string {
	if texts, given := r.query[name]; given {
		return texts[0]
	}
	return r.declared(name).Default
}

// HasQuery reports whether the caller sent a declared query parameter.
func (r *Request) HasQuery(name string) bool {
	r.declared(name)
	return r.query.Has(name)
}

// QueryInt returns a declared number parameter, or its default, or 0.
func (r *Request) QueryInt(name string) int {
	n, _ := strconv.Atoi(r.Query(name)) // checked before the handler ran
	return n
}

// QueryBool returns a declared boolean parameter, or its default, or false.
func (r *Request) QueryBool(name string) bool { return r.Query(name) == "true" }

// declared returns the declaration of a parameter. It panics if there is none, because the reference would be wrong
// then.
func (r *Request) declared(name string) Param {
	i := slices.IndexFunc(r.route.Query, func(p Param) bool { return p.Name == name })
	if i < 0 {
		panic(fmt.Sprintf("route %q does not declare the query parameter %q", r.route.Key, name))
	}
	return r.route.Query[i]
}

// readQuery parses the query and checks every parameter against its declaration.
func (r *Request) readQuery() error {
	values, err := url.ParseQuery(r.event.RawQueryString)
	if err != nil {
		return fault.New(fault.Malformed, "query",
			"The query cannot be read. Percent-encode its values as UTF-8 and separate them by &.").WithCause(err)
	}
	var bad []fault.Field
	for name, texts := range values {
		i := slices.IndexFunc(r.route.Query, func(p Param) bool { return p.Name == name })
		switch {
		case i < 0:
			bad = append(bad, fault.Field{Field: truncateName(name), Code: "unknown", Message: unknownParam(r.route.Query)})
		case r.route.Query[i].Kind == CodesParam: // some clients repeat the parameter for each code
			var codes []string
			for _, text := range texts {
				codes = append(codes, splitCodes(text)...)
			}
			values[name] = []string{strings.Join(codes, ";")}
			bad = append(bad, r.route.Query[i].validateCodes(codes)...)
		case len(texts) > 1:
			bad = append(bad,
				fault.Field{Field: name, Code: "duplicate", Message: "This parameter is repeated; send it once."})
		default:
			bad = append(bad, r.route.Query[i].validate(texts[0])...)
		}
	}
	for _, p := range r.route.Query {
		if p.Required && !values.Has(p.Name) {
			bad = append(bad, fault.Field{Field: p.Name, Code: "required", Message: "This parameter is required."})
		}
	}
	if len(bad) > 0 {
		sortFields(bad)
		return fault.New(fault.Malformed, "query",
			"Some query parameters are invalid; see `fields`.").WithFields(bad...)
	}
	r.query = values
	return nil
}

func unknownParam(known []Param) string {
	if len(known) == 0 {
		return "This parameter is unknown; this request has no parameters."
	}
	const most = 20
	if len(known) > most {
		return "This parameter is unknown; the API reference (/api/docs) lists those of this request."
	}
	names := make([]string, len(known))
	for i, p := range known {
		names[i] = p.Name
	}
	return "This parameter is unknown; the parameters are " + strings.Join(names, ", ") + "."
}

// validate returns what is wrong with a parameter's text, if anything.
func (p Param) validate(text string) []fault.Field {
	wrong := func(code, message string, args ...any) []fault.Field {
		return []fault.Field{{Field: p.Name, Code: code, Message: fmt.Sprintf(message, args...)}}
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return wrong("notText", "This is not valid UTF-8 text.")
	}
	switch p.Kind {
	case NumberParam:
		n, err := strconv.Atoi(text)
		if err != nil || strconv.Itoa(n) != text {
			return wrong("type", "This must be a whole number, such as %d.", p.Min)
		}
		if n < p.Min || n > p.MaxNumber() {
			return wrong("range", "This must be between %d and %d.", p.Min, p.MaxNumber())
		}
	case BoolParam:
		if text != "true" && text != "false" {
			return wrong("type", "This must be true or false.")
		}
	case DateParam:
		if _, ok := field.ParseDate(text); !ok {
			return wrong("type", "This must be an existing date as yyyy-MM-dd.")
		}
	case InstantParam:
		_, day := field.ParseDate(text)
		if _, err := time.Parse(time.RFC3339, text); err != nil && !day {
			return wrong("type", "This must be an existing date as yyyy-MM-dd, or an instant such as 2026-01-31T08:30:00Z.")
		}
	case EnumParam:
		if !slices.Contains(p.Choices, text) {
			return wrong("choice", "This must be one of %s.", strings.Join(p.Choices, ", "))
		}
	case CodesParam:
		return p.validateCodes(splitCodes(text))
	case IDParam:
		if !IsID(text) {
			return wrong("type", "This must be an id: 26 characters of digits and capital letters.")
		}
	default:
		if n := utf8.RuneCountInString(text); n > p.MaxLength() {
			return wrong("tooLong", "This is longer than %d characters; shorten it.", p.MaxLength())
		} else if n < p.Min {
			return wrong("tooShort", "This must have at least %d characters.", p.Min)
		} else if p.Min > 0 && strings.TrimSpace(text) == "" {
			return wrong("value", "This is blank; leave it out.")
		}
	}
	return nil
}

// validateCodes returns what is wrong with the codes of a CodesParam, if anything.
func (p Param) validateCodes(codes []string) []fault.Field {
	if len(codes) > p.Max {
		return []fault.Field{{Field: p.Name, Code: "tooMany",
			Message: fmt.Sprintf("At most %d codes are allowed; ask for fewer.", p.Max)}}
	}
	for _, code := range codes {
		if p.Choices != nil && !slices.Contains(p.Choices, code) {
			return []fault.Field{{Field: p.Name, Code: "choice",
				Message: fmt.Sprintf("Each must be one of %s.", strings.Join(p.Choices, ", "))}}
		}
		if n := utf8.RuneCountInString(code); n == 0 || n > field.MaxCode || !utf8.ValidString(code) ||
			strings.ContainsRune(code, 0) {
			return []fault.Field{{Field: p.Name, Code: "value",
				Message: fmt.Sprintf("Each code must have 1 to %d characters; separate codes by commas.", field.MaxCode)}}
		}
	}
	return nil
}

// splitCodes returns the codes of a CodesParam.
func splitCodes(text string) []string {
	separator := ","
	if strings.Contains(text, ";") {
		separator = ";"
		text = strings.TrimSuffix(strings.TrimSpace(text), ";")
	}
	codes := strings.Split(text, separator)
	for i := range codes {
		codes[i] = strings.TrimSpace(codes[i])
	}
	return codes
}

// MaxNumber is the largest number that the parameter takes.
func (p Param) MaxNumber() int {
	if p.Max == 0 {
		return math.MaxInt32
	}
	return p.Max
}

// MaxLength is the maximum length of the parameter's text, in characters.
func (p Param) MaxLength() int {
	if p.Max == 0 {
		return 1000
	}
	return p.Max
}

// checkParams returns what is wrong with a route's declarations.
func checkParams(params []Param) error {
	var wrong []error
	seen := map[string]bool{}
	for _, p := range params {
		if seen[p.Name] || p.Name == "" {
			wrong = append(wrong, fmt.Errorf("declares the query parameter %q twice, or without a name", p.Name))
		}
		seen[p.Name] = true
		if p.Default != "" && p.validate(p.Default) != nil {
			wrong = append(wrong, fmt.Errorf("has a default for %q that it would refuse", p.Name))
		}
	}
	return errors.Join(wrong...)
}
