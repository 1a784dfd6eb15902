// Package catalogue is an environment's reference data: licences, roles, groups and the other codes that accounts and
// resources refer to. It owns what an entry holds and how codes compare; access owns what roles and groups mean.
package catalogue

import (
	"cmp"
	"maps"
	"slices"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Kind is a sort of reference data.
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
)

// Entry is one code of reference data. The fields after Active belong to some kinds only.
type Entry struct {
	Kind        Kind   `json:"kind" dynamodbav:"kind"`
	Code        string `json:"code" dynamodbav:"code"`
	Description string `json:"description" dynamodbav:"description"`
	Active      bool   `json:"active" dynamodbav:"active"`
	// Version is the version of the whole catalogue that the entry's last change made, so that no two states of a code
	// ever share one, even where it was deleted and made again.
	Version int64 `json:"version" dynamodbav:"version"`

	// Permissions is what a role allows.
	Permissions []string `json:"permissions,omitempty" dynamodbav:"permissions,omitempty"`
	// Roles are the roles a group gives, or those a licence allows (none means all).
	Roles []string `json:"roles,omitempty" dynamodbav:"roles,omitempty"`
	// Groups are the groups nested in a group.
	Groups []string `json:"groups,omitempty" dynamodbav:"groups,omitempty"`
	// Seats is the number of accounts a licence allows; 0 means no limit.
	Seats int `json:"seats,omitempty" dynamodbav:"seats,omitempty"`
	// APIOnly licences mean no password, no second factor and no interactive sign-in.
	APIOnly bool `json:"apiOnly,omitempty" dynamodbav:"apiOnly,omitempty"`
	// Defaults are what a resource group gives its new resources.
	Defaults ResourceDefaults `json:"defaults,omitzero" dynamodbav:"defaults"`
}

// ResourceDefaults are a resource group's defaults; a blank one gives nothing.
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

// Catalogue is all reference data of an environment as of one version. It is read-only once made.
type Catalogue struct {
	entries map[Kind]map[string]Entry
}

// New returns the catalogue of the given entries.
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

// Find returns the entry of a kind with the code, compared without regard to case.
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

// Resolve returns each code as the catalogue spells it, and those that name no active entry of the kind.
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

// Replace returns the catalogue as it is with the entry in place of the one of its kind and code, or added.
func (c *Catalogue) Replace(e Entry) *Catalogue {
	out := c.without(e.Kind, e.Code)
	out.entries[e.Kind][Fold(e.Code)] = e
	return out
}

// Without returns the catalogue as it is without an entry.
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
