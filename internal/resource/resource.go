// Package resource is the person as staff: a resource's fields, the defaults of its group, the rules between them, and
// the one write path that the API and imports share. It knows neither the table nor accounts: a resource has the id of
// its account, and package staffing joins the two.
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

	// AccountID is the account that the resource belongs to, empty for none. An account has at most one resource, and the
	// link stays: it is written in both in one transaction.
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

	// Stored is what the store read, for the condition of its next write. It is of no use to others.
	Stored Revision
}

// Key returns the folded code, by which resources are found, compared and sorted.
func (r Resource) Key() string { return catalogue.Fold(r.Code) }

// Subject is the resource's name in a log.
func (r Resource) Subject() string { return "resource/" + r.Code }

// Revision identifies what the store has for a resource: the version of the newest image and the import that wrote it.
// While that import is Pending, readers see the image before it. ReferenceCount counts how often the resource was
// named, as a manager or otherwise; it never falls.
type Revision struct {
	Version        int64
	Import         int64
	Pending        bool
	ReferenceCount int64
	// HasPrevious says that the image before that import is still stored.
	HasPrevious bool
}

// Write is one change of one resource. The resource, the counter of numbers and the event are written in one
// transaction.
type Write struct {
	// Before is the resource as read, nil for a new one.
	Before *Resource
	// After is the resource as it will be. The store gives a new one without a code the next free number.
	After Resource
	// Deleted deletes the resource; After is then what it was.
	Deleted bool
	// Event goes into the account's log if the resource has an account, otherwise into the environment's. Without a kind,
	// another event of the same transaction is enough.
	Event auditlog.Event
}

// WithCode returns the write with the code that the store assigned.
func (w Write) WithCode(code string) Write {
	w.After.Code = code
	w.Event.Subject = w.After.Subject()
	return w
}
