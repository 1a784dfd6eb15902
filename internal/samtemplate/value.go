package samtemplate

import (
	"fmt"
	"regexp"
	"strings"
)

// Value is a text of the template that may still depend on what is only known once resources exist.
type Value struct {
	parts []part
	path  string
}

// part is either plain text or something to look up: a parameter, a resource or a resource's attribute.
type part struct {
	text      string
	name      string // parameter, pseudo parameter or logical id; "" for plain text
	attribute string // "" for !Ref
}

// Values gives the names in a template their meaning.
type Values struct {
	// Parameters replace the defaults of the template's parameters. The pseudo parameters (AWS::Region and the like) are
	// given here too.
	Parameters map[string]string
	// Refs is what !Ref of a resource means: a table's name, a queue's URL.
	Refs map[string]string
	// Attributes is what !GetAtt means, by "Resource.Attribute".
	Attributes map[string]string
}

// Literal is a Value of plain text.
func Literal(text string) Value { return Value{parts: []part{{text: text}}} }

// RefersTo reports whether the value is exactly one reference to a resource, as !Ref or !GetAtt, and to which.
func (v Value) RefersTo() (logicalID string, ok bool) {
	if len(v.parts) == 1 && v.parts[0].name != "" {
		return v.parts[0].name, true
	}
	return "", false
}

// Resolve replaces every reference. A name that is not among the values is an error that says where it stands.
func (v Value) Resolve(values Values) (string, error) {
	var b strings.Builder
	for _, p := range v.parts {
		text, err := p.resolve(values)
		if err != nil {
			return "", fmt.Errorf("%s: %w", v.path, err)
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

func (p part) resolve(values Values) (string, error) {
	switch {
	case p.name == "":
		return p.text, nil
	case p.attribute != "":
		if text, ok := values.Attributes[p.name+"."+p.attribute]; ok {
			return text, nil
		}
		return "", fmt.Errorf("nothing is known of !GetAtt %s.%s here", p.name, p.attribute)
	}
	if text, ok := values.Refs[p.name]; ok {
		return text, nil
	}
	if text, ok := values.Parameters[p.name]; ok {
		return text, nil
	}
	return "", fmt.Errorf("nothing is known of !Ref %s here", p.name)
}

// value reads a scalar or one of the intrinsic functions that yield a text.
func (n node) value() (Value, error) {
	switch v := n.raw.(type) {
	case string, bool, int64, float64:
		return Value{path: n.path, parts: []part{{text: fmt.Sprint(v)}}}, nil
	case intrinsic:
		parts, err := n.call(v)
		return Value{path: n.path, parts: parts}, err
	}
	return Value{}, n.errorf("want a text, have %s", kindOf(n.raw))
}

func (n node) call(c intrinsic) ([]part, error) {
	switch c.name {
	case "Ref":
		if name, ok := c.argument.(string); ok {
			return []part{{name: name}}, nil
		}
	case "GetAtt":
		if list, ok := c.argument.([]any); ok && len(list) == 2 {
			resource, okR := list[0].(string)
			attribute, okA := list[1].(string)
			if okR && okA {
				return []part{{name: resource, attribute: attribute}}, nil
			}
		}
	case "Sub":
		if text, ok := c.argument.(string); ok {
			return substitute(text), nil
		}
		return nil, n.errorf("!Sub with a map of its own is not supported")
	case "Join":
		return n.join(c.argument)
	case "If":
		return n.made(c.argument)
	default:
		return nil, n.errorf("!%s is not supported here", c.name)
	}
	return nil, n.errorf("!%s has an argument that is not supported", c.name)
}

// made reads the branch of !If for a resource that the stack makes: locally nothing is given that exists already. Its
// condition is named for that.
func (n node) made(argument any) ([]part, error) {
	list, _ := argument.([]any)
	if len(list) == 3 {
		if condition, ok := list[0].(string); ok && strings.HasPrefix(condition, "Makes") {
			v, err := node{path: n.path + ".If[1]", raw: list[1]}.value()
			return v.parts, err
		}
	}
	return nil, n.errorf("!If is supported with a condition Makes... and two branches only")
}

func (n node) join(argument any) ([]part, error) {
	list, _ := argument.([]any)
	if len(list) == 2 {
		separator, okS := list[0].(string)
		items, okI := list[1].([]any)
		if okS && okI {
			var parts []part
			for i, item := range items {
				v, err := node{path: fmt.Sprintf("%s.Join[%d]", n.path, i), raw: item}.value()
				if err != nil {
					return nil, err
				}
				if i > 0 {
					parts = append(parts, part{text: separator})
				}
				parts = append(parts, v.parts...)
			}
			return parts, nil
		}
	}
	return nil, n.errorf("!Join has an argument that is not supported")
}

// substitute splits the text of !Sub at its ${...}; "${!x}" is the literal "${x}".
func substitute(text string) []part {
	placeholder := regexp.MustCompile(`\$\{(!?)([^}]*)\}`)
	var parts []part
	last := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(text, -1) {
		parts = append(parts, part{text: text[last:at[0]]})
		inner := text[at[4]:at[5]]
		if at[3] > at[2] {
			parts = append(parts, part{text: "${" + inner + "}"})
		} else if resource, attribute, found := strings.Cut(inner, "."); found {
			parts = append(parts, part{name: resource, attribute: attribute})
		} else {
			parts = append(parts, part{name: inner})
		}
		last = at[1]
	}
	return append(parts, part{text: text[last:]})
}
