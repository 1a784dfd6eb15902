package dynamofake

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// changes are the actions of an update.
type changes []action

// action changes what is at one path.
type action struct {
	clause string // SET, REMOVE, ADD or DELETE
	at     path
	terms  []term               // of SET: one, or two with a sign between
	minus  bool                 // the sign
	value  types.AttributeValue // of ADD and DELETE
}

// term is an operand of SET: a value or path, if_not_exists(path, term) or list_append(term, term).
type term struct {
	function string
	operand  operand
	terms    []term
}

// update parses an update; nil for none.
func (s *scope) update(text *string) (changes, error) {
	if text == nil {
		return nil, nil
	}
	p := s.parser(*text)
	var out changes
	seen := map[string]bool{}
	for p.err == nil && len(p.tokens) > 0 {
		clause := strings.ToUpper(p.next())
		if !slices.Contains([]string{"SET", "REMOVE", "ADD", "DELETE"}, clause) {
			p.fail("Syntax error; token: %q", clause)
		}
		if seen[clause] {
			p.fail("The %q section can only be used once in an update expression", clause)
		}
		seen[clause] = true
		for p.err == nil {
			out = append(out, p.action(clause))
			if !p.accept(",") {
				break
			}
		}
	}
	for i, a := range out {
		for _, b := range out[:i] {
			if p.err == nil && a.at.overlaps(b.at) {
				p.fail("Two document paths overlap with each other")
			}
		}
	}
	return out, p.err
}

// paths are the attributes that the changes are about, whole ones, as DynamoDB Local has it.
func (c changes) paths() []path {
	out := make([]path, len(c))
	for i, a := range c {
		out[i] = a.at[:1]
	}
	return out
}

// withoutRemovals are the changes that leave something new.
func (c changes) withoutRemovals() changes {
	return slices.DeleteFunc(slices.Clone(c), func(a action) bool { return a.clause == "REMOVE" })
}

// validKey refuses to change the key of an item.
func (c changes) validKey(t *table) error {
	for _, a := range c {
		if name := a.at[0].name; name == t.partition || t.sort != "" && name == t.sort {
			return invalid(
				"One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key",
				name,
			)
		}
	}
	return nil
}

func (p *parser) action(clause string) action {
	a := action{clause: clause, at: p.path()}
	switch clause {
	case "SET":
		p.want("=")
		a.terms = append(a.terms, p.term())
		if a.minus = p.peek() == "-"; a.minus || p.peek() == "+" {
			p.next()
			a.terms = append(a.terms, p.term())
		}
	case "ADD", "DELETE":
		a.value = p.value()
	}
	return a
}

func (p *parser) term() term {
	function := strings.ToLower(p.peek())
	if function != "if_not_exists" && function != "list_append" || len(p.tokens) < 2 || p.tokens[1] != "(" {
		return term{operand: p.operand()}
	}
	p.next()
	p.want("(")
	t := term{function: function, terms: []term{p.term()}}
	p.want(",")
	t.terms = append(t.terms, p.term())
	p.want(")")
	return t
}

// in returns the value of a term, nil for nothing.
func (t term) in(of item) (types.AttributeValue, error) {
	if t.function == "" {
		return t.operand.in(of), nil
	}
	first, err := t.terms[0].in(of)
	if err != nil || t.function == "if_not_exists" && first != nil {
		return first, err
	}
	second, err := t.terms[1].in(of)
	if err != nil || t.function == "if_not_exists" {
		return second, err
	}
	a, okA := first.(*types.AttributeValueMemberL)
	b, okB := second.(*types.AttributeValueMemberL)
	if !okA || !okB {
		return nil, invalid("An operand in the update expression has an incorrect data type")
	}
	return &types.AttributeValueMemberL{Value: slices.Concat(a.Value, b.Value)}, nil
}

// apply returns an item after the changes. All that they read is of the item before; of one that is made, the key is
// there.
func (c changes) apply(e effect) (item, error) {
	if err := c.validKey(e.table); err != nil {
		return nil, err
	}
	before := e.previous
	if before == nil {
		before = e.table.keyAttributes(e.key)
	}
	next := maps.Clone(before)
	for _, a := range c {
		v, err := a.result(before)
		if err != nil {
			return nil, err
		}
		if v == nil && a.clause == "SET" {
			return nil, invalid("The provided expression refers to an attribute that does not exist in the item")
		}
		if err := put(next, a.at, v); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// result is the value that an action leaves at its path; nil for none.
func (a action) result(of item) (types.AttributeValue, error) {
	switch a.clause {
	case "REMOVE":
		return nil, nil
	case "ADD":
		return added(a.at.in(of), a.value)
	case "DELETE":
		return without(a.at.in(of), a.value)
	}
	first, err := a.terms[0].in(of)
	if err != nil || len(a.terms) == 1 {
		return first, err
	}
	second, err := a.terms[1].in(of)
	if err != nil || first == nil || second == nil {
		return nil, err
	}
	x, okX := first.(*types.AttributeValueMemberN)
	y, okY := second.(*types.AttributeValueMemberN)
	if !okX || !okY {
		return nil, invalid("An operand in the update expression has an incorrect data type")
	}
	total, err := sum(x.Value, y.Value, a.minus)
	return &types.AttributeValueMemberN{Value: total}, err
}

func added(is, more types.AttributeValue) (types.AttributeValue, error) {
	switch more := more.(type) {
	case *types.AttributeValueMemberN:
		if is == nil {
			return more, nil
		}
		if is, ok := is.(*types.AttributeValueMemberN); ok {
			total, err := sum(is.Value, more.Value, false)
			return &types.AttributeValueMemberN{Value: total}, err
		}
	case *types.AttributeValueMemberSS:
		if is == nil {
			return more, nil
		}
		if is, ok := is.(*types.AttributeValueMemberSS); ok {
			both := slices.Concat(is.Value, more.Value)
			slices.Sort(both)
			return &types.AttributeValueMemberSS{Value: slices.Compact(both)}, nil
		}
	default:
		return nil, invalid("Incorrect operand type for operator or function; operator: ADD")
	}
	return nil, invalid("An operand in the update expression has an incorrect data type")
}

func without(is, less types.AttributeValue) (types.AttributeValue, error) {
	remove, ok := less.(*types.AttributeValueMemberSS)
	if !ok {
		return nil, invalid("Incorrect operand type for operator or function; operator: DELETE")
	}
	if is == nil {
		return nil, nil
	}
	have, ok := is.(*types.AttributeValueMemberSS)
	if !ok {
		return nil, invalid("An operand in the update expression has an incorrect data type")
	}
	left := slices.DeleteFunc(slices.Clone(have.Value), func(s string) bool { return slices.Contains(remove.Value, s) })
	if len(left) == 0 {
		return nil, nil
	}
	return &types.AttributeValueMemberSS{Value: left}, nil
}

// put sets what is at a path, nil for nothing. Maps on the way are copied, because the item before holds them too.
func put(of item, at path, v types.AttributeValue) error {
	for _, s := range at[:len(at)-1] {
		inner, ok := of[s.name].(*types.AttributeValueMemberM)
		if !ok || s.name == "" {
			return invalid("The document path provided in the update expression is invalid for update")
		}
		copied := maps.Clone(inner.Value)
		of[s.name] = &types.AttributeValueMemberM{Value: copied}
		of = copied
	}
	last := at[len(at)-1]
	if last.name == "" {
		return invalid("the fake does not know how to change a position of a list")
	}
	if v == nil {
		delete(of, last.name)
		return nil
	}
	of[last.name] = v
	return nil
}
