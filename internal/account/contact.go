package account

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Contact is how a person is named and reached. Nobody signs in with it.
type Contact struct {
	// Version is 1 for the blank contact that every account starts with.
	Version int64 `json:"-"`

	Title      string         `json:"title,omitempty"`
	FirstName  string         `json:"firstName,omitempty"`
	MiddleName string         `json:"middleName,omitempty"`
	LastName   string         `json:"lastName,omitempty"`
	Suffix     string         `json:"suffix,omitempty"`
	JobTitle   string         `json:"jobTitle,omitempty"`
	Company    string         `json:"company,omitempty"`
	LegacyRef  string         `json:"legacyRef,omitempty"`
	Emails     []ContactEntry `json:"emails,omitempty"`
	Phones     []ContactEntry `json:"phones,omitempty"`
	Addresses  []Address      `json:"addresses,omitempty"`
}

// ContactEntry is an email or a phone number with its type.
type ContactEntry struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Address is a postal address with its type. Lines are separated by \n.
type Address struct {
	Type     string `json:"type"`
	Address  string `json:"address,omitempty"`
	Postcode string `json:"postcode,omitempty"`
	City     string `json:"city,omitempty"`
	County   string `json:"county,omitempty"`
	Country  string `json:"country,omitempty"`
}

// MaxContactEntries is the most emails, phone numbers or addresses of a contact.
const MaxContactEntries = 20

// The types of an entry, as in a drop-down list.
const (
	EmailTypes   = "work|home|other"
	PhoneTypes   = "work|mobile|home|fax|other"
	AddressTypes = "work|home|other"
)

// ContactFields is the field table of the contact's single texts. DescribeContact adds its lists.
func ContactFields() field.Table[Contact] {
	text := func(name, label string, maxLength int, at func(*Contact) any) field.Def[Contact] {
		return field.Def[Contact]{Name: name, Label: label, Section: sectionContact, Kind: field.Text, Max: maxLength, At: at}
	}
	return field.Table[Contact]{
		text("title", "Title", 50, func(c *Contact) any { return &c.Title }),
		text("firstName", "First name", 150, func(c *Contact) any { return &c.FirstName }),
		text("middleName", "Middle name", 150, func(c *Contact) any { return &c.MiddleName }),
		text("lastName", "Last name", 150, func(c *Contact) any { return &c.LastName }),
		text("suffix", "Suffix", 50, func(c *Contact) any { return &c.Suffix }),
		text("jobTitle", "Job title", 50, func(c *Contact) any { return &c.JobTitle }),
		text("company", "Company", 150, func(c *Contact) any { return &c.Company }),
		text("legacyRef", "Legacy ref", 50, func(c *Contact) any { return &c.LegacyRef }),
	}
}

func entryFields() (email, phone field.Def[ContactEntry]) {
	return field.Def[ContactEntry]{Label: "Email", Kind: field.Email, Max: MaxEmail},
		field.Def[ContactEntry]{Label: "Phone", Kind: field.Phone, Max: MaxMobile}
}

// addressFields are the single-line parts of an address.
func addressFields() field.Table[Address] {
	return field.Table[Address]{
		{Name: "postcode", Label: "Postcode", Kind: field.Text, Max: 20, At: func(a *Address) any { return &a.Postcode }},
		{Name: "city", Label: "City", Kind: field.Text, Max: 100, At: func(a *Address) any { return &a.City }},
		{Name: "county", Label: "County", Kind: field.Text, Max: 100, At: func(a *Address) any { return &a.County }},
		{Name: "country", Label: "Country", Kind: field.Country, Max: 2, At: func(a *Address) any { return &a.Country }},
	}
}

// MaxAddress is the longest street part of an address, in characters.
const MaxAddress = 500

// ContactSubject is what the log calls a contact.
const ContactSubject = "contact"

// ContactStore keeps contacts.
type ContactStore interface {
	// Contact returns an account's contact, a blank one of version 1 if none was written.
	Contact(ctx context.Context, accountID string) (Contact, error)
	// SaveContact writes the next version of a contact and its event: ErrConcurrentChange if the stored version is not the
	// one before it, NotFound if the environment has no such account.
	SaveContact(ctx context.Context, env environment.Environment, accountID string, c Contact, e auditlog.Event) error
	// ContactEventsSince returns the events of the versions after the given one, oldest first.
	ContactEventsSince(ctx context.Context, accountID string, version int64) ([]auditlog.Event, error)
}

// Contacts reads and changes contacts.
type Contacts struct {
	Editor
	Store ContactStore
}

// Get returns an account's contact.
func (s *Contacts) Get(ctx context.Context, sc access.Scope, id string) (Contact, error) {
	if _, err := s.Accounts.Get(ctx, sc, id); err != nil {
		return Contact{}, err
	}
	return s.Store.Contact(ctx, id)
}

// Replace replaces the contact of that version. If nothing would change, nothing is written.
func (s *Contacts) Replace(ctx context.Context, sc access.Scope, id string, version int64,
	given Contact) (Contact, error) {
	a, err := s.accountToChange(ctx, sc, id)
	if err != nil {
		return Contact{}, err
	}
	if err := fault.InvalidFields(given.clean()); err != nil {
		return Contact{}, err
	}
	before, err := s.Store.Contact(ctx, a.ID)
	if err != nil {
		return Contact{}, err
	}
	if before.Version != version {
		return Contact{}, s.staleFault(ctx, a.ID, before.Version, version)
	}
	changes := before.compare(given)
	if len(changes) == 0 {
		return before, nil
	}
	given.Version = version + 1
	e := s.newEvent(sc, auditlog.ContactChanged)
	e.Subject, e.Version, e.Changes = ContactSubject, given.Version, changes
	err = s.Store.SaveContact(ctx, sc.Env, a.ID, given, e)
	if errors.Is(err, ErrConcurrentChange) {
		current, err := s.Store.Contact(ctx, a.ID)
		if err != nil {
			return Contact{}, err
		}
		return Contact{}, s.staleFault(ctx, a.ID, current.Version, version)
	}
	return given, err
}

func (s *Contacts) staleFault(ctx context.Context, id string, current, version int64) error {
	since, err := s.Store.ContactEventsSince(ctx, id, version)
	if err != nil {
		return err
	}
	for i := range since {
		for j, d := range since[i].Changes {
			since[i].Changes[j].Field = strings.TrimPrefix(d.Field, contactPrefix)
		}
	}
	return auditlog.Stale("The contact", current, since)
}

// clean brings a contact into the form that is stored, and returns what is invalid with it.
func (c *Contact) clean() []fault.Field {
	fields := ContactFields()
	patch := field.Patch{}
	for i := range fields {
		if text, ok := fields[i].At(c).(*string); ok {
			patch[fields[i].Name] = *text
		}
	}
	faults := fields.Apply(c, patch)
	email, phone := entryFields()
	faults = append(faults, cleanEntries("emails", EmailTypes, c.Emails, func(text string) (string, *fault.Field) {
		clean, invalid := email.Clean(text)
		if normal, ok := Normalise(clean); invalid == nil && (!ok || !validEmail(clean) || !validEmail(normal)) {
			invalid = &fault.Field{Code: "address",
				Message: "This is not an address that mail can be sent to; it should look like name@example.com."}
		}
		return clean, invalid
	})...)
	faults = append(faults, cleanEntries("phones", PhoneTypes, c.Phones, func(text string) (string, *fault.Field) {
		clean, invalid := phone.Clean(text)
		if invalid == nil && !strings.ContainsAny(clean, "0123456789") {
			invalid = &fault.Field{Code: "phone", Message: "A phone number must contain digits."}
		}
		return clean, invalid
	})...)
	return append(faults, c.cleanAddresses()...)
}

func cleanEntries(name, types string, entries []ContactEntry, clean func(string) (string, *fault.Field)) []fault.Field {
	faults := countFault(name, len(entries))
	for i := range entries[:min(len(entries), MaxContactEntries)] {
		path := name + "." + strconv.Itoa(i)
		faults = append(faults, typeFault(path, types, entries[i].Type)...)
		value, invalid := clean(entries[i].Value)
		if invalid != nil {
			faults = append(faults, fault.Field{Field: path + ".value", Code: invalid.Code, Message: invalid.Message})
		}
		entries[i].Value = value
	}
	return faults
}

func countFault(name string, n int) []fault.Field {
	if n <= MaxContactEntries {
		return nil
	}
	return []fault.Field{
		{Field: name, Code: "tooMany", Message: "There can be at most " + strconv.Itoa(MaxContactEntries) + "; remove some."}}
}

func typeFault(path, types, given string) []fault.Field {
	if slices.Contains(strings.Split(types, "|"), given) {
		return nil
	}
	return []fault.Field{
		{Field: path + ".type", Code: "choice", Message: "This must be one of " + strings.ReplaceAll(types, "|", ", ") + "."}}
}

func (c *Contact) cleanAddresses() []fault.Field {
	faults := countFault("addresses", len(c.Addresses))
	parts := addressFields()
	for i := range c.Addresses[:min(len(c.Addresses), MaxContactEntries)] {
		a, path := &c.Addresses[i], "addresses."+strconv.Itoa(i)
		faults = append(faults, typeFault(path, AddressTypes, a.Type)...)
		lines, invalid := cleanMultiline(path+".address", "Address", a.Address, MaxAddress)
		if invalid != nil {
			faults = append(faults, *invalid)
		}
		a.Address = lines
		for _, f := range parts.Apply(a,
			field.Patch{"postcode": a.Postcode, "city": a.City, "county": a.County, "country": a.Country}) {
			f.Field = path + "." + f.Field
			faults = append(faults, f)
		}
		if invalid == nil && a.Address == "" && a.Postcode == "" && a.City == "" && a.County == "" {
			faults = append(faults, fault.Field{Field: path + ".address", Code: "required",
				Message: "This address is empty; fill it in or remove it."})
		}
	}
	return faults
}

// contactPrefix marks the contact's fields in the account's log.
const contactPrefix = "contact."

// compare returns the fields in which c and after differ. A list is one field; its entries are texts.
func (c Contact) compare(after Contact) []field.Diff {
	out := ContactFields().Compare(&c, &after)
	list := func(name string, same bool, from, to []string) {
		if !same {
			out = append(out, field.Diff{Field: name, From: orNil(from), To: orNil(to)})
		}
	}
	list("emails", slices.Equal(c.Emails, after.Emails), entryTexts(c.Emails), entryTexts(after.Emails))
	list("phones", slices.Equal(c.Phones, after.Phones), entryTexts(c.Phones), entryTexts(after.Phones))
	list("addresses", slices.Equal(c.Addresses, after.Addresses), addressTexts(c.Addresses), addressTexts(after.Addresses))
	for i := range out {
		out[i].Field = contactPrefix + out[i].Field
	}
	return out
}

func orNil(texts []string) any {
	if len(texts) == 0 {
		return nil
	}
	return texts
}

func entryTexts(entries []ContactEntry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Type+": "+e.Value)
	}
	return out
}

func addressTexts(addresses []Address) []string {
	var out []string
	for _, a := range addresses {
		var parts []string
		for _, part := range append(strings.Split(a.Address, "\n"), a.City, a.County, a.Postcode, a.Country) {
			if part = strings.TrimSpace(part); part != "" {
				parts = append(parts, part)
			}
		}
		out = append(out, a.Type+": "+strings.Join(parts, ", "))
	}
	return out
}
