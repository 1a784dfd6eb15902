package dynamofake

import (
	"bytes"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// condition is a condition that has been parsed: an operator over conditions or over operands.
type condition struct {
	operator string
	of       []*condition
	operands []operand
}

func (p *parser) or() *condition {
	c := p.and()
	for p.accept("OR") {
		c = &condition{operator: "OR", of: []*condition{c, p.and()}}
	}
	return c
}

func (p *parser) and() *condition {
	c := p.not()
	for p.accept("AND") {
		c = &condition{operator: "AND", of: []*condition{c, p.not()}}
	}
	return c
}

func (p *parser) not() *condition {
	if p.accept("NOT") {
		return &condition{operator: "NOT", of: []*condition{p.not()}}
	}
	if p.accept("(") {
		c := p.or()
		p.want(")")
		return c
	}
	return p.predicate()
}

// functions are those of conditions, with how many operands they take.
var functions = map[string]int{
	"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2,
}

func (p *parser) predicate() *condition {
	if count, ok := functions[p.peek()]; ok && len(p.tokens) > 1 && p.tokens[1] == "(" {
		c := &condition{operator: p.next()}
		p.want("(")
		for i := range count {
			if i > 0 {
				p.want(",")
			}
			c.operands = append(c.operands, p.operand())
		}
		p.want(")")
		if count == 1 && (c.operands[0].at == nil || c.operands[0].sizeOf) {
			p.fail("Operator or function requires a document path; operator or function: %s", c.operator)
		}
		p.valid(c)
		return c
	}
	first := p.operand()
	switch {
	case p.accept("BETWEEN"):
		low := p.operand()
		p.want("AND")
		return p.between(first, low, p.operand())
	case p.accept("IN"):
		c := &condition{operator: "IN", operands: []operand{first}}
		p.want("(")
		for p.err == nil {
			c.operands = append(c.operands, p.operand())
			if !p.accept(",") {
				break
			}
		}
		p.want(")")
		p.valid(c)
		return c
	}
	operator := p.next()
	if !slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, operator) {
		p.fail("Syntax error; token: %q", operator)
	}
	c := &condition{operator: operator, operands: []operand{first, p.operand()}}
	p.valid(c)
	return c
}

// valid refuses operands of which DynamoDB says before it looks at an item that they do not fit.
func (p *parser) valid(c *condition) {
	ordered := slices.Contains([]string{"<", "<=", ">", ">=", "BETWEEN"}, c.operator)
	for i, o := range c.operands {
		kind := kindOf(o.value)
		if o.sizeOf {
			kind = "N"
		}
		switch {
		case kind == "":
		case ordered && kind != "S" && kind != "N" && kind != "B",
			c.operator == "begins_with" && kind != "S" && kind != "B",
			c.operator == "attribute_type" && i == 1 && kind != "S":
			p.fail(
				"Incorrect operand type for operator or function; operator or function: %s, operand type: %s",
				c.operator,
				kind,
			)
		}
		if i > 0 && o.at != nil && o.sizeOf == c.operands[0].sizeOf && slices.Equal(o.at, c.operands[0].at) {
			p.fail(
				"The first operand must be distinct from the remaining operands for this operator or function; operator: %s",
				c.operator,
			)
		}
	}
}

func (p *parser) between(of, low, high operand) *condition {
	if by, same := compare(low.value, high.value); low.value != nil && high.value != nil && (!same || by > 0) {
		p.fail("The BETWEEN operator requires upper bound to be greater than or equal to lower bound")
	}
	c := &condition{operator: "BETWEEN", operands: []operand{of, low, high}}
	p.valid(c)
	return c
}

// holds reports whether a condition holds for the item of the scope.
func (c *condition) holds(s *scope) (bool, error) {
	if c == nil {
		return true, nil
	}
	switch c.operator {
	case "NOT":
		held, err := c.of[0].holds(s)
		return !held, err
	case "AND", "OR":
		held, err := c.of[0].holds(s)
		if err != nil || held == (c.operator == "OR") {
			return held, err
		}
		return c.of[1].holds(s)
	}
	values := make([]types.AttributeValue, len(c.operands))
	for i, o := range c.operands {
		values[i] = o.in(s.item)
	}
	return compareBy(c.operator, values)
}

func compareBy(operator string, v []types.AttributeValue) (bool, error) {
	switch operator {
	case "attribute_exists":
		return v[0] != nil, nil
	case "attribute_not_exists":
		return v[0] == nil, nil
	case "attribute_type":
		kind, ok := v[1].(*types.AttributeValueMemberS)
		return ok && v[0] != nil && kindOf(v[0]) == kind.Value, nil
	case "begins_with":
		return beginsWith(v[0], v[1]), nil
	case "contains":
		return contains(v[0], v[1]), nil
	case "IN":
		return slices.ContainsFunc(v[1:], func(one types.AttributeValue) bool { return equal(v[0], one) }), nil
	case "=":
		return equal(v[0], v[1]), nil
	case "<>":
		return !equal(v[0], v[1]), nil
	case "BETWEEN":
		low, okLow := compare(v[0], v[1])
		high, okHigh := compare(v[0], v[2])
		return okLow && okHigh && low >= 0 && high <= 0, nil
	}
	by, ordered := compare(v[0], v[1])
	if !ordered {
		return false, nil
	}
	switch operator {
	case "<":
		return by < 0, nil
	case "<=":
		return by <= 0, nil
	case ">":
		return by > 0, nil
	case ">=":
		return by >= 0, nil
	}
	return false, invalid("the fake does not know the operator %s", operator)
}

func beginsWith(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && strings.HasPrefix(a.Value, b.Value)
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		return ok && bytes.HasPrefix(a.Value, b.Value)
	}
	return false
}

func contains(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && strings.Contains(a.Value, b.Value)
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		return ok && bytes.Contains(a.Value, b.Value)
	case *types.AttributeValueMemberSS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && slices.Contains(a.Value, b.Value)
	case *types.AttributeValueMemberNS:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && slices.Contains(a.Value, b.Value)
	case *types.AttributeValueMemberL:
		return slices.ContainsFunc(a.Value, func(one types.AttributeValue) bool { return equal(one, b) })
	}
	return false
}
