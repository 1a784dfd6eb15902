package apidoc

import "strings"

// problemSchema is the schema of a problem document, as httpapi writes it. Problems may get more members in time.
func problemSchema() *Schema {
	text := func(help string) *Schema { return &Schema{Type: "string", Description: help} }
	wrongField := &Schema{
		Type: "object", Required: []string{"field", "code", "message"},
		Properties: Ordered[*Schema]{
			{"field", text("The member or parameter at fault; dots lead into it.")},
			{"code", text("What is wrong, for programs.")},
			{"message", text("What is wrong and what to do, for people.")},
			{"by", text("Who changed it meanwhile; only when a version is stale.")},
			{"at", &Schema{Type: "string", Format: "date-time", Description: "When it was changed."}},
		},
	}
	return &Schema{
		Type: "object", Description: "What went wrong (RFC 9457).",
		Required: []string{"type", "title", "status", "detail", "instance", "code"},
		Properties: Ordered[*Schema]{
			{"type", &Schema{Type: "string", Format: "uri-reference", Description: "Where this page tells of the code."}},
			{"title", text("The class of problem, the same for every code of a status.")},
			{"status", &Schema{Type: "integer", Minimum: new(400), Maximum: new(599)}},
			{"detail", text("What happened and what to do about it, for people.")},
			{"instance", text("The request id, which the logs have too.")},
			{"code", text("What happened, for programs; it does not change.")},
			{"fields", &Schema{Type: "array", Items: wrongField, Description: "The inputs at fault."}},
			{"retryAfter", &Schema{Type: "integer", Minimum: new(0), Description: "Seconds to wait before the next try."}},
		},
	}
}

// resolve follows a reference to a named schema.
func (s *schemas) resolve(schema *Schema) *Schema {
	if name, ok := strings.CutPrefix(schema.Ref, "#/components/schemas/"); ok {
		named, _ := s.named.Find(name)
		return named
	}
	return schema
}

// exampleOf puts a body together from its members' examples; nil if a required member has none.
func (s *schemas) exampleOf(schema *Schema) any {
	schema = s.resolve(schema)
	var out Ordered[any]
	for _, p := range schema.Properties {
		if len(p.Value.Examples) > 0 {
			out.Set(p.Name, p.Value.Examples[0])
		}
	}
	for _, name := range schema.Required {
		if _, ok := out.Find(name); !ok {
			return nil
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
