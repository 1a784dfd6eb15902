package samtemplate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// node is a place in the template: what stands there and the path to it, which every error names.
type node struct {
	path       string
	raw        any
	parameters map[string]string // defaults, for !Ref where a number or a plain text is wanted
}

func (n node) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %s", n.path, fmt.Sprintf(format, args...))
}

func (n node) exists() bool { return n.raw != nil }

func (n node) at(step string, raw any) node {
	path := step
	if n.path != "" {
		path = n.path + "." + step
	}
	return node{path: path, raw: raw, parameters: n.parameters}
}

// child is the node under a key; a missing one does not exist and reads as the zero value.
func (n node) child(key string) node {
	if m, ok := n.raw.(*mapping); ok {
		return n.at(key, m.values[key])
	}
	return n.at(key, nil)
}

func (n node) entries() ([]node, []string, error) {
	if !n.exists() {
		return nil, nil, nil
	}
	m, ok := n.raw.(*mapping)
	if !ok {
		return nil, nil, n.errorf("want a mapping, have %s", kindOf(n.raw))
	}
	nodes := make([]node, 0, len(m.keys))
	for _, key := range m.keys {
		nodes = append(nodes, n.child(key))
	}
	return nodes, m.keys, nil
}

func (n node) items() ([]node, error) {
	if !n.exists() {
		return nil, nil
	}
	list, ok := n.raw.([]any)
	if !ok {
		return nil, n.errorf("want a list, have %s", kindOf(n.raw))
	}
	nodes := make([]node, 0, len(list))
	for i, raw := range list {
		nodes = append(nodes, node{path: fmt.Sprintf("%s[%d]", n.path, i), raw: raw, parameters: n.parameters})
	}
	return nodes, nil
}

// only refuses every key that is not named. Whoever reads a part of the template says what it understands, so that a
// setting nobody acts on is an error and not a silent difference from the cloud.
func (n node) only(keys ...string) error {
	_, have, err := n.entries()
	if err != nil {
		return err
	}
	for _, key := range have {
		if !slices.Contains(keys, key) {
			return n.child(key).errorf("not supported here")
		}
	}
	return nil
}

// text reads a string that must be known now: a literal, or a reference to a parameter with a default.
func (n node) text() (string, error) {
	if !n.exists() {
		return "", nil
	}
	v, err := n.value()
	if err != nil {
		return "", err
	}
	return v.Resolve(Values{Parameters: n.parameters})
}

func (n node) required() (string, error) {
	if !n.exists() {
		return "", n.errorf("missing")
	}
	return n.text()
}

func (n node) number(otherwise int) (int, error) {
	text, err := n.text()
	if err != nil || text == "" {
		return otherwise, err
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0, n.errorf("want a whole number, have %q", text)
	}
	return number, nil
}

func (n node) flag() (bool, error) {
	text, err := n.text()
	if err != nil || text == "" {
		return false, err
	}
	switch strings.ToLower(text) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, n.errorf("want true or false, have %q", text)
}

func kindOf(raw any) string {
	switch v := raw.(type) {
	case nil:
		return "nothing"
	case *mapping:
		return "a mapping"
	case []any:
		return "a list"
	case intrinsic:
		return "!" + v.name
	}
	return fmt.Sprintf("%q", fmt.Sprint(raw))
}

// merge lays the function's own properties over the globals as SAM does: mappings are merged, lists are joined with the
// global items first, anything else is replaced.
func merge(global, own any) any {
	if own == nil {
		return global
	}
	switch g := global.(type) {
	case *mapping:
		o, ok := own.(*mapping)
		if !ok {
			return own
		}
		merged := newMapping()
		for _, key := range g.keys {
			merged.set(key, merge(g.values[key], o.values[key]))
		}
		for _, key := range o.keys {
			if _, done := g.values[key]; !done {
				merged.set(key, o.values[key])
			}
		}
		return merged
	case []any:
		if o, ok := own.([]any); ok {
			return append(slices.Clone(g), o...)
		}
	}
	return own
}
