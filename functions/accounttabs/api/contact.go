package api

import (
	"context"
	"net/http"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/httpapi"
)

const contactTag = "Account contact"

func (h handlers) contactRoutes() []httpapi.Route {
	ok := []httpapi.Answer{{Status: http.StatusOK, Body: contactView{}, ETag: true}}
	return []httpapi.Route{
		{
			Key: "GET /api/accounts/contact/fields", Needs: access.SignedIn, Handle: h.contactFields,
			Doc: httpapi.Operation{
				Tag: contactTag, ID: "describeContactFields",
				Summary: "Describe the fields of a contact",
				Description: "What a form needs to show a contact: labels, help, kinds, bounds, and the types of emails, phone " +
					"numbers and addresses.",
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: account.ContactForm{}}},
			},
		},
		{
			Key: "GET /api/accounts/{id}/contact", Needs: access.AccountRead, Handle: h.contact,
			Doc: httpapi.Operation{
				Tag: contactTag, ID: "getContact",
				Summary: "Read an account's contact", Description: "Every account starts with a blank contact.",
				Answers: ok, Problems: []httpapi.Problem{notFoundProblem()},
			},
		},
		{
			Key: "PUT /api/accounts/{id}/contact", Needs: access.AccountUpdate, Handle: h.replaceContact,
			Doc: httpapi.Operation{
				Tag: contactTag, ID: "replaceContact",
				Summary: "Replace an account's contact", IfMatch: true,
				Description: "Replaces the whole contact: what is left out or null becomes empty. A contact has its own version; " +
					"the account's version does not change. Nobody signs in with these emails.",
				Body: newContactBody{}, Answers: ok,
				Problems: []httpapi.Problem{notFoundProblem(), administratorProblem(), invalidProblem("Some fields are invalid; see `fields`.")},
			},
		},
	}
}

type newContactBody struct {
	Title      *string           `json:"title,omitzero" help:"Any text." maxLength:"50" example:"Dr"`
	FirstName  *string           `json:"firstName,omitzero" maxLength:"150" example:"Patricia"`
	MiddleName *string           `json:"middleName,omitzero" maxLength:"150"`
	LastName   *string           `json:"lastName,omitzero" maxLength:"150" example:"Walker"`
	Suffix     *string           `json:"suffix,omitzero" help:"Any text." maxLength:"50" example:"OBE"`
	JobTitle   *string           `json:"jobTitle,omitzero" maxLength:"50"`
	Company    *string           `json:"company,omitzero" maxLength:"150"`
	LegacyRef  *string           `json:"legacyRef,omitzero" help:"The person's reference in another system." maxLength:"50"`
	Emails     *[]emailBody      `json:"emails,omitzero" maxItems:"20"`
	Phones     *[]phoneBody      `json:"phones,omitzero" maxItems:"20"`
	Addresses  *[]newAddressBody `json:"addresses,omitzero" maxItems:"20"`
}

type emailBody struct {
	Type  string `json:"type" enum:"work|home|other" example:"work"`
	Value string `json:"value" maxLength:"250" example:"pat@example.com"`
}

type phoneBody struct {
	Type  string `json:"type" enum:"work|mobile|home|fax|other" example:"mobile"`
	Value string `json:"value" help:"Stored as typed." maxLength:"50" example:"+44 20 7946 0018"`
}

type newAddressBody struct {
	Type     string  `json:"type" enum:"work|home|other" example:"work"`
	Address  *string `json:"address,omitzero" help:"House and street; can have several lines." maxLength:"500" example:"1 High Street"`
	Postcode *string `json:"postcode,omitzero" maxLength:"20" example:"SW1A 1AA"`
	City     *string `json:"city,omitzero" maxLength:"100" example:"London"`
	County   *string `json:"county,omitzero" maxLength:"100"`
	Country  *string `json:"country,omitzero" help:"ISO 3166-1, two letters." maxLength:"2" example:"GB"`
}

// contactView is a contact as it is read.
type contactView struct {
	Version    int64                  `json:"version" help:"Rises with every change of the contact; the ETag holds it."`
	Title      string                 `json:"title"`
	FirstName  string                 `json:"firstName"`
	MiddleName string                 `json:"middleName"`
	LastName   string                 `json:"lastName"`
	Suffix     string                 `json:"suffix"`
	JobTitle   string                 `json:"jobTitle"`
	Company    string                 `json:"company"`
	LegacyRef  string                 `json:"legacyRef"`
	Emails     []account.ContactEntry `json:"emails"`
	Phones     []account.ContactEntry `json:"phones"`
	Addresses  []addressView          `json:"addresses"`
}

type addressView struct {
	Type     string `json:"type"`
	Address  string `json:"address"`
	Postcode string `json:"postcode"`
	City     string `json:"city"`
	County   string `json:"county"`
	Country  string `json:"country"`
}

func newContactView(c account.Contact) contactView {
	v := contactView{
		Version: c.Version, Title: c.Title, FirstName: c.FirstName, MiddleName: c.MiddleName, LastName: c.LastName,
		Suffix:   c.Suffix,
		JobTitle: c.JobTitle, Company: c.Company, LegacyRef: c.LegacyRef,
		Emails: append([]account.ContactEntry{}, c.Emails...),
		Phones: append([]account.ContactEntry{}, c.Phones...), Addresses: make([]addressView, len(c.Addresses)),
	}
	for i, a := range c.Addresses {
		v.Addresses[i] = addressView(a)
	}
	return v
}

// contact returns the contact of a body.
func (b newContactBody) contact() account.Contact {
	c := account.Contact{
		Title: deref(b.Title), FirstName: deref(b.FirstName), MiddleName: deref(b.MiddleName), LastName: deref(b.LastName),
		Suffix:   deref(b.Suffix),
		JobTitle: deref(b.JobTitle), Company: deref(b.Company), LegacyRef: deref(b.LegacyRef),
	}
	for _, e := range deref(b.Emails) {
		c.Emails = append(c.Emails, account.ContactEntry(e))
	}
	for _, p := range deref(b.Phones) {
		c.Phones = append(c.Phones, account.ContactEntry(p))
	}
	for _, a := range deref(b.Addresses) {
		c.Addresses = append(c.Addresses, account.Address{
			Type: a.Type, Address: deref(a.Address), Postcode: deref(a.Postcode), City: deref(a.City), County: deref(a.County),
			Country: deref(a.Country),
		})
	}
	return c
}

// deref returns what a pointer points to, or the zero value for nil.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func (h handlers) contactFields(context.Context, *httpapi.Request) (httpapi.Response, error) {
	return httpapi.OK(account.DescribeContact()), nil
}

func (h handlers) contact(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return contactAnswer(h.Contacts.Get(ctx, r.Scope, id))
}

func (h handlers) replaceContact(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	version, err := r.IfMatch()
	if err != nil {
		return httpapi.Response{}, err
	}
	var in newContactBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return contactAnswer(h.Contacts.Replace(ctx, r.Scope, id, version, in.contact()))
}

func contactAnswer(c account.Contact, err error) (httpapi.Response, error) {
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(newContactView(c)).WithVersion(c.Version), nil
}
