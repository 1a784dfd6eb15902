// Package resource is the person as staff: a resource's fields, the defaults that its group gives it, the rules that
// bind them, and the one write path that the API and imports share. It knows neither the table nor accounts: a resource
// holds the id of its account, and staffing joins the two.
package resource

import (
	"time"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
)

// Resource is a person as staff. Fields says what each field means.
type Resource struct {
	Code    string
	Version int64

	// AccountID is the account that it belongs to, empty for none. One account has at most one resource, and the link is
	// for good: it is written in both places in one transaction.
	AccountID     string
	Description   string
	Title         string
	FirstName     string
	MiddleName    string
	LastName      string
	Suffix        string
	JobTitle      string
	Company       string
	LegacyRef     string
	Country       string
	ResourceGroup string
	Currency      string
	Department    string
	Manager       string
	CostCentre    string
	Staff         bool
	PaymentMethod string
	PaymentTerms  string
	Active        bool
	CreatedAt     time.Time
	UpdatedAt     time.Time

	// Stored is what the store read, for the condition of the next write. Nobody else looks at it.
	Stored Revision
}

// Key returns the form of the code by which resources are found, compared and ordered.
func (r Resource) Key() string { return catalogue.Fold(r.Code) }

// Subject is what a log calls the resource.
func (r Resource) Subject() string { return "resource/" + r.Code }

// Revision names what the store holds for a resource: the version of the newest image and the import that wrote it.
// While that import is Pending, the resource read is the one before it. Named counts how often it was named, as a
// manager or otherwise, which only rises.
type Revision struct {
	Version        int64
	Import         int64
	Pending        bool
	ReferenceCount int64
	// HasPrevious says that the image before that import is still there.
	HasPrevious bool
}

// Write is one change of one resource, whole: the resource, the counter of numbers and the event that tells of it are
// written together or not at all.
type Write struct {
	// Before is the resource as read, nil for a new one.
	Before *Resource
	// After is the resource as it is to be. A new one without a code gets the next free number from the store.
	After Resource
	// Deleted takes the resource away; After is then what it was.
	Deleted bool
	// Event tells what happened, in the account's log where the resource has an account, else in the environment's.
	// Without a kind, another event of the same transaction tells.
	Event auditlog.Event
}

// WithCode returns the write with the code that the store found for it.
func (w Write) WithCode(code string) Write {
	w.After.Code = code
	w.Event.Subject = w.After.Subject()
	return w
}
