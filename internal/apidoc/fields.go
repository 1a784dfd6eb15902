package apidoc

import (
	"reflect"
	"slices"

	"useraccounts/internal/field"
	"useraccounts/internal/httpapi"
)

// fields returns the schema of a body that a field table reads or writes.
func (s *schemas) fields(doc httpapi.FieldsDoc) *Schema {
	request := doc.Use != httpapi.ForAnswer && doc.Use != httpapi.ForVariants
	out := &Schema{Type: "object"}
	if request {
		out.AdditionalProperties = false
	}
	if doc.Extra != nil {
		s.members(out, reflect.TypeOf(doc.Extra), request)
	}
	for _, m := range doc.Fields {
		if request && m.ReadOnly {
			continue
		}
		member := fieldSchema(m)
		member.Description = m.Label
		if m.Help != "" {
			member.Description += ". " + m.Help
		}
		switch {
		case !request:
			neverNull := []field.Kind{field.Codes, field.Texts, field.Named, field.Bool, field.Number}
			if !slices.Contains(neverNull, m.Kind) && !m.Required && !m.NeverBlank {
				nullable(member) // blank fields are written as null
			}
			if doc.Use == httpapi.ForAnswer {
				out.Required = append(out.Required, m.Name)
			}
		case m.Required:
			if member.Type == "string" {
				member.MinLength = new(1)
			}
			if doc.Use == httpapi.ForCreate {
				out.Required = append(out.Required, m.Name)
			}
		default:
			nullable(member) // null clears the field
		}
		out.Properties.Set(m.Name, member)
	}
	return out
}

// fieldSchema returns the schema of a field's value when it is not blank.
func fieldSchema(m field.Meta) *Schema {
	longest := m.Max
	if longest == 0 {
		longest = 1000
	}
	switch m.Kind {
	case field.Bool:
		return &Schema{Type: "boolean"}
	case field.Codes:
		return &Schema{
			Type: "array", MaxItems: &longest,
			Items: &Schema{Type: "string", MaxLength: new(field.MaxCode), Pattern: singleLinePattern},
		}
	case field.Texts:
		return &Schema{
			Type: "array", MaxItems: &longest,
			Items: &Schema{Type: "string", MaxLength: new(field.MaxText), Pattern: singleLinePattern},
		}
	case field.Named:
		return &Schema{
			Type:                 "object",
			AdditionalProperties: &Schema{Type: "string", MaxLength: new(field.MaxText), Pattern: singleLinePattern},
		}
	case field.Day:
		return &Schema{Type: "string", Format: "date"}
	case field.Instant:
		return &Schema{Type: "string", Format: "date-time"}
	case field.Number:
		if m.ReadOnly {
			return integer(reflect.Int)
		}
		return &Schema{Type: "integer", Format: "int32", Minimum: &m.Min, Maximum: &m.Max}
	case field.Choice:
		out := &Schema{Type: "string"}
		for _, o := range m.Choices {
			out.Enum = append(out.Enum, o.Value)
		}
		return out
	case field.Country:
		return &Schema{Type: "string", Pattern: "^[A-Za-z]{2}$"}
	case field.Currency:
		return &Schema{Type: "string", Pattern: "^[A-Za-z]{3}$"}
	case field.Email:
		return &Schema{Type: "string", Format: "email", MaxLength: &longest}
	default:
		return &Schema{Type: "string", MaxLength: &longest, Pattern: singleLinePattern}
	}
}
