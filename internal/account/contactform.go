package account

import (
	"strings"

	"useraccounts/internal/field"
)

// ContactForm is what a client needs to show a contact and to let it be filled in.
type ContactForm struct {
	// Items are the texts of which there is one each.
	Items []field.Meta `json:"items"`
	// Lists are what there can be several of.
	Lists []ContactList `json:"lists"`
}

// ContactList describes a list within a contact, and the fields of each of its entries.
type ContactList struct {
	Name  string        `json:"name"`
	Label string        `json:"label"`
	Max   int           `json:"most" help:"How many there can be."`
	Types []ContactType `json:"types" help:"What an entry can be for; the value of its type."`
	Items []field.Meta  `json:"items"`
}

// ContactType is what an entry can be for.
type ContactType struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// DescribeContact returns the form of a contact, from the tables that also check one.
func DescribeContact() ContactForm {
	email, phone := entryFields()
	email.Name, email.Required, phone.Name, phone.Required = "value", true, "value", true
	// The street can have several lines, which fields of a table cannot: clean checks it separately.
	parts := append(
		field.Table[Address]{
			{Name: "address", Label: "Address", Help: "House and street; can have several lines.",
				Kind: field.Text, Max: MaxAddress}}, addressFields()...)
	return ContactForm{
		Items: ContactFields().Describe(),
		Lists: []ContactList{
			{Name: "emails", Label: "Email addresses", Max: MaxContactEntries, Types: contactTypes(EmailTypes),
				Items: field.Table[ContactEntry]{email}.Describe()},
			{Name: "phones", Label: "Phone numbers", Max: MaxContactEntries, Types: contactTypes(PhoneTypes),
				Items: field.Table[ContactEntry]{phone}.Describe()},
			{Name: "addresses", Label: "Addresses", Max: MaxContactEntries, Types: contactTypes(AddressTypes),
				Items: parts.Describe()},
		},
	}
}

func contactTypes(types string) []ContactType {
	var out []ContactType
	for value := range strings.SplitSeq(types, "|") {
		out = append(out, ContactType{Value: value, Label: strings.ToUpper(value[:1]) + value[1:]})
	}
	return out
}
