// Package field has field tables.
//
// The fields of a type are declared once, in a Table next to the struct. Decoding, validation, storage, the columns of
// sheets and lists, and the metadata for clients all read that table. This package knows how a field of each kind is
// read, checked, compared and written. It knows no particular field.
package field

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"useraccounts/internal/fault"
)

// Kind says what values a field can have. The Go type of each kind is fixed; see Def.At.
type Kind string

// The kinds of field.
const (
	Text  Kind = "text"  // string, one line
	Email Kind = "email" // string, an address (RFC 5321 without quoted or commented forms)
	Phone Kind = "phone" // string, kept as typed
	Code  Kind = "code"  // string, a code of reference data
	// Choice is a string, one of Def.Choices.
	Choice Kind = "choice"
	// Country is a string, an ISO 3166-1 alpha-2 code; Currency a string, the ISO 4217 code of a current currency.
	Country  Kind = "country"
	Currency Kind = "currency"
	Codes    Kind = "codes"   // []string, codes of reference data
	Texts    Kind = "texts"   // []string, such as addresses; told apart by case
	Named    Kind = "named"   // map[string]string, names and what they stand for
	Bool     Kind = "yesNo"   // bool
	Day      Kind = "date"    // Date
	Instant  Kind = "instant" // time.Time, UTC, to the millisecond
	Number   Kind = "number"  // int64 or int, a whole number
)

// Date is a calendar day as yyyy-MM-dd, or empty for none. Dates compare as strings do.
type Date string

// ParseDate returns the Date of a text in the form yyyy-MM-dd, and whether it is one.
func ParseDate(text string) (Date, bool) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 1 {
		return "", false
	}
	return Date(text), true
}

// DateOf returns the day of t in UTC.
func DateOf(t time.Time) Date { return Date(t.UTC().Format(time.DateOnly)) }

// Def declares one field of T.
type Def[T any] struct {
	// Name is the JSON and storage name; Label is what people read; Help is a sentence for the form.
	Name, Label, Help string
	// Section is the group of fields on a form; see Section.
	Section string
	Kind    Kind
	// Max is the longest text in characters, or the most entries of Codes, Texts or Named. Zero means 1,000. For a Number
	// that can be set, Min and Max are the smallest and the largest value.
	Min, Max int
	// Required fields may not be blank. Rules between fields are T's.
	Required bool
	// ReadOnly fields are refused in a Patch: only actions or sign-ins change them.
	ReadOnly bool
	// NeverBlank fields are ReadOnly and have a value from the start, as the time of creation has.
	NeverBlank bool
	// Live fields are written by sign-ins without a new version, so they are not part of an image.
	Live bool
	// Grid is the position among the default columns of the list, from 1; 0 for none.
	Grid int
	// Refers is the kind of reference data of a Code or Codes.
	Refers string
	// Choices are the values of a Choice, in the order in which lists are sorted by it.
	Choices []Option
	// At returns a pointer to the field: *string, *[]string, *map[string]string, *bool, *Date, *time.Time, *int64 or *int
	// as Kind says.
	At func(*T) any
}

// Option is a value of a Choice, with what people read.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// Table is the fields of T in the order of forms and documents.
type Table[T any] []Def[T]

// Patch has the fields of a change by name: a string, []string, map[string]string, bool, int64 or Date by their kind,
// or nil to clear a field.
type Patch map[string]any

// Diff is a changed field with plain values.
type Diff struct {
	Field string `json:"field"`
	From  any    `json:"from"`
	To    any    `json:"to"`
}

// Find returns the definition with the name, or nil.
func (t Table[T]) Find(name string) *Def[T] {
	for i := range t {
		if t[i].Name == name {
			return &t[i]
		}
	}
	return nil
}

// Apply checks the fields in p and sets them on dst. It returns what is wrong. dst has only the valid fields then;
// callers discard it after a fault.
func (t Table[T]) Apply(dst *T, p Patch) []fault.Field {
	var faults []fault.Field
	for i := range t {
		d := &t[i]
		value, given := p[d.Name]
		if !given {
			continue
		}
		if d.ReadOnly {
			faults = append(faults,
				fault.Field{Field: d.Name, Code: "readOnly", Message: d.Label + " cannot be set here; leave it out."})
			continue
		}
		if f := d.set(dst, value); f != nil {
			faults = append(faults, *f)
		}
	}
	return faults
}

// Missing returns a fault for each required field that is blank on v.
func (t Table[T]) Missing(v *T) []fault.Field {
	var faults []fault.Field
	for i := range t {
		if t[i].Required && isZero(t[i].At(v)) {
			faults = append(faults, fault.Field{Field: t[i].Name, Code: "required", Message: t[i].Label + " is required."})
		}
	}
	return faults
}

func (d *Def[T]) set(dst *T, value any) *fault.Field {
	invalid := func(code, message string) *fault.Field {
		return &fault.Field{Field: d.Name, Code: code, Message: message}
	}
	if value != nil && !d.accepts(value) {
		return invalid("type", d.Label+" cannot have a value of this type.")
	}
	switch at := d.At(dst).(type) {
	case *string:
		text, _ := value.(string)
		clean, code, message := d.cleanText(text)
		if code != "" {
			return invalid(code, message)
		}
		*at = clean
	case *[]string:
		codes, _ := value.([]string)
		if len(codes) > d.max() {
			return invalid("tooMany", d.Label+" can have at most "+strconv.Itoa(d.max())+" entries.")
		}
		clean, code, message := d.cleanCodes(codes)
		if code != "" {
			return invalid(code, message)
		}
		*at = clean
	case *map[string]string:
		named, _ := value.(map[string]string)
		if len(named) > d.max() {
			return invalid("tooMany", d.Label+" can have at most "+strconv.Itoa(d.max())+" entries.")
		}
		clean, code, message := d.cleanNamed(named)
		if code != "" {
			return invalid(code, message)
		}
		*at = clean
	case *bool:
		*at, _ = value.(bool)
	case *Date:
		*at, _ = value.(Date)
	case *int64:
		n, _ := value.(int64)
		if message := d.rangeMessage(n); message != "" {
			return invalid("range", message)
		}
		*at = n
	case *int:
		n, _ := value.(int64)
		if message := d.rangeMessage(n); message != "" {
			return invalid("range", message)
		}
		*at = int(n)
	default:
		return invalid("readOnly", d.Label+" cannot be set here; leave it out.")
	}
	return nil
}

// accepts reports whether a value has the Go type that the field's kind has in patches.
func (d *Def[T]) accepts(value any) bool {
	switch value.(type) {
	case []string:
		return d.Kind == Codes || d.Kind == Texts
	case map[string]string:
		return d.Kind == Named
	case bool:
		return d.Kind == Bool
	case Date:
		return d.Kind == Day
	case int64:
		return d.Kind == Number
	case string:
		return slices.Contains([]Kind{Text, Choice, Email, Phone, Code, Country, Currency}, d.Kind)
	}
	return false
}

// rangeMessage says that a number is out of range, or "".
func (d *Def[T]) rangeMessage(n int64) string {
	if n < int64(d.Min) || n > int64(d.Max) {
		return d.Label + " must be between " + strconv.Itoa(d.Min) + " and " + strconv.Itoa(d.Max) + "."
	}
	return ""
}

// Clean returns a text as the field would have it, or what is wrong with it.
func (d *Def[T]) Clean(text string) (string, *fault.Field) {
	clean, code, message := d.cleanText(text)
	if code != "" {
		return "", &fault.Field{Field: d.Name, Code: code, Message: message}
	}
	return clean, nil
}

func (d *Def[T]) cleanCodes(codes []string) (clean []string, code, message string) {
	for _, entry := range codes {
		text, code, message := d.cleanText(entry)
		if code != "" {
			return nil, code, message
		}
		same := func(have string) bool {
			return have == text || (d.Kind == Codes && strings.EqualFold(have, text))
		}
		if text != "" && !slices.ContainsFunc(clean, same) {
			clean = append(clean, text)
		}
	}
	return clean, "", ""
}

// cleanNamed returns names and descriptions as the field would have them; a blank name counts as none.
func (d *Def[T]) cleanNamed(named map[string]string) (clean map[string]string, code, message string) {
	for _, name := range slices.Sorted(maps.Keys(named)) {
		key, code, message := d.cleanText(name)
		if code != "" {
			return nil, code, message
		}
		text, code, message := d.cleanText(named[name])
		if code != "" {
			return nil, code, message
		}
		if key == "" {
			continue
		}
		if clean == nil {
			clean = map[string]string{}
		}
		clean[key] = text
	}
	return clean, "", ""
}

func (d *Def[T]) cleanText(text string) (clean, code, message string) {
	if !utf8.ValidString(text) {
		return "", "notText", d.Label + " contains bytes that are not text."
	}
	clean = strings.TrimFunc(norm.NFC.String(text), isBlank)
	if strings.ContainsFunc(clean,
		func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) || r == utf8.RuneError }) {
		return "", "controlCharacter", d.Label + " contains a line break or another control character; remove it."
	}
	if at := LocateRune(clean, isDirectionMark); at != "" {
		return "", "character", d.Label + " contains a character that changes the direction of the text (" + at +
			"); remove it."
	}
	switch { // before the length, as the message about the code is the better one
	case clean == "":
	case d.Kind == Country:
		return d.cleanCountry(clean)
	case d.Kind == Currency:
		return d.cleanCurrency(clean)
	}
	limit := d.max()
	switch d.Kind {
	case Codes:
		limit = MaxCode
	case Texts, Named:
		limit = MaxText
	default: // its own
	}
	if utf8.RuneCountInString(clean) > limit {
		return "", "tooLong", d.Label + " is longer than " + strconv.Itoa(limit) + " characters; shorten it."
	}
	return clean, "", ""
}

// MaxCode is the longest code of reference data, in characters.
const MaxCode = 50

// MaxText is the longest entry of Texts or Named, in characters.
const MaxText = 500

func (d *Def[T]) max() int {
	if d.Max == 0 {
		return 1000
	}
	return d.Max
}

// Compare returns the fields in which before and after differ, in table order, without Live fields.
func (t Table[T]) Compare(before, after *T) []Diff {
	var out []Diff
	for i := range t {
		if t[i].Live {
			continue
		}
		from, to := t[i].plain(before), t[i].plain(after)
		if !equalValues(from, to) {
			out = append(out, Diff{Field: t[i].Name, From: from, To: to})
		}
	}
	return out
}

// Image returns the fields that are neither blank nor Live, as plain values: string, []string, bool, int64.
func (t Table[T]) Image(v *T) map[string]any {
	out := make(map[string]any, len(t))
	for i := range t {
		at := t[i].At(v)
		if !t[i].Live && !isZero(at) {
			out[t[i].Name] = plainValue(at)
		}
	}
	return out
}

// SetImage sets the fields of v from an image. Unknown names are skipped, so that older code can read what newer code
// wrote.
func (t Table[T]) SetImage(v *T, image map[string]any) {
	for i := range t {
		if t[i].Live {
			continue
		}
		value, ok := image[t[i].Name]
		if !ok {
			continue
		}
		switch at := t[i].At(v).(type) {
		case *string:
			*at, _ = value.(string)
		case *Date:
			text, _ := value.(string)
			*at = Date(text)
		case *[]string:
			*at, _ = value.([]string)
		case *bool:
			*at, _ = value.(bool)
		case *int64:
			*at, _ = value.(int64)
		case *int:
			n, _ := value.(int64)
			*at = int(n)
		case *time.Time:
			text, _ := value.(string)
			if parsed, err := time.Parse(time.RFC3339Nano, text); err == nil {
				*at = parsed
			}
		}
	}
}

// Value returns the named field of v as a plain value, nil if blank or unknown.
func (t Table[T]) Value(v *T, name string) any {
	d := t.Find(name)
	if d == nil {
		return nil
	}
	return plainValue(d.At(v))
}

// plain returns the field's plain value. A number is never nil, so that the log shows 0.
func (d *Def[T]) plain(v *T) any {
	value := plainValue(d.At(v))
	if value == nil && d.Kind == Number {
		return int64(0)
	}
	return value
}

// plainValue returns the value behind a field's pointer as nil, string, []string, bool or int64.
func plainValue(at any) any {
	if isZero(at) {
		if b, ok := at.(*bool); ok {
			return *b
		}
		return nil
	}
	switch at := at.(type) {
	case *string:
		return *at
	case *Date:
		return string(*at)
	case *[]string:
		return slices.Clone(*at)
	case *map[string]string:
		return nameLines(*at)
	case *bool:
		return *at
	case *int64:
		return *at
	case *int:
		return int64(*at)
	case *time.Time:
		return FormatInstant(*at)
	}
	return nil
}

// nameLines returns names and descriptions as "name: description", in order: so the log and its exports show them.
func nameLines(named map[string]string) []string {
	out := make([]string, 0, len(named))
	for _, name := range slices.Sorted(maps.Keys(named)) {
		out = append(out, name+": "+named[name])
	}
	return out
}

// FormatInstant returns t in the form of the API and of the table: RFC 3339, UTC, with milliseconds.
func FormatInstant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

func isZero(at any) bool {
	switch at := at.(type) {
	case *string:
		return *at == ""
	case *Date:
		return *at == ""
	case *[]string:
		return len(*at) == 0
	case *map[string]string:
		return len(*at) == 0
	case *bool:
		return !*at
	case *int64:
		return *at == 0
	case *int:
		return *at == 0
	case *time.Time:
		return at.IsZero()
	}
	return true
}

func equalValues(a, b any) bool {
	x, okX := a.([]string)
	y, okY := b.([]string)
	if okX && okY {
		return slices.Equal(x, y)
	}
	if okX || okY {
		return false
	}
	return a == b
}
