package apidoc

// Document is an OpenAPI 3.1 document, with the parts that this API needs.
type Document struct {
	OpenAPI    string                       `json:"openapi"`
	Info       Info                         `json:"info"`
	Servers    []Server                     `json:"servers"`
	Tags       []Tag                        `json:"tags"`
	Paths      Ordered[Ordered[*Operation]] `json:"paths"`
	Components Components                   `json:"components"`

	// otherProblems are those that no operation lists, for the pages about problems.
	otherProblems []Problem
}

// Info names the API.
type Info struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Summary     string `json:"summary"`
	Description string `json:"description"`
	Contact     Named  `json:"contact"`
	License     Named  `json:"license"`
}

// Named is a contact or a licence, which has an identifier.
type Named struct {
	Name       string `json:"name"`
	Identifier string `json:"identifier,omitzero"`
}

// Server is where the API is.
type Server struct {
	URL         string `json:"url"`
	Description string `json:"description"`
}

// Tag is a group of operations.
type Tag struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Components are what operations refer to.
type Components struct {
	Schemas         Ordered[*Schema]        `json:"schemas"`
	Responses       Ordered[*Response]      `json:"responses"`
	Headers         Ordered[*Header]        `json:"headers"`
	SecuritySchemes Ordered[SecurityScheme] `json:"securitySchemes"`
}

// SecurityScheme says how callers authenticate.
type SecurityScheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme"`
	Description string `json:"description"`
}

// Operation is one route.
type Operation struct {
	OperationID string   `json:"operationId"`
	Tags        []string `json:"tags"`
	Summary     string   `json:"summary"`
	Description string   `json:"description,omitzero"`
	Permission  string   `json:"x-permission,omitzero"`
	// Problems are the problems of the operation by status and code; all have the schema Problem.
	Problems    []Problem             `json:"x-problems,omitempty"`
	Parameters  []Parameter           `json:"parameters,omitempty"`
	RequestBody *RequestBody          `json:"requestBody,omitzero"`
	Responses   Ordered[*Response]    `json:"responses"`
	Security    []map[string][]string `json:"security"`
}

// Problem is a problem that an operation can return.
type Problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	When   string `json:"when"`
	// FromServer marks problems that the server itself returns, whatever the operation is.
	FromServer bool `json:"-"`
}

// Parameter is a parameter of the path, the query or a header.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description,omitzero"`
	Required    bool    `json:"required,omitzero"`
	Style       string  `json:"style,omitzero"`
	Explode     *bool   `json:"explode,omitzero"`
	Schema      *Schema `json:"schema"`
	Example     any     `json:"example,omitzero"`
}

// RequestBody is a request's body.
type RequestBody struct {
	Required bool               `json:"required"`
	Content  Ordered[MediaType] `json:"content"`
}

// Response is one response of an operation.
type Response struct {
	Ref         string             `json:"$ref,omitzero"`
	Description string             `json:"description,omitzero"`
	Headers     Ordered[*Header]   `json:"headers,omitempty"`
	Content     Ordered[MediaType] `json:"content,omitempty"`
}

// Header is a header of a response.
type Header struct {
	Ref         string  `json:"$ref,omitzero"`
	Description string  `json:"description,omitzero"`
	Schema      *Schema `json:"schema,omitzero"`
}

// MediaType is a body in one format.
type MediaType struct {
	Schema  *Schema `json:"schema"`
	Example any     `json:"example,omitzero"`
}

// Discriminator names the member whose value says which of the schemas of a OneOf a body has.
type Discriminator struct {
	PropertyName string          `json:"propertyName"`
	Mapping      Ordered[string] `json:"mapping"`
}

// Schema is a JSON Schema (2020-12), with the keywords that this API needs.
type Schema struct {
	Ref                  string           `json:"$ref,omitzero"`
	Type                 any              `json:"type,omitzero"` // a name or, for what may be null, two
	Description          string           `json:"description,omitzero"`
	Format               string           `json:"format,omitzero"`
	Pattern              string           `json:"pattern,omitzero"`
	Enum                 []any            `json:"enum,omitempty"`
	ExtensibleEnum       bool             `json:"x-extensible-enum,omitzero"`
	MinLength            *int             `json:"minLength,omitzero"`
	MaxLength            *int             `json:"maxLength,omitzero"`
	Minimum              *int             `json:"minimum,omitzero"`
	Maximum              *int             `json:"maximum,omitzero"`
	MinItems             *int             `json:"minItems,omitzero"`
	MaxItems             *int             `json:"maxItems,omitzero"`
	Default              any              `json:"default,omitzero"`
	Items                *Schema          `json:"items,omitzero"`
	Properties           Ordered[*Schema] `json:"properties,omitempty"`
	Required             []string         `json:"required,omitempty"`
	AdditionalProperties any              `json:"additionalProperties,omitzero"` // false, or a schema
	OneOf                []*Schema        `json:"oneOf,omitempty"`
	Discriminator        *Discriminator   `json:"discriminator,omitzero"`
	Examples             []any            `json:"examples,omitempty"`
}
