package resource

import (
	"slices"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/field"
)

// Names of the sections of the resource form.
const (
	sectionResource = "resource"
	sectionPerson   = "person"
	sectionPayment  = "payment"
	sectionStatus   = "status"
)

// Sections returns the sections of the form, in order.
func Sections() []field.Section {
	return []field.Section{
		{Name: sectionResource, Label: "Resource"},
		{Name: sectionPerson, Label: "Person"},
		{Name: sectionPayment, Label: "Payment"},
		{Name: sectionStatus, Label: "Status"},
	}
}

// The longest texts, in characters.
const (
	maxDescription = 200
	maxName        = 150
	maxShort       = 50
)

// Fields is the resource's field table, the only place that lists its fields.
func Fields() field.Table[Resource] {
	return slices.Concat(workFields(), personFields(), paymentFields(), statusFields())
}

// ChangeFields is the table of the fields that can be changed: all except the code, which others refer to.
func ChangeFields() field.Table[Resource] {
	t := Fields()
	t.Find("code").ReadOnly = true
	return t
}

// ForAccountFields is the table of Create resource from an account: the account's name is the default of the
// description.
func ForAccountFields() field.Table[Resource] {
	t := Fields()
	t.Find("description").Required = false
	return t
}

func workFields() field.Table[Resource] {
	return field.Table[Resource]{
		{Name: "code", Label: "Code", Section: sectionResource, Kind: field.Text, Grid: 1, Max: catalogue.MaxCode,
			Help: "Unique without regard to case, and cannot be changed; usually initials, such as JD. If left blank, it is " +
				"the " +
				"next free number.",
			At: func(r *Resource) any { return &r.Code }},
		{Name: "description", Label: "Description", Section: sectionResource, Kind: field.Text, Required: true, Grid: 2,
			Max:  maxDescription,
			Help: "Usually the person's full name.",
			At:   func(r *Resource) any { return &r.Description }},
		{Name: "account", Label: "Account", Section: sectionResource, Kind: field.Text, ReadOnly: true, Max: 26,
			Help: "The id of the account that the resource belongs to. Create resource, on the account, links the two.",
			At:   func(r *Resource) any { return &r.AccountID }},
		{Name: "resourceGroup", Label: "Resource group", Section: sectionResource, Kind: field.Code, Required: true,
			Refers: "resourceGroup", Grid: 3, Max: catalogue.MaxCode,
			Help: "Has the default values of a new resource.",
			At:   func(r *Resource) any { return &r.ResourceGroup }},
		{Name: "department", Label: "Department", Section: sectionResource, Kind: field.Code, Refers: "department", Grid: 4,
			Max:  catalogue.MaxCode,
			Help: "If left out, a new resource gets its resource group's default.",
			At:   func(r *Resource) any { return &r.Department }},
		{Name: "manager", Label: "Manager", Section: sectionResource, Kind: field.Code, Refers: "resource", Grid: 5,
			Max:  catalogue.MaxCode,
			Help: "The code of another resource. If left out, a new resource gets its resource group's default.",
			At:   func(r *Resource) any { return &r.Manager }},
		{Name: "costCentre", Label: "Cost centre", Section: sectionResource, Kind: field.Code, Refers: "costCentre", Grid: 6,
			Max:  catalogue.MaxCode,
			Help: "If left out, a new resource gets its resource group's default.",
			At:   func(r *Resource) any { return &r.CostCentre }},
		{Name: "staff", Label: "Staff", Section: sectionResource, Kind: field.Bool, Grid: 7,
			Help: "Whether the resource is a member of staff.",
			At:   func(r *Resource) any { return &r.Staff }},
	}
}

func personFields() field.Table[Resource] {
	text := func(name, label, help string, maxLength int, at func(*Resource) any) field.Def[Resource] {
		return field.Def[Resource]{Name: name, Label: label, Help: help, Section: sectionPerson, Kind: field.Text,
			Max: maxLength,
			At:  at}
	}
	return field.Table[Resource]{
		text("title", "Title", "Any text.", maxShort, func(r *Resource) any { return &r.Title }),
		text("firstName", "First name", "", maxName, func(r *Resource) any { return &r.FirstName }),
		text("middleName", "Middle name", "", maxName, func(r *Resource) any { return &r.MiddleName }),
		text("lastName", "Last name", "", maxName, func(r *Resource) any { return &r.LastName }),
		text("suffix", "Suffix", "Any text.", maxShort, func(r *Resource) any { return &r.Suffix }),
		text("jobTitle", "Job title", "", maxShort, func(r *Resource) any { return &r.JobTitle }),
		text("company", "Company", "", maxName, func(r *Resource) any { return &r.Company }),
		text("legacyRef", "Legacy ref", "The person's reference in another system.", maxShort,
			func(r *Resource) any { return &r.LegacyRef }),
		{Name: "country", Label: "Country", Section: sectionPerson, Kind: field.Country, Grid: 8,
			Help: "ISO 3166-1, two letters. If left out, a new resource gets the environment's default.",
			At:   func(r *Resource) any { return &r.Country }},
	}
}

func paymentFields() field.Table[Resource] {
	return field.Table[Resource]{
		{Name: "currency", Label: "Currency", Section: sectionPayment, Kind: field.Currency,
			Help: "ISO 4217. If left out, a new resource gets its resource group's default, otherwise the environment's.",
			At:   func(r *Resource) any { return &r.Currency }},
		{Name: "paymentMethod", Label: "Payment method", Section: sectionPayment, Kind: field.Code, Refers: "paymentMethod",
			Max:  catalogue.MaxCode,
			Help: "If left out, a new resource gets its resource group's default.",
			At:   func(r *Resource) any { return &r.PaymentMethod }},
		{Name: "paymentTerms", Label: "Payment terms", Section: sectionPayment, Kind: field.Code, Refers: "paymentTerms",
			Max:  catalogue.MaxCode,
			Help: "If left out, a new resource gets its resource group's default.",
			At:   func(r *Resource) any { return &r.PaymentTerms }},
	}
}

func statusFields() field.Table[Resource] {
	return field.Table[Resource]{
		{Name: "active", Label: "Active", Section: sectionStatus, Kind: field.Bool, ReadOnly: true, Grid: 9,
			Help: "Not ticked for a locked resource, which cannot become a manager. Lock and Unlock change it.",
			At:   func(r *Resource) any { return &r.Active }},
		{Name: "createdAt", Label: "Created", Section: sectionStatus, Kind: field.Instant, ReadOnly: true,
			NeverBlank: true,
			Help:       "When the resource was created (UTC).",
			At:         func(r *Resource) any { return &r.CreatedAt }},
		{Name: "updatedAt", Label: "Last changed", Section: sectionStatus, Kind: field.Instant, ReadOnly: true,
			NeverBlank: true,
			Help:       "When the resource was last changed (UTC).",
			At:         func(r *Resource) any { return &r.UpdatedAt }},
	}
}
