package samtemplate

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// mapping is a YAML mapping that remembers the order of its keys.
type mapping struct {
	keys   []string
	values map[string]any
}

func newMapping() *mapping { return &mapping{values: map[string]any{}} }

func (m *mapping) set(key string, value any) {
	if _, known := m.values[key]; !known {
		m.keys = append(m.keys, key)
	}
	m.values[key] = value
}

// intrinsic is a call of CloudFormation: !Ref x, !Sub "...", {"Fn::GetAtt": [...]}.
type intrinsic struct {
	name     string // without "!" or "Fn::"
	argument any
}

// parseYAML turns a document into mappings, []any, scalars and intrinsics.
func parseYAML(source []byte) (any, error) {
	file, err := parser.ParseBytes(source, 0)
	if err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("want one YAML document, have %d", len(file.Docs))
	}
	return convert(file.Docs[0].Body)
}

func convert(n ast.Node) (any, error) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return convertMapping(n.Values)
	case *ast.MappingValueNode:
		return convertMapping([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		list := make([]any, 0, len(n.Values))
		for _, v := range n.Values {
			item, err := convert(v)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		return list, nil
	case *ast.TagNode:
		return convertTag(n)
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.StringNode:
		return n.Value, nil
	case *ast.IntegerNode:
		return convertInteger(n)
	case *ast.FloatNode:
		return n.Value, nil
	case *ast.BoolNode:
		return n.Value, nil
	case *ast.NullNode:
		return nil, nil
	}
	// Anchors, aliases and merge keys are refused: CloudFormation does not read them, so this file may not need them.
	return nil, fmt.Errorf("line %d: %s is not supported in a template", n.GetToken().Position.Line, n.Type())
}

func convertInteger(n *ast.IntegerNode) (any, error) {
	switch v := n.Value.(type) {
	case int64:
		return v, nil
	case uint64:
		if v <= 1<<62 {
			return int64(v), nil
		}
	}
	return nil, fmt.Errorf("line %d: %s is too large a number", n.GetToken().Position.Line, n.String())
}

func convertMapping(values []*ast.MappingValueNode) (any, error) {
	m := newMapping()
	for _, v := range values {
		key, err := convert(v.Key)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprint(key)
		if _, twice := m.values[name]; twice {
			return nil, fmt.Errorf("line %d: %s is given twice", v.Key.GetToken().Position.Line, name)
		}
		value, err := convert(v.Value)
		if err != nil {
			return nil, err
		}
		m.set(name, value)
	}
	if len(m.keys) == 1 {
		if name, ok := longForm(m.keys[0]); ok {
			return intrinsic{name: name, argument: m.values[m.keys[0]]}, nil
		}
	}
	return m, nil
}

// longForm knows the spelling of a call without a YAML tag. Condition is none: as a key it names a resource's
// condition.
func longForm(key string) (string, bool) {
	if key == "Ref" {
		return key, true
	}
	return strings.CutPrefix(key, "Fn::")
}

func convertTag(n *ast.TagNode) (any, error) {
	name, ours := strings.CutPrefix(n.Start.Value, "!")
	if !ours || strings.HasPrefix(name, "!") || name == "" {
		return nil, fmt.Errorf("line %d: the tag %s is not supported in a template", n.Start.Position.Line, n.Start.Value)
	}
	argument, err := convert(n.Value)
	if err != nil {
		return nil, err
	}
	// !GetAtt A.B and {"Fn::GetAtt": [A, B]} are one thing.
	if text, ok := argument.(string); ok && name == "GetAtt" {
		resource, attribute, found := strings.Cut(text, ".")
		if !found {
			return nil, fmt.Errorf("line %d: !GetAtt %s names no attribute", n.Start.Position.Line, text)
		}
		argument = []any{resource, attribute}
	}
	return intrinsic{name: name, argument: argument}, nil
}
