package reference

import (
	"slices"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/field"
)

// Names of the sections of the forms.
const (
	sectionEntry    = "entry"
	sectionAccess   = "permissions"
	sectionDefaults = "defaults"
)

// Sections returns the sections of the forms of all kinds, in order.
func Sections() []field.Section {
	return []field.Section{
		{Name: sectionEntry, Label: "General"},
		{Name: sectionAccess, Label: "Permissions"},
		{Name: sectionDefaults, Label: "Defaults for new resources"},
		{Name: sectionAddresses, Label: "Addresses"},
	}
}

const (
	maxDescription = 200
	maxList        = 100
	maxSeats       = 1_000_000
)

// Entry is one code of reference data.
type Entry = catalogue.Entry

// Fields is the field table of a kind, the only place that lists its fields.
func Fields(kind catalogue.Kind) field.Table[Entry] {
	return append(commonFields(), kindFields(kind)...)
}

// ChangeFields is the table of the fields that can be changed: all except the code, which others refer to.
func ChangeFields(kind catalogue.Kind) field.Table[Entry] {
	t := Fields(kind)
	t.Find("code").ReadOnly = true
	return t
}

// AllFields is the fields of all kinds of a set, each once, with the help of each kind: for the API reference.
func AllFields(set KindSet) []field.Meta { return mergeFields(set, Fields) }

// AllChangeFields is the same for the fields that can be changed.
func AllChangeFields(set KindSet) []field.Meta { return mergeFields(set, ChangeFields) }

func mergeFields(set KindSet, table func(catalogue.Kind) field.Table[Entry]) []field.Meta {
	var out []field.Meta
	for _, slug := range set.Slugs {
		for _, m := range table(set.Kinds[slug]).Describe() {
			i := slices.IndexFunc(out, func(have field.Meta) bool { return have.Name == m.Name })
			switch {
			case i < 0:
				out = append(out, m)
			case out[i].Help != m.Help:
				out[i].Help += " " + m.Help
			}
		}
	}
	return out
}

func commonFields() field.Table[Entry] {
	return field.Table[Entry]{
		{Name: "code", Label: "Code", Section: sectionEntry, Kind: field.Text, Required: true, Max: catalogue.MaxCode,
			Help: "Unique within its kind without regard to case, and cannot be changed. No semicolons or slashes.",
			At:   func(e *Entry) any { return &e.Code }},
		{Name: "description", Label: "Description", Section: sectionEntry, Kind: field.Text, Max: maxDescription,
			Help: "What people see next to the code.",
			At:   func(e *Entry) any { return &e.Description }},
		{Name: "active", Label: "Active", Section: sectionEntry, Kind: field.Bool,
			Help: "Not ticked for a locked code: nobody else can be given it. Those who have it keep it, but locked roles and " +
				"groups give no permissions.",
			At: func(e *Entry) any { return &e.Active }},
	}
}

func kindFields(kind catalogue.Kind) field.Table[Entry] {
	switch kind {
	case catalogue.Licence:
		return field.Table[Entry]{
			{Name: "roles", Label: "Allowed roles", Section: sectionAccess, Kind: field.Codes, Refers: "role", Max: maxList,
				Help: "Licences only: the roles that its accounts may have, directly or through groups; blank for all.",
				At:   func(e *Entry) any { return &e.Roles }},
			{Name: "seats", Label: "Seats", Section: sectionAccess, Kind: field.Number, Max: maxSeats,
				Help: "Licences only: how many accounts may have it; 0 for no limit. If more accounts have it already, they " +
					"keep it.",
				At: func(e *Entry) any { return &e.Seats }},
			{Name: "apiOnly", Label: "API only", Section: sectionAccess, Kind: field.Bool,
				Help: "Licences only: its accounts have API keys, but no password, second factor or sign-in. Cannot be changed " +
					"while accounts have the licence.",
				At: func(e *Entry) any { return &e.APIOnly }},
		}
	case catalogue.Role:
		return field.Table[Entry]{
			{Name: "permissions", Label: "Permissions", Section: sectionAccess, Kind: field.Codes, Refers: "permission",
				Max:  maxList,
				Help: "Roles only: what the role allows. You can only add permissions that you hold yourself.",
				At:   func(e *Entry) any { return &e.Permissions }},
		}
	case catalogue.Group:
		return field.Table[Entry]{
			{Name: "roles", Label: "Roles", Section: sectionAccess, Kind: field.Codes, Refers: "role", Max: maxList,
				Help: "Groups only: the roles that the group gives.",
				At:   func(e *Entry) any { return &e.Roles }},
			{Name: "groups", Label: "Groups", Section: sectionAccess, Kind: field.Codes, Refers: "group", Max: maxList,
				Help: "Groups only: the groups in it, whose roles it also gives; at most ten levels deep, without cycles.",
				At:   func(e *Entry) any { return &e.Groups }},
		}
	case catalogue.ResourceGroup:
		return defaultFields()
	case catalogue.Application:
		return applicationFields()
	default:
		return nil
	}
}

// defaultFields are the defaults of a resource group's new resources.
func defaultFields() field.Table[Entry] {
	code := func(name, label, refers string, at func(*Entry) any) field.Def[Entry] {
		return field.Def[Entry]{
			Name: name, Label: label, Section: sectionDefaults, Kind: field.Code, Refers: refers, Max: catalogue.MaxCode,
			Help: "Resource groups only: the default of new resources in the group; blank for none.", At: at,
		}
	}
	return field.Table[Entry]{
		code("department", "Department", "department", func(e *Entry) any { return &e.Defaults.Department }),
		code("manager", "Manager", "resource", func(e *Entry) any { return &e.Defaults.Manager }),
		code("costCentre", "Cost centre", "costCentre", func(e *Entry) any { return &e.Defaults.CostCentre }),
		{Name: "currency", Label: "Currency", Section: sectionDefaults, Kind: field.Currency, Max: 3,
			Help: "Resource groups only: ISO 4217. The default of new resources in the group; blank for the environment's.",
			At:   func(e *Entry) any { return &e.Defaults.Currency }},
		code("paymentMethod", "Payment method", "paymentMethod", func(e *Entry) any { return &e.Defaults.PaymentMethod }),
		code("paymentTerms", "Payment terms", "paymentTerms", func(e *Entry) any { return &e.Defaults.PaymentTerms }),
		{Name: "allowTimesheets", Label: "Allow timesheets", Section: sectionDefaults, Kind: field.Bool,
			Help: "Resource groups only: whether new resources in the group may enter timesheets.",
			At:   func(e *Entry) any { return &e.Defaults.AllowTimesheets }},
		{Name: "allowExpenses", Label: "Allow expenses", Section: sectionDefaults, Kind: field.Bool,
			Help: "Resource groups only: whether new resources in the group may enter expenses.",
			At:   func(e *Entry) any { return &e.Defaults.AllowExpenses }},
	}
}
