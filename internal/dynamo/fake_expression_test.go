package dynamo_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// expression is what the expressions of a write are about.
type expression struct {
	item   attributes
	names  map[string]string
	values attributes
}

func integer(n *types.AttributeValueMemberN) int64 {
	i, _ := strconv.ParseInt(n.Value, 10, 64)
	return i
}

var tokenised sync.Map // expression to []string

// tokens parts an expression into words and signs.
func tokens(said string) []string {
	if have, ok := tokenised.Load(said); ok {
		return have.([]string)
	}
	var out []string
	for i := 0; i < len(said); {
		n := 1
		switch c := said[i]; {
		case c == ' ':
			i++
			continue
		case strings.IndexByte("()=,+", c) >= 0:
		case c == '<' || c == '>':
			if i+1 < len(said) && (said[i+1] == '=' || said[i+1] == '>') {
				n = 2
			}
		default:
			if n = strings.IndexAny(said[i:], " ()=,+<>"); n < 0 {
				n = len(said) - i
			}
		}
		out = append(out, said[i:i+n])
		i += n
	}
	tokenised.Store(said, out)
	return out
}

// parser walks over the words of an expression.
type parser struct {
	expression
	words []string
	err   error
}

func (p *parser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

func (p *parser) next() string {
	w := p.peek()
	if w == "" {
		p.fail("it ends too early")
		return ""
	}
	p.words = p.words[1:]
	return w
}

func (p *parser) fail(why string) {
	if p.err == nil {
		p.err = invalid("expression: %s at %v", why, p.words)
	}
}

func (p *parser) expect(word string) {
	if p.next() != word {
		p.fail("no " + word)
	}
}

// path returns the steps of a path.
func (p *parser) path() []string {
	steps := strings.Split(p.next(), ".")
	for i, step := range steps {
		if strings.HasPrefix(step, "#") {
			name, ok := p.names[step]
			if !ok {
				p.fail("no name " + step)
			}
			steps[i] = name
		}
	}
	return steps
}

func valueAt(it attributes, steps []string) types.AttributeValue {
	for _, step := range steps[:len(steps)-1] {
		m, ok := it[step].(*types.AttributeValueMemberM)
		if !ok {
			return nil
		}
		it = m.Value
	}
	return it[steps[len(steps)-1]]
}

// operand is a value or what is at a path; nil for nothing.
func (p *parser) operand() types.AttributeValue {
	if strings.HasPrefix(p.peek(), ":") {
		name := p.next()
		v, ok := p.values[name]
		if !ok {
			p.fail("no value " + name)
		}
		return v
	}
	return valueAt(p.item, p.path())
}

// holds reports whether a condition holds.
func (e expression) holds(condition string) (bool, error) {
	if condition == "" {
		return true, nil
	}
	p := parser{expression: e, words: tokens(condition)}
	held := p.or()
	if len(p.words) > 0 {
		p.fail("too much")
	}
	return held, p.err
}

func (p *parser) or() bool {
	held := p.and()
	for p.err == nil && p.peek() == "OR" {
		p.next()
		held = p.and() || held
	}
	return held
}

func (p *parser) and() bool {
	held := p.not()
	for p.err == nil && p.peek() == "AND" {
		p.next()
		held = p.not() && held
	}
	return held
}

func (p *parser) not() bool {
	switch p.peek() {
	case "NOT":
		p.next()
		return !p.not()
	case "(":
		p.next()
		held := p.or()
		p.expect(")")
		return held
	case "attribute_exists", "attribute_not_exists":
		exists := p.next() == "attribute_exists"
		p.expect("(")
		there := valueAt(p.item, p.path()) != nil
		p.expect(")")
		return there == exists
	}
	return p.compare()
}

func (p *parser) compare() bool {
	a := p.operand()
	sign := p.next()
	b := p.operand()
	if a == nil || b == nil {
		return sign == "<>" && a != b
	}
	by, same := compareValues(a, b)
	switch sign {
	case "=":
		return same && by == 0
	case "<>":
		return !same || by != 0
	case "<":
		return same && by < 0
	case "<=":
		return same && by <= 0
	case ">":
		return same && by > 0
	case ">=":
		return same && by >= 0
	}
	p.fail("no comparison " + sign)
	return false
}

// updated is the item after an update. All that it reads is of the item before.
func (e expression) updated(update string, k attributes) (attributes, error) {
	now := maps.Clone(e.item)
	if now == nil {
		now = maps.Clone(k)
	}
	p := parser{expression: e, words: tokens(update)}
	for p.err == nil && len(p.words) > 0 {
		switch clause := p.next(); clause {
		case "SET", "REMOVE", "ADD":
			p.clause(clause, now)
		default:
			p.fail("no clause " + clause)
		}
	}
	return now, p.err
}

func (p *parser) clause(clause string, now attributes) {
	for p.err == nil {
		steps := p.path()
		switch clause {
		case "SET":
			p.expect("=")
			v := p.sum()
			if v == nil {
				p.fail("an operand is not there")
			}
			p.put(now, steps, v)
		case "REMOVE":
			p.put(now, steps, nil)
		case "ADD":
			p.put(now, steps, p.add(valueAt(p.item, steps), p.operand()))
		}
		if p.peek() != "," {
			return
		}
		p.next()
	}
}

// sum is an operand, or two that are added.
func (p *parser) sum() types.AttributeValue {
	one := func() types.AttributeValue {
		if p.peek() != "if_not_exists" {
			return p.operand()
		}
		p.next()
		p.expect("(")
		v := p.operand()
		p.expect(",")
		other := p.operand()
		p.expect(")")
		if v == nil {
			return other
		}
		return v
	}
	v := one()
	if p.peek() != "+" {
		return v
	}
	p.next()
	w := one()
	if v == nil || w == nil {
		return nil
	}
	return p.add(v, w)
}

func (p *parser) add(a, b types.AttributeValue) types.AttributeValue {
	if a == nil {
		return b
	}
	switch a := a.(type) {
	case *types.AttributeValueMemberN:
		if b, ok := b.(*types.AttributeValueMemberN); ok {
			return &types.AttributeValueMemberN{Value: strconv.FormatInt(integer(a)+integer(b), 10)}
		}
	case *types.AttributeValueMemberSS:
		if b, ok := b.(*types.AttributeValueMemberSS); ok {
			both := slices.Concat(a.Value, b.Value)
			slices.Sort(both)
			return &types.AttributeValueMemberSS{Value: slices.Compact(both)}
		}
	}
	p.fail("such cannot be added")
	return nil
}

// put sets what is at a path, nil for nothing; maps on the way are copied, since others hold them.
func (p *parser) put(it attributes, steps []string, v types.AttributeValue) {
	for _, step := range steps[:len(steps)-1] {
		m, ok := it[step].(*types.AttributeValueMemberM)
		if !ok {
			p.fail("the path leads nowhere")
			return
		}
		inner := maps.Clone(m.Value)
		it[step] = &types.AttributeValueMemberM{Value: inner}
		it = inner
	}
	if v == nil {
		delete(it, steps[len(steps)-1])
		return
	}
	it[steps[len(steps)-1]] = v
}
