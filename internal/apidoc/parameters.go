package apidoc

import (
	"regexp"
	"slices"
	"strconv"

	"useraccounts/internal/field"
	"useraccounts/internal/httpapi"
)

var inBraces = regexp.MustCompile(`\{([a-zA-Z]+)\}`)

// instantOrDatePattern is the pattern of an InstantParam. It only does not know leap years.
const instantOrDatePattern = `^(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-` +
	`((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))` +
	`(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$`

// ifMatchPattern is a strong or weak tag of a version, or a list of them.
const ifMatchPattern = `^(W/)?"[1-9][0-9]{0,17}"(, ?(W/)?"[1-9][0-9]{0,17}")*$`

// exampleID is the example of all ids.
const exampleID = "01JNB7Z5Q0ABCDEFGHJKMNPQRS"

// parameters returns the parameters of a route: path, query and headers.
func parameters(route httpapi.Route) []Parameter {
	var out []Parameter
	for _, match := range inBraces.FindAllStringSubmatch(route.Path(), -1) {
		p := httpapi.Param{Name: match[1], Kind: httpapi.IDParam, Help: "The id.", Example: exampleID}
		if i := slices.IndexFunc(route.Doc.Path, func(p httpapi.Param) bool { return p.Name == match[1] }); i >= 0 {
			p = route.Doc.Path[i]
		}
		param := parameter(p, "path")
		param.Required = true
		out = append(out, param)
	}
	for _, p := range route.Query {
		out = append(out, parameter(p, "query"))
	}
	if route.Doc.IfMatch || route.Doc.IfMatchOptional {
		help := "The ETag of the version to change, from a read."
		if route.Doc.IfMatchOptional {
			help = "The ETag of the version to act on, from a read; if left out, the current version."
		}
		out = append(out, Parameter{
			Name: "If-Match", In: "header", Required: route.Doc.IfMatch, Example: `"7"`, Description: help,
			Schema: &Schema{Type: "string", Pattern: ifMatchPattern},
		})
	}
	if route.Idempotent {
		help := "Makes retries safe: within a day the same key and request run once and get the same response."
		if route.ShownOnce {
			help = "Makes retries safe: within a day the same key and request run once. The response holds a secret and is " +
				"given once; a repeat gets the problem shownOnce."
		}
		out = append(out, Parameter{
			Name: "Idempotency-Key", In: "header", Example: "6f1c2d0e-5f0b-4a36-9f0c-3a1d4c1b7e55", Description: help,
			Schema: &Schema{Type: "string", Pattern: "^[!-~]{1,200}$"},
		})
	}
	return out
}

func parameter(p httpapi.Param, in string) Parameter {
	out := Parameter{Name: p.Name, In: in, Description: p.Help, Required: p.Required, Schema: paramSchema(p)}
	if p.Kind == httpapi.CodesParam {
		out.Style, out.Explode = "form", new(false)
	}
	if p.Example != "" {
		out.Example = p.Example
		if n, err := strconv.Atoi(p.Example); err == nil && p.Kind == httpapi.NumberParam {
			out.Example = n
		}
	}
	return out
}

// Patterns of text parameters: no character 0, and not blank where a minimum length is set. A code of a list has a
// character besides blanks and semicolons, which separate codes as commas do.
const (
	codePattern     = `^[^\x00]*[^\s\x00\x85;][^\x00]*$`
	textPattern     = `^[^\x00]*$`
	nonBlankPattern = `^[^\x00]*[^\s\x00\x85][^\x00]*$`
)

func paramSchema(p httpapi.Param) *Schema {
	s := &Schema{Type: "string"}
	if p.Default != "" {
		s.Default = p.Default
	}
	switch p.Kind {
	case httpapi.NumberParam:
		s.Type, s.Format, s.Minimum, s.Maximum = "integer", "int32", &p.Min, new(p.MaxNumber())
		if n, err := strconv.Atoi(p.Default); err == nil {
			s.Default = n
		}
	case httpapi.BoolParam:
		s.Type = "boolean"
		if p.Default != "" {
			s.Default = p.Default == "true"
		}
	case httpapi.DateParam:
		s.Format = "date"
	case httpapi.InstantParam:
		s.Pattern = instantOrDatePattern
	case httpapi.EnumParam:
		for _, choice := range p.Choices {
			s.Enum = append(s.Enum, choice)
		}
	case httpapi.IDParam:
		s.Pattern = idPattern
	case httpapi.CodesParam:
		s.Type, s.MinItems, s.MaxItems = "array", new(1), &p.Max
		s.Items = &Schema{Type: "string", MinLength: new(1), MaxLength: new(field.MaxCode), Pattern: codePattern}
		if p.Choices != nil {
			s.Items = &Schema{Type: "string"}
			for _, choice := range p.Choices {
				s.Items.Enum = append(s.Items.Enum, choice)
			}
		}
	default:
		s.MaxLength = new(p.MaxLength())
		if p.Min > 0 {
			s.MinLength = &p.Min
		}
		if p.Kind == httpapi.TextParam {
			s.Pattern = map[bool]string{false: textPattern, true: nonBlankPattern}[p.Min > 0]
		}
	}
	return s
}
