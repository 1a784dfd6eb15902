package apidoc

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// problemSchema is the schema of a problem document, as httpapi writes it. Later versions may add members.
func problemSchema(code *Schema) *Schema {
	text := func(help string) *Schema { return &Schema{Type: "string", Description: help} }
	wrongField := &Schema{
		Type: "object", Required: []string{"field", "code", "message"},
		Properties: Ordered[*Schema]{
			{"field", text("The wrong member or parameter; dots separate nested names.")},
			{"code", text("What is wrong, for programs.")},
			{"message", text("What is wrong and what to do, for people.")},
			{"by", text("Who changed it since; only if a version is stale.")},
			{"at", &Schema{Type: "string", Format: "date-time", Description: "When it was changed."}},
		},
	}
	retryAfter := integer(reflect.Int)
	retryAfter.Description = "Seconds to wait before a retry."
	return &Schema{
		Type: "object", Description: "What went wrong (RFC 9457).",
		Required: []string{"type", "title", "status", "detail", "instance", "code"},
		Properties: Ordered[*Schema]{
			{"type", &Schema{
				Type: "string", Format: "uri-reference", Description: "The page about the code.",
				Examples: []any{"/api/docs/problems/taken"},
			}},
			{"title", text("The class of the problem, the same for all codes of a status.")},
			{"status", &Schema{Type: "integer", Format: "int32", Minimum: new(400), Maximum: new(599)}},
			{"detail", text("What happened and what to do about it, for people.")},
			{"instance", text("The request id, as in the logs.")},
			{"code", code},
			{"fields", &Schema{Type: "array", Items: wrongField, Description: "The wrong inputs."}},
			{"retryAfter", retryAfter},
		},
	}
}

// problemCodes is the schema of the codes. It is extensible: later versions add codes, whose status says their class.
func problemCodes(problems []Problem) *Schema {
	out := &Schema{
		Type: "string", ExtensibleEnum: true,
		Description: "What happened, for programs. No code is renamed or given another " +
			"meaning; later versions may add codes, which programs treat by the status.",
	}
	for _, p := range problems {
		if !slices.Contains(out.Enum, any(p.Code)) {
			out.Enum = append(out.Enum, p.Code)
		}
	}
	slices.SortFunc(out.Enum, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return out
}

// resolve returns the schema that a reference names, or the schema itself.
func (s *schemas) resolve(schema *Schema) *Schema {
	if name, ok := strings.CutPrefix(schema.Ref, "#/components/schemas/"); ok {
		named, _ := s.named.Find(name)
		return named
	}
	return schema
}

// exampleOf composes the example of a body from those of its members; nil if a required member has none.
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
