package httpapi

import (
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Operation documents a route. The problems that the server adds by itself (401, 403, 413, 415, 429, 500, those of
// queries, versions and idempotency keys) are not repeated here.
type Operation struct {
	// Tag groups operations on the page, as in "Accounts"; Summary is one line, Description what else a caller should
	// know.
	Tag, Summary, Description string
	// ID names the operation for generated clients, where the name made of method and path is taken.
	ID string
	// Path describes the path parameters that are not ULIDs.
	Path []Param
	// Body is a zero value of the struct that Handle decodes, a FieldsDoc or a OneOfDoc; nil for a route without a body.
	// The struct's tags are read: json, help, example, minLength, maxLength, minimum, maximum, minItems, maxItems, format,
	// pattern and enum (values separated by |). A member with omitzero or omitempty is optional, any other required.
	Body any
	// BodyOptional lets the body be left out.
	BodyOptional bool
	// BodyExample is a whole body as an example; without one it is composed of the members' examples.
	BodyExample any
	// Form says that the body is a form, as OAuth has it, and that errors are answered as RFC 6749 does: Request.Form
	// works only then. A fault's code is the error where it is one of that RFC; see oauthError.
	Form bool
	// IfMatch says that the route reads If-Match; Request.IfMatch works only then.
	IfMatch bool
	// IfMatchOptional says that the route checks If-Match where it is given, and otherwise acts on the current version:
	// for actions such as a block. Request.IfMatchIfGiven works only then.
	IfMatchOptional bool
	// Secret says that an answer carries a secret, such as a token or a signed address. It is never compressed.
	Secret bool
	// Answers are the successful responses, the usual one first.
	Answers []Answer
	// Problems are the faults that the services behind this route return.
	Problems []Problem
}

// Answer is one successful response of an operation.
type Answer struct {
	Status int
	// Body is a zero value of the struct sent, a FieldsDoc, a ListDoc, or nil for none.
	Body        any
	Description string
	// ContentType is application/json unless stated.
	ContentType string
	// ETag and Location say that the response has these headers.
	ETag, Location bool
}

// Problem is a fault that an operation can respond with.
type Problem struct {
	Kind fault.Kind
	Code string
	// When says in which case.
	When string
}

// FieldsDoc documents a body that a field table describes.
type FieldsDoc struct {
	// Name is the schema's name: "Account", "AccountPatch".
	Name   string
	Fields []field.Meta
	// Use says which fields the body has and which of them are required.
	Use FieldsUse
	// Extra is a zero value of a struct with members besides the fields, such as id and version.
	Extra any
}

// FieldsUse says what a body of fields is used for.
type FieldsUse int

// The uses. A response has every field. A create accepts the writable fields and needs the required ones. A patch
// accepts the writable fields and needs none. A response with variants has some of the fields, depending on its kind.
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

// OneOfDoc documents a body that has one of several forms, structs whose enum of one member says which it is.
type OneOfDoc struct {
	Name, Member string
	Bodies       []any
}

// Describer is a type that states its own JSON Schema (2020-12).
type Describer interface {
	JSONSchema() map[string]any
}

// Page is one page of a list. Next is the cursor of the next page, empty on the last.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitzero" help:"The cursor of the next page; absent on the last."`
}
