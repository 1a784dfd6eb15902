package samtemplate

import (
	"fmt"
	"slices"
	"strings"
)

// Statement is what a role allows: each of the actions on each of the resources. Conditions are left out.
type Statement struct {
	Actions   []string
	Resources []Value
}

// readRoles reads what the roles of the template allow, by logical id. It understands no more than these roles say:
// statements that allow named actions, as TestRolesAreNarrow holds them to.
func readRoles(resources node) (map[string][]Statement, error) {
	entries, ids, err := resources.entries()
	if err != nil {
		return nil, err
	}
	roles := map[string][]Statement{}
	for i, entry := range entries {
		if kind, _ := entry.child("Type").text(); kind != "AWS::IAM::Role" {
			continue
		}
		policies, err := entry.child("Properties").child("Policies").items()
		if err != nil {
			return nil, err
		}
		for _, policy := range policies {
			statements, err := policy.child("PolicyDocument").child("Statement").items()
			if err != nil {
				return nil, err
			}
			for _, statement := range statements {
				read, err := readStatement(statement)
				if err != nil {
					return nil, err
				}
				roles[ids[i]] = append(roles[ids[i]], read)
			}
		}
	}
	return roles, nil
}

func readStatement(n node) (Statement, error) {
	var s Statement
	if effect, err := n.child("Effect").required(); err != nil || effect != "Allow" {
		return s, n.child("Effect").errorf("want Allow")
	}
	actions, err := n.child("Action").oneOrMore()
	if err != nil {
		return s, err
	}
	for _, action := range actions {
		text, err := action.required()
		if err != nil {
			return s, err
		}
		s.Actions = append(s.Actions, text)
	}
	resources, err := n.child("Resource").oneOrMore()
	if err != nil {
		return s, err
	}
	for _, resource := range resources {
		v, err := resource.value()
		if err != nil {
			return s, err
		}
		s.Resources = append(s.Resources, v)
	}
	return s, nil
}

func (n node) oneOrMore() ([]node, error) {
	if _, several := n.raw.([]any); several {
		return n.items()
	}
	return []node{n}, nil
}

// Allows reports whether the role of a function allows an action on a resource, given by its ARN.
func (t *Template) Allows(f Function, values Values, action, arn string) (bool, error) {
	role, ok := f.Role.RefersTo()
	if !ok {
		return false, fmt.Errorf("%s has no role of this template", f.LogicalID)
	}
	for _, s := range t.Roles[role] {
		if !slices.Contains(s.Actions, action) {
			continue
		}
		for _, r := range s.Resources {
			pattern, err := r.Resolve(values)
			if err != nil {
				return false, err
			}
			if matches(pattern, arn) {
				return true, nil
			}
		}
	}
	return false, nil
}

// matches reports whether an ARN is that of a pattern, in which a * stands for any text.
func matches(pattern, arn string) bool {
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(arn, parts[0]) {
		return false
	}
	rest := arn[len(parts[0]):]
	if len(parts) == 1 {
		return rest == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
