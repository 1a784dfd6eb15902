package dynamofake

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// scope is what the expressions of one call share: the placeholders, and which of them were used.
type scope struct {
	names  map[string]string
	values item
	used   map[string]bool
	item   item // what the expressions are about
}

func newScope(names map[string]string, values item) *scope {
	return &scope{names: names, values: values, used: map[string]bool{}}
}

func (s *scope) on(of item) *scope {
	s.item = of
	return s
}

// validValues refuses values that DynamoDB does not take, and brings the others into the form that it keeps.
func (s *scope) validValues() error {
	if err := validItem(s.values); err != nil {
		return err
	}
	s.values = normalItem(s.values)
	return nil
}

// allUsed refuses placeholders that no expression has.
func (s *scope) allUsed() error {
	for name := range s.names {
		if !s.used[name] {
			return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", name)
		}
	}
	for name := range s.values {
		if !s.used[name] {
			return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", name)
		}
	}
	return nil
}

func (s *scope) parser(text string) *parser { return &parser{scope: s, tokens: tokenize(text)} }

// condition parses a condition; nil is one that always holds.
func (s *scope) condition(text *string) (*condition, error) {
	if text == nil {
		return nil, nil
	}
	p := s.parser(*text)
	c := p.or()
	p.end()
	return c, p.err
}

// projection parses the paths that a read wants; nil is everything.
func (s *scope) projection(text *string) ([]path, error) {
	if text == nil {
		return nil, nil
	}
	p := s.parser(*text)
	var paths []path
	for p.err == nil {
		paths = append(paths, p.path())
		if !p.accept(",") {
			break
		}
	}
	p.end()
	return paths, p.err
}

// tokenize splits an expression into words and signs.
func tokenize(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		n := 1
		switch c := text[i]; {
		case c == ' ' || c == '\n' || c == '\t':
			i++
			continue
		case strings.IndexByte("()=,+-.[]", c) >= 0:
		case c == '<' || c == '>':
			if i+1 < len(text) && (text[i+1] == '=' || c == '<' && text[i+1] == '>') {
				n = 2
			}
		default:
			if n = strings.IndexAny(text[i:], " \n\t()=,+-.[]<>"); n < 0 {
				n = len(text) - i
			}
		}
		out = append(out, text[i:i+n])
		i += n
	}
	return out
}

// parser reads the tokens of one expression. The first error stays.
type parser struct {
	*scope
	tokens []string
	err    error
}

func (p *parser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *parser) next() string {
	token := p.peek()
	if token == "" {
		p.fail("Syntax error; the expression ends too early")
		return ""
	}
	p.tokens = p.tokens[1:]
	return token
}

func (p *parser) accept(token string) bool {
	if p.err != nil || !strings.EqualFold(p.peek(), token) {
		return false
	}
	p.next()
	return true
}

func (p *parser) want(token string) {
	if p.err == nil && !p.accept(token) {
		p.fail("Syntax error; %q instead of %q", p.peek(), token)
	}
}

func (p *parser) end() {
	if p.err == nil && len(p.tokens) > 0 {
		p.fail("Syntax error; token: %q", p.peek())
	}
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = invalid("Invalid expression: "+format, args...)
	}
}

// path is where a value is in an item: names of attributes and of members of maps, and positions in lists.
type path []step

type step struct {
	name  string
	index int // where name is empty
}

func (p *parser) path() path {
	out := path{{name: p.name()}}
	for p.err == nil {
		switch {
		case p.accept("."):
			out = append(out, step{name: p.name()})
		case p.accept("["):
			index, err := strconv.Atoi(p.next())
			if err != nil {
				p.fail("Syntax error; no position in a list")
			}
			out = append(out, step{index: index})
			p.want("]")
		default:
			return out
		}
	}
	return out
}

// name reads the name of an attribute, or the placeholder of one.
func (p *parser) name() string {
	token := p.next()
	switch {
	case p.err != nil:
		return ""
	case strings.HasPrefix(token, "#"):
		name, ok := p.names[token]
		if !ok {
			p.fail("An expression attribute name used in the document path is not defined; attribute name: %s", token)
		}
		p.used[token] = true
		return name
	case !isName(token):
		p.fail("Syntax error; token: %q", token)
	case isReserved(token):
		p.fail("Attribute name is a reserved keyword; reserved keyword: %s", token)
	}
	return token
}

func isName(token string) bool {
	for i, c := range token {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return token != ""
}

// value reads the placeholder of a value.
func (p *parser) value() types.AttributeValue {
	token := p.next()
	v, ok := p.values[token]
	if !ok {
		p.fail("An expression attribute value used in expression is not defined; attribute value: %s", token)
	}
	p.used[token] = true
	return v
}

// at returns what is at a path, nil for nothing.
func (at path) in(of item) types.AttributeValue {
	var v types.AttributeValue = &types.AttributeValueMemberM{Value: of}
	for _, s := range at {
		switch inner := v.(type) {
		case *types.AttributeValueMemberM:
			if s.name == "" {
				return nil
			}
			v = inner.Value[s.name]
		case *types.AttributeValueMemberL:
			if s.name != "" || s.index >= len(inner.Value) {
				return nil
			}
			v = inner.Value[s.index]
		default:
			return nil
		}
	}
	return v
}

// overlaps reports whether one path leads to or through the other.
func (at path) overlaps(other path) bool {
	n := min(len(at), len(other))
	return slices.Equal(at[:n], other[:n])
}

// operand is a value, what is at a path, or the size of that.
type operand struct {
	at     path
	value  types.AttributeValue
	sizeOf bool
}

func (p *parser) operand() operand {
	if strings.HasPrefix(p.peek(), ":") {
		return operand{value: p.value()}
	}
	if strings.EqualFold(p.peek(), "size") && len(p.tokens) > 1 && p.tokens[1] == "(" {
		p.next()
		p.want("(")
		o := p.operand()
		p.want(")")
		o.sizeOf = true
		return o
	}
	return operand{at: p.path()}
}

// in returns the operand's value, nil for nothing.
func (o operand) in(of item) types.AttributeValue {
	v := o.value
	if o.at != nil {
		v = o.at.in(of)
	}
	if !o.sizeOf || v == nil {
		return v
	}
	n := 0
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		n = len(v.Value)
	case *types.AttributeValueMemberB:
		n = len(v.Value)
	case *types.AttributeValueMemberSS:
		n = len(v.Value)
	case *types.AttributeValueMemberNS:
		n = len(v.Value)
	case *types.AttributeValueMemberL:
		n = len(v.Value)
	case *types.AttributeValueMemberM:
		n = len(v.Value)
	default:
		return nil
	}
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}
