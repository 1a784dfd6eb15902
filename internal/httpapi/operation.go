package httpapi

import (
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Operation documents a route. What the server can know by itself (401, 403, 413, 415, 429, 500, the problems of
// queries, versions and idempotency keys) is not repeated here.
type Operation struct {
	// Tag groups operations on the page, "Accounts"; Summary is its line, Description what else a caller should know.
	Tag, Summary, Description string
	// ID names the operation for generated clients, where the name made of method and path would be another's.
	ID string
	// Path describes the parameters in braces that are not ids; those left out are ULIDs.
	Path []Param
	// Body is a zero value of the struct that Handle decodes, or a FieldsDoc; nil for a route without a body, which then
	// refuses one. The struct's tags are read: json, help, example, minLength, maxLength, minimum, maximum, maxItems,
	// format, pattern and enum (values parted by |). A member with omitzero or omitempty is optional, any other required.
	Body any
	// BodyOptional lets the body be left out.
	BodyOptional bool
	// BodyExample is a whole body as an example; without one the members' examples are put together.
	BodyExample any
	// IfMatch says that the route reads If-Match; Request.IfMatch works only then.
	IfMatch bool
	// IfMatchOptional says that the route holds If-Match against the version where it is given, and does without where it
	// is not: for actions that mean the thing as it is, such as a block. Request.IfMatchIfGiven works only then.
	IfMatchOptional bool
	// Answers are the good ones, the usual first.
	Answers []Answer
	// Problems are the faults that the services behind this route return.
	Problems []Problem
}

// Answer is one good answer of an operation.
type Answer struct {
	Status int
	// Body is a zero value of the struct sent, a FieldsDoc, a ListDoc, or nil for none.
	Body        any
	Description string
	// ContentType is application/json unless stated.
	ContentType string
	// ETag and Location say that the answer carries these headers.
	ETag, Location bool
}

// Problem is a fault that an operation can answer with.
type Problem struct {
	Kind fault.Kind
	Code string
	// When says what brings it about.
	When string
}

// FieldsDoc documents a body made of a field table.
type FieldsDoc struct {
	// Name is the schema's name: "Account", "AccountPatch".
	Name   string
	Fields []field.Meta
	// Use says which fields there are and which of them must be.
	Use FieldsUse
	// Extra is a zero value of a struct with members besides the fields: id, version.
	Extra any
}

// FieldsUse says what a body of fields is for.
type FieldsUse int

// The uses: an answer has every field; a create takes those that may be set and needs the required ones; a patch
// takes those that may be set and needs none. An answer for variants has some of the fields, as its kind says.
const (
	ForAnswer FieldsUse = iota
	ForCreate
	ForPatch
	ForVariants
)

// ListDoc documents one page of a list: what Page[T] sends, where T has a FieldsDoc.
type ListDoc struct {
	Name string
	Of   any
}

// Describer is a type that states its own JSON Schema (2020-12).
type Describer interface {
	JSONSchema() map[string]any
}

// Page is one page of a list. Next is the cursor of the next one, empty on the last.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitzero" help:"Cursor of the next page; not there on the last."`
}
