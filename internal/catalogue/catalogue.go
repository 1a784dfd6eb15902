// Package catalogue is an environment's reference data: licences, roles, groups and the other codes that accounts and
// resources refer to. It says what an entry has and how codes are compared; package access says what roles and groups
// mean.
package catalogue

import (
	"cmp"
	"maps"
	"slices"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Kind is a kind of reference data.
type Kind string

// The kinds of reference data.
const (
	Licence       Kind = "licence"
	Role          Kind = "role"
	Group         Kind = "group"
	DACGroup      Kind = "dacGroup"
	ResourceGroup Kind = "resourceGroup"
	Department    Kind = "department"
	CostCentre    Kind = "costCentre"
	PaymentMethod Kind = "paymentMethod"
	PaymentTerms  Kind = "paymentTerms"
	Application   Kind = "application"
)

// Entry is one code of reference data. The fields after Version belong to some kinds only.
type Entry struct {
	Kind        Kind   `json:"kind" dynamodbav:"kind"`
	Code        string `json:"code" dynamodbav:"code"`
	Description string `json:"description" dynamodbav:"description"`
	Active      bool   `json:"active" dynamodbav:"active"`
	// Version is the version of the whole catalogue that the entry's last change made. So no two states of a code have the
	// same version, even if it was deleted and created again.
	Version int64 `json:"version" dynamodbav:"version"`

	// Permissions is what a role allows.
	Permissions []string `json:"permissions,omitempty" dynamodbav:"permissions,omitempty"`
	// Roles are the roles that a group gives, or those that a licence allows (none means all).
	Roles []string `json:"roles,omitempty" dynamodbav:"roles,omitempty"`
	// Groups are the groups nested in a group.
	Groups []string `json:"groups,omitempty" dynamodbav:"groups,omitempty"`
	// Seats is how many accounts may have a licence; 0 means no limit.
	Seats int `json:"seats,omitempty" dynamodbav:"seats,omitempty"`
	// APIOnly licences are for API clients: no password, no second factor, no interactive sign-in.
	APIOnly bool `json:"apiOnly,omitempty" dynamodbav:"apiOnly,omitempty"`
	// Defaults are the defaults of a resource group's new resources.
	Defaults ResourceDefaults `json:"defaults,omitzero" dynamodbav:"defaults"`
	// Application is what an application has besides code and description.
	Application ApplicationData `json:"application,omitzero" dynamodbav:"application"`
}

// ResourceDefaults are the defaults of a resource group; a blank one is none.
type ResourceDefaults struct {
	Department string `json:"department,omitempty" dynamodbav:"department,omitempty"`
	// Manager is the code of a resource.
	Manager         string `json:"manager,omitempty" dynamodbav:"manager,omitempty"`
	CostCentre      string `json:"costCentre,omitempty" dynamodbav:"costCentre,omitempty"`
	Currency        string `json:"currency,omitempty" dynamodbav:"currency,omitempty"`
	PaymentMethod   string `json:"paymentMethod,omitempty" dynamodbav:"paymentMethod,omitempty"`
	PaymentTerms    string `json:"paymentTerms,omitempty" dynamodbav:"paymentTerms,omitempty"`
	AllowTimesheets bool   `json:"allowTimesheets,omitempty" dynamodbav:"allowTimesheets,omitempty"`
	AllowExpenses   bool   `json:"allowExpenses,omitempty" dynamodbav:"allowExpenses,omitempty"`
}

// Catalogue is all reference data of an environment at one version. It is immutable.
type Catalogue struct {
	entries map[Kind]map[string]Entry
}

// New returns the catalogue of the entries.
func New(entries []Entry) *Catalogue {
	c := &Catalogue{entries: map[Kind]map[string]Entry{}}
	for _, e := range entries {
		if c.entries[e.Kind] == nil {
			c.entries[e.Kind] = map[string]Entry{}
		}
		c.entries[e.Kind][Fold(e.Code)] = e
	}
	return c
}

// Fold returns the form in which codes are compared: NFKC and case-folded.
func Fold(code string) string { return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(code))) }

// Find returns the entry of a kind with a code, without regard to case.
func (c *Catalogue) Find(kind Kind, code string) (Entry, bool) {
	e, ok := c.entries[kind][Fold(code)]
	return e, ok
}

// All returns the entries of a kind in the order of their codes.
func (c *Catalogue) All(kind Kind) []Entry {
	out := make([]Entry, 0, len(c.entries[kind]))
	for _, e := range c.entries[kind] {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int { return cmp.Compare(Fold(a.Code), Fold(b.Code)) })
	return out
}

// Resolve returns each code in the catalogue's spelling, and the codes that have no active entry of the kind.
func (c *Catalogue) Resolve(kind Kind, codes []string) (known, unknown []string) {
	for _, code := range codes {
		if e, ok := c.Find(kind, code); ok && e.Active {
			known = append(known, e.Code)
		} else {
			unknown = append(unknown, code)
		}
	}
	return known, unknown
}

// Replace returns the catalogue with an entry added, or replaced if there is one of the kind and code.
func (c *Catalogue) Replace(e Entry) *Catalogue {
	out := c.without(e.Kind, e.Code)
	out.entries[e.Kind][Fold(e.Code)] = e
	return out
}

// Without returns the catalogue without an entry.
func (c *Catalogue) Without(e Entry) *Catalogue { return c.without(e.Kind, e.Code) }

func (c *Catalogue) without(kind Kind, code string) *Catalogue {
	out := &Catalogue{entries: maps.Clone(c.entries)}
	entries := make(map[string]Entry, len(c.entries[kind])+1)
	for folded, e := range c.entries[kind] {
		if folded != Fold(code) {
			entries[folded] = e
		}
	}
	out.entries[kind] = entries
	return out
}
