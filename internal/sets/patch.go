package sets

import (
	"maps"
	"slices"
	"strconv"

	"useraccounts/internal/account"
	"useraccounts/internal/directory"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Bounds of a Set's parts.
const (
	MaxName    = 80
	MaxColumns = 60
	MaxFilters = 60
	MinWidth   = 20
	MaxWidth   = 2000
)

// Patch is what a person wants of a Set; nil leaves a part as it is.
type Patch struct {
	Name    *string
	Grid    *string
	Columns *[]Column
	Filters *map[string]string
	Sort    *string
	Shared  *bool
	Default *bool
}

// apply puts a choice into a Set and returns what is wrong with it. A new Set needs a name and columns.
func (c Patch) apply(set *Set, isNew bool) []fault.Field {
	var bad []fault.Field
	refuse := func(name, code, message string) {
		bad = append(bad, fault.Field{Field: name, Code: code, Message: message})
	}
	if c.Grid != nil && *c.Grid != set.Grid {
		refuse("grid", "choice", "There is one grid, accounts.")
	}
	if c.Name != nil || isNew {
		clean, f := nameField().Clean(deref(c.Name))
		switch {
		case f != nil:
			refuse("name", f.Code, f.Message)
		case clean == "":
			refuse("name", "required", "Give the Set a name.")
		}
		set.Name = clean
	}
	if c.Columns != nil || isNew {
		set.Columns = slices.Clone(deref(c.Columns))
		bad = append(bad, columnFaults(set.Columns)...)
	}
	if c.Filters != nil {
		set.Filters = maps.Clone(*c.Filters)
		bad = append(bad, filterFaults(set.Filters)...)
	}
	if c.Sort != nil {
		set.Sort = *c.Sort
		if _, f := directory.ParseOrder(*c.Sort); f != nil {
			bad = append(bad, *f)
		}
	}
	if c.Shared != nil {
		set.Shared = *c.Shared
	}
	return bad
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// nameField has the rules of a text of one line.
func nameField() *field.Def[Set] {
	return &field.Def[Set]{Name: "name", Label: "Name", Kind: field.Text, Max: MaxName}
}

// columnFaults holds columns against the field table.
func columnFaults(columns []Column) []fault.Field {
	var bad []fault.Field
	if len(columns) == 0 || len(columns) > MaxColumns {
		return []fault.Field{
			{Field: "columns", Code: "count", Message: "A Set has 1 to " + strconv.Itoa(MaxColumns) + " columns."}}
	}
	seen := map[string]bool{}
	for i, c := range columns {
		at := "columns." + strconv.Itoa(i)
		switch {
		case account.Fields().Find(c.Field) == nil:
			bad = append(bad, fault.Field{Field: at + ".field", Code: "unknown", Message: "There is no field of this name."})
		case seen[c.Field]:
			bad = append(bad, fault.Field{Field: at + ".field", Code: "duplicate", Message: "This field is a column already."})
		case c.Width != 0 && (c.Width < MinWidth || c.Width > MaxWidth):
			bad = append(bad,
				fault.Field{Field: at + ".width", Code: "range",
					Message: "This must be within " + strconv.Itoa(MinWidth) + " and " + strconv.Itoa(MaxWidth) + ", or left out."})
		}
		seen[c.Field] = true
	}
	return bad
}

// filterFaults holds filters against those that the list has.
func filterFaults(filters map[string]string) []fault.Field {
	if len(filters) > MaxFilters {
		return []fault.Field{
			{Field: "filters", Code: "tooMany", Message: "A Set has at most " + strconv.Itoa(MaxFilters) + " filters."}}
	}
	_, bad := directory.ParseFilter(filters)
	for i := range bad {
		bad[i].Field = "filters." + bad[i].Field
	}
	return bad
}

// equalSets reports whether two Sets show the same.
func equalSets(a, b Set) bool {
	return a.Name == b.Name && a.Sort == b.Sort && a.Shared == b.Shared && slices.Equal(a.Columns, b.Columns) &&
		maps.Equal(a.Filters, b.Filters)
}
