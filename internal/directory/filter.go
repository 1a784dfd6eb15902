package directory

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// FilterOp is how a filter compares a field.
type FilterOp string

// The operators. A filter is named after its field, with the operator behind a dot, except for FilterEquals.
const (
	FilterEquals   FilterOp = "equals"   // the same text but for case and width, one of several codes, yes or no
	FilterContains FilterOp = "contains" // it contains the text
	FilterFrom     FilterOp = "from"     // this or later, this or more
	FilterTo       FilterOp = "to"       // this or earlier, this or less
	FilterEmpty    FilterOp = "empty"    // it is blank
)

// FilterOps returns the operators that filters have for a kind of field.
func FilterOps(kind field.Kind) []FilterOp {
	switch kind {
	case field.Bool:
		return []FilterOp{FilterEquals}
	case field.Number:
		return []FilterOp{FilterFrom, FilterTo}
	case field.Day, field.Instant:
		return []FilterOp{FilterFrom, FilterTo, FilterEmpty}
	case field.Code, field.Codes:
		return []FilterOp{FilterEquals, FilterEmpty}
	case field.Choice:
		return []FilterOp{FilterEquals}
	default:
		return []FilterOp{FilterEquals, FilterContains, FilterEmpty}
	}
}

// Names of the filters that are not made from a field alone or decide about others, and the values that active takes
// besides true and false.
const (
	FindFilter   = "find"
	StatusFilter = "status"
	ActiveFilter = "active"
	ActiveAny    = "any"
)

// Bounds of filters: the length of a text in characters, and the number of codes.
const (
	MaxFilterText  = 250
	MaxFilterCodes = 100
)

// FilterDef declares one filter.
type FilterDef struct {
	// Name is what it is called in a query, a Set and a bulk action.
	Name string
	// Field is the field it compares.
	Field field.Meta
	Op    FilterOp
}

// Filters returns all filters that are made from fields, in the order of the field table.
func Filters() []FilterDef {
	var out []FilterDef
	for _, of := range account.Fields().Describe() {
		for _, op := range FilterOps(of.Kind) {
			out = append(out, FilterDef{Name: filterName(of.Name, op), Field: of, Op: op})
		}
	}
	return out
}

func filterName(of string, op FilterOp) string {
	if op == FilterEquals {
		return of
	}
	return of + "." + string(op)
}

// Filter says which accounts to list: those that match all its terms. The zero value matches all.
type Filter struct {
	terms []term
}

// term is one condition on one field, or on several.
type term struct {
	fields  []string
	broad   bool
	matches func(*account.Account) bool
}

// ParseFilter makes a filter from texts by the names of Filters, find and active, and says what is wrong with them.
// Without active and status, only active accounts match.
func ParseFilter(given map[string]string) (Filter, []fault.Field) {
	var (
		f      Filter
		faults []fault.Field
	)
	addTerm := func(t term, name, message string) {
		if message != "" {
			faults = append(faults, fault.Field{Field: name, Code: "value", Message: message})
			return
		}
		f.terms = append(f.terms, t)
	}
	known := map[string]bool{FindFilter: true, ActiveFilter: true}
	table := account.Fields()
	for i := range table {
		for _, op := range FilterOps(table[i].Kind) {
			name := filterName(table[i].Name, op)
			known[name] = true
			if text, ok := given[name]; ok && name != ActiveFilter {
				t, message := fieldTerm(&table[i], op, text)
				addTerm(t, name, message)
			}
		}
	}
	if text, ok := given[FindFilter]; ok {
		t, message := findTerm(text)
		addTerm(t, FindFilter, message)
	}
	_, byStatus := given[StatusFilter]
	if _, byActive := given[ActiveFilter]; given[ActiveFilter] != ActiveAny && (byActive || !byStatus) {
		t, message := activeTerm(given)
		addTerm(t, ActiveFilter, message)
	}
	for name := range given {
		if !known[name] {
			faults = append(faults, fault.Field{Field: truncateName(name), Code: "unknown",
				Message: "There is no filter of this name; the API reference (/api/docs) lists all filters."})
		}
	}
	slices.SortFunc(faults, func(a, b fault.Field) int { return strings.Compare(a.Field, b.Field) })
	return f, faults
}

// truncateName bounds a caller's text before it is sent back.
func truncateName(name string) string {
	if r := []rune(name); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return name
}

func (f Filter) fields() []string {
	var out []string
	for _, t := range f.terms {
		out = append(out, t.fields...)
	}
	return out
}

// isBroad reports whether most accounts match, so that reading on until a page is full beats a scan.
func (f Filter) isBroad() bool {
	return !slices.ContainsFunc(f.terms, func(t term) bool { return !t.broad })
}

// Matches reports whether an account matches, as people see it on a day.
func (f Filter) Matches(a account.Account, day field.Date) bool { return f.matches(a.ForDisplay(day)) }

// matches is Matches for an account that is already as people see it.
func (f Filter) matches(shown account.Account) bool {
	for _, t := range f.terms {
		if !t.matches(&shown) {
			return false
		}
	}
	return true
}

func activeTerm(given map[string]string) (term, string) {
	text, ok := given[ActiveFilter]
	if ok && text != "true" && text != "false" {
		return term{}, "This must be true, false or any."
	}
	want := text != "false"
	return term{[]string{"active"}, want, func(a *account.Account) bool { return a.Active == want }}, ""
}

// findFields are the fields that find looks into.
var findFields = []string{"username", "name", "email", "mobile", "mobileE164"}

// findTerm matches accounts that have each word in one of the fields that find looks into.
func findTerm(text string) (term, string) {
	words := strings.Fields(account.Fold(text))
	if message := checkText(text); message != "" {
		return term{}, message
	}
	return term{findFields, false, func(a *account.Account) bool {
		texts := [...]string{account.Fold(a.Username), account.Fold(a.Name), account.Fold(a.Email), account.Fold(a.Mobile),
			a.MobileE164}
		for _, word := range words {
			if !slices.ContainsFunc(texts[:], func(t string) bool { return strings.Contains(t, word) }) {
				return false
			}
		}
		return true
	}}, ""
}

func checkText(text string) string {
	switch {
	case strings.TrimSpace(text) == "":
		return "This is blank; leave it out, or use .empty=true for blank ones."
	case len([]rune(text)) > MaxFilterText:
		return "This is longer than " + strconv.Itoa(MaxFilterText) + " characters; shorten it."
	}
	return ""
}

// fieldTerm makes the condition of one filter, or says what is wrong with its text.
func fieldTerm(d *field.Def[account.Account], op FilterOp, text string) (term, string) {
	matches, message := predicate(d, op, text)
	if message != "" {
		return term{}, message
	}
	return term{fields: []string{d.Name}, matches: func(a *account.Account) bool { return matches(d.At(a)) }}, ""
}

// predicate returns the test that a filter makes of the value behind a field's pointer.
func predicate(d *field.Def[account.Account], op FilterOp, text string) (func(at any) bool, string) {
	kind := d.Kind
	switch {
	case op == FilterEmpty:
		want, ok := yesNo(text)
		if !ok {
			return nil, "This must be true or false."
		}
		return func(at any) bool { return empty(at) == want }, ""
	case kind == field.Bool:
		want, ok := yesNo(text)
		if !ok {
			return nil, "This must be true or false."
		}
		return func(at any) bool { b, _ := at.(*bool); return *b == want }, ""
	case kind == field.Number:
		return numberRange(op, text)
	case kind == field.Day:
		return dayRange(op, text)
	case kind == field.Instant:
		return instantRange(op, text)
	case kind == field.Code || kind == field.Codes:
		return anyCode(text)
	case kind == field.Choice:
		return anyChoice(d.Choices, text)
	}
	if message := checkText(text); message != "" {
		return nil, message
	}
	want := account.Fold(text)
	switch op {
	case FilterContains:
		return func(at any) bool { s, _ := at.(*string); return strings.Contains(account.Fold(*s), want) }, ""
	case FilterEquals:
		return func(at any) bool { s, _ := at.(*string); return account.Fold(*s) == want }, ""
	default:
		return nil, "This operator cannot compare texts."
	}
}

func yesNo(text string) (value, ok bool) { return text == "true", text == "true" || text == "false" }

func empty(at any) bool {
	switch at := at.(type) {
	case *string:
		return *at == ""
	case *field.Date:
		return *at == ""
	case *time.Time:
		return at.IsZero()
	case *[]string:
		return len(*at) == 0
	}
	return false
}

func numberRange(op FilterOp, text string) (func(any) bool, string) {
	bound, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, "This must be a whole number."
	}
	return func(at any) bool {
		n, _ := at.(*int64)
		return op == FilterFrom && *n >= bound || op == FilterTo && *n <= bound
	}, ""
}

func dayRange(op FilterOp, text string) (func(any) bool, string) {
	bound, ok := field.ParseDate(text)
	if !ok {
		return nil, "This must be a date that exists, as yyyy-MM-dd."
	}
	return func(at any) bool {
		day, _ := at.(*field.Date)
		return *day != "" && (op == FilterFrom && *day >= bound || op == FilterTo && *day <= bound)
	}, ""
}

// instantRange takes an instant, or a whole day (UTC).
func instantRange(op FilterOp, text string) (func(any) bool, string) {
	bound, err := time.Parse(time.RFC3339Nano, text)
	if day, ok := field.ParseDate(text); ok {
		bound, err = time.Parse(time.DateOnly, string(day))
		if op == FilterTo {
			bound = bound.AddDate(0, 0, 1).Add(-1)
		}
	}
	if err != nil {
		return nil, "This must be a date as yyyy-MM-dd, or an instant as 2026-01-31T08:30:00Z."
	}
	return func(at any) bool {
		t, _ := at.(*time.Time)
		return !t.IsZero() && (op == FilterFrom && !t.Before(bound) || op == FilterTo && !t.After(bound))
	}, ""
}

// anyCode takes one code, or several separated by semicolons of which one is enough.
func anyCode(text string) (func(any) bool, string) {
	var want []string
	for code := range strings.SplitSeq(text, ";") {
		if code = account.Fold(code); code != "" {
			want = append(want, code)
		}
		if len([]rune(code)) > field.MaxCode {
			return nil, "A code has at most " + strconv.Itoa(field.MaxCode) + " characters."
		}
	}
	if len(want) == 0 {
		return nil, "This is blank; give a code, or several separated by semicolons, or use .empty=true for blank ones."
	}
	if len(want) > MaxFilterCodes {
		return nil, "At most " + strconv.Itoa(MaxFilterCodes) + " codes are allowed; ask for fewer."
	}
	return func(at any) bool {
		if s, ok := at.(*string); ok {
			return slices.Contains(want, account.Fold(*s))
		}
		have, _ := at.(*[]string)
		return slices.ContainsFunc(*have, func(code string) bool { return slices.Contains(want, account.Fold(code)) })
	}, ""
}

// anyChoice takes one value of a choice, or several separated by semicolons of which one is enough.
func anyChoice(choices []field.Option, text string) (func(any) bool, string) {
	var want []string
	for value := range strings.SplitSeq(strings.TrimSuffix(text, ";"), ";") {
		if !slices.ContainsFunc(choices, func(o field.Option) bool { return o.Value == value }) {
			values := make([]string, len(choices))
			for i, o := range choices {
				values[i] = o.Value
			}
			return nil, "This must be one of " + strings.Join(values, ", ") + ", or several separated by semicolons."
		}
		want = append(want, value)
	}
	return func(at any) bool { s, _ := at.(*string); return slices.Contains(want, *s) }, ""
}
