package dynamofake

import (
	"bytes"
	"cmp"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// kindOf is the name of a value's type, as attribute_type has it.
func kindOf(v types.AttributeValue) string {
	switch v.(type) {
	case *types.AttributeValueMemberS:
		return "S"
	case *types.AttributeValueMemberN:
		return "N"
	case *types.AttributeValueMemberB:
		return "B"
	case *types.AttributeValueMemberBOOL:
		return "BOOL"
	case *types.AttributeValueMemberNULL:
		return "NULL"
	case *types.AttributeValueMemberSS:
		return "SS"
	case *types.AttributeValueMemberNS:
		return "NS"
	case *types.AttributeValueMemberBS:
		return "BS"
	case *types.AttributeValueMemberL:
		return "L"
	case *types.AttributeValueMemberM:
		return "M"
	}
	return ""
}

// compare orders two strings, numbers or binaries; false for values that have no order.
func compare(a, b types.AttributeValue) (int, bool) {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		if b, ok := b.(*types.AttributeValueMemberS); ok {
			return cmp.Compare(a.Value, b.Value), true
		}
	case *types.AttributeValueMemberN:
		if b, ok := b.(*types.AttributeValueMemberN); ok {
			return compareNumbers(a.Value, b.Value), true
		}
	case *types.AttributeValueMemberB:
		if b, ok := b.(*types.AttributeValueMemberB); ok {
			return bytes.Compare(a.Value, b.Value), true
		}
	}
	return 0, false
}

// equal reports whether two values are the same; nothing equals nothing.
func equal(a, b types.AttributeValue) bool {
	if a == nil || b == nil || kindOf(a) != kindOf(b) {
		return false
	}
	if by, ok := compare(a, b); ok {
		return by == 0
	}
	switch a := a.(type) {
	case *types.AttributeValueMemberBOOL:
		return a.Value == b.(*types.AttributeValueMemberBOOL).Value
	case *types.AttributeValueMemberNULL:
		return true
	case *types.AttributeValueMemberSS:
		return sameSet(a.Value, b.(*types.AttributeValueMemberSS).Value)
	case *types.AttributeValueMemberNS:
		return sameSet(a.Value, b.(*types.AttributeValueMemberNS).Value)
	case *types.AttributeValueMemberL:
		return slices.EqualFunc(a.Value, b.(*types.AttributeValueMemberL).Value, equal)
	case *types.AttributeValueMemberM:
		return maps.EqualFunc(a.Value, b.(*types.AttributeValueMemberM).Value, equal)
	}
	return false
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func parseNumber(text string) (*big.Rat, error) {
	n, ok := new(big.Rat).SetString(text)
	if !ok || strings.Contains(text, "/") {
		return nil, invalid("The parameter cannot be converted to a numeric value: %s", text)
	}
	return n, nil
}

func formatNumber(n *big.Rat) string {
	if n.IsInt() {
		return n.Num().String()
	}
	return strings.TrimRight(n.FloatString(38), "0")
}

func compareNumbers(a, b string) int {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	p, errP := parseNumber(a)
	q, errQ := parseNumber(b)
	if errP != nil || errQ != nil {
		return cmp.Compare(a, b)
	}
	return p.Cmp(q)
}

// sum adds two numbers, or subtracts the second.
func sum(a, b string, minus bool) (string, error) {
	x, err := parseNumber(a)
	if err != nil {
		return "", err
	}
	y, err := parseNumber(b)
	if err != nil {
		return "", err
	}
	if minus {
		return formatNumber(new(big.Rat).Sub(x, y)), nil
	}
	return formatNumber(new(big.Rat).Add(x, y)), nil
}
