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

// Limits of the parts of a Set.
const (
	MaxName    = 80
	MaxColumns = 60
	MaxFilters = 60
	MinWidth   = 20
	MaxWidth   = 2000
)

// Patch is a change of a Set; nil leaves a part as it is.
type Patch struct {
	Name    *string
	Grid    *string
	Columns *[]Column
	Filters *map[string]string
	Sort    *string
	Shared  *bool
	Default *bool
}

// apply applies a patch to a Set and returns what is wrong with it. A new Set needs a name and columns.
func (p Patch) apply(set *Set, isNew bool) []fault.Field {
	var faults []fault.Field
	addFault := func(name, code, message string) {
		faults = append(faults, fault.Field{Field: name, Code: code, Message: message})
	}
	if p.Grid != nil && *p.Grid != set.Grid {
		addFault("grid", "choice", "The only grid is accounts.")
	}
	if p.Name != nil || isNew {
		clean, f := nameField().Clean(deref(p.Name))
		switch {
		case f != nil:
			addFault("name", f.Code, f.Message)
		case clean == "":
			addFault("name", "required", "Give the Set a name.")
		}
		set.Name = clean
	}
	if p.Columns != nil || isNew {
		set.Columns = slices.Clone(deref(p.Columns))
		faults = append(faults, columnFaults(set.Columns)...)
	}
	if p.Filters != nil {
		set.Filters = maps.Clone(*p.Filters)
		faults = append(faults, filterFaults(set.Filters)...)
	}
	if p.Sort != nil {
		set.Sort = *p.Sort
		if _, f := directory.ParseOrder(*p.Sort); f != nil {
			faults = append(faults, *f)
		}
	}
	if p.Shared != nil {
		set.Shared = *p.Shared
	}
	return faults
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// nameField checks a name as a single-line text.
func nameField() *field.Def[Set] {
	return &field.Def[Set]{Name: "name", Label: "Name", Kind: field.Text, Max: MaxName}
}

// columnFaults checks columns against the field table.
func columnFaults(columns []Column) []fault.Field {
	var faults []fault.Field
	if len(columns) == 0 || len(columns) > MaxColumns {
		return []fault.Field{
			{Field: "columns", Code: "count", Message: "A Set has 1 to " + strconv.Itoa(MaxColumns) + " columns."}}
	}
	seen := map[string]bool{}
	for i, c := range columns {
		path := "columns." + strconv.Itoa(i)
		switch {
		case account.Fields().Find(c.Field) == nil:
			faults = append(faults,
				fault.Field{Field: path + ".field", Code: "unknown", Message: "There is no field with this name."})
		case seen[c.Field]:
			faults = append(faults,
				fault.Field{Field: path + ".field", Code: "duplicate", Message: "This field is already a column."})
		case c.Width != 0 && (c.Width < MinWidth || c.Width > MaxWidth):
			faults = append(faults,
				fault.Field{Field: path + ".width", Code: "range",
					Message: "This must be between " + strconv.Itoa(MinWidth) + " and " + strconv.Itoa(MaxWidth) + ", or left out."})
		}
		seen[c.Field] = true
	}
	return faults
}

// filterFaults checks filters against those of the list.
func filterFaults(filters map[string]string) []fault.Field {
	if len(filters) > MaxFilters {
		return []fault.Field{
			{Field: "filters", Code: "tooMany", Message: "A Set has at most " + strconv.Itoa(MaxFilters) + " filters."}}
	}
	_, faults := directory.ParseFilter(filters)
	for i := range faults {
		faults[i].Field = "filters." + faults[i].Field
	}
	return faults
}

// equalSets reports whether two Sets show the same.
func equalSets(a, b Set) bool {
	return a.Name == b.Name && a.Sort == b.Sort && a.Shared == b.Shared && slices.Equal(a.Columns, b.Columns) &&
		maps.Equal(a.Filters, b.Filters)
}
