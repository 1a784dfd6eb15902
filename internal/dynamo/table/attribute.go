package table

import (
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/field"
)

// S is a string. It and the constructors below are named as DynamoDB names its types.
func S(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// N is a number.
func N(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// BOOL is a boolean.
func BOOL(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }

// B is binary.
func B(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }

// Timestamp is an instant as a string that sorts by time.
func Timestamp(t time.Time) types.AttributeValue { return S(field.FormatInstant(t)) }

// String reads a string attribute, "" if there is none. All readers here return the zero value for an attribute that is
// missing or of another type.
func String(it Item, name string) string {
	if v, ok := it[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

// Int reads a number.
func Int(it Item, name string) int64 {
	v, ok := it[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Bool reads a boolean.
func Bool(it Item, name string) bool {
	v, ok := it[name].(*types.AttributeValueMemberBOOL)
	return ok && v.Value
}

// Time reads a Timestamp.
func Time(it Item, name string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, String(it, name))
	if err != nil {
		return time.Time{}
	}
	return t
}

// Map reads a map.
func Map(it Item, name string) Item {
	if v, ok := it[name].(*types.AttributeValueMemberM); ok {
		return v.Value
	}
	return nil
}

// M is a map.
func M(m Item) types.AttributeValue { return &types.AttributeValueMemberM{Value: m} }

// FromPlain turns an image of plain values (field.Table.Image) into attributes.
func FromPlain(image map[string]any) Item {
	out := make(Item, len(image)+2)
	for name, value := range image {
		switch value := value.(type) {
		case string:
			out[name] = S(value)
		case bool:
			out[name] = BOOL(value)
		case int64:
			out[name] = N(value)
		case []string:
			out[name] = L(value)
		}
	}
	return out
}

// L is a list of strings.
func L(texts []string) types.AttributeValue {
	l := &types.AttributeValueMemberL{Value: make([]types.AttributeValue, len(texts))}
	for i, s := range texts {
		l.Value[i] = S(s)
	}
	return l
}

// StringSet reads a string set, sorted: DynamoDB keeps sets in an order of its own.
func StringSet(it Item, name string) []string {
	set, ok := it[name].(*types.AttributeValueMemberSS)
	if !ok {
		return nil
	}
	return slices.Sorted(slices.Values(set.Value))
}

// Strings reads a list of strings.
func Strings(it Item, name string) []string {
	l, ok := it[name].(*types.AttributeValueMemberL)
	if !ok {
		return nil
	}
	out := make([]string, 0, len(l.Value))
	for _, v := range l.Value {
		if s, ok := v.(*types.AttributeValueMemberS); ok {
			out = append(out, s.Value)
		}
	}
	return out
}

// ToPlain is the reverse of FromPlain.
func ToPlain(it Item) map[string]any {
	out := make(map[string]any, len(it))
	for name, value := range it {
		switch value := value.(type) {
		case *types.AttributeValueMemberS:
			out[name] = value.Value
		case *types.AttributeValueMemberBOOL:
			out[name] = value.Value
		case *types.AttributeValueMemberN:
			out[name] = Int(it, name)
		case *types.AttributeValueMemberL:
			out[name] = Strings(it, name)
		}
	}
	return out
}

// Bytes reads binary.
func Bytes(it Item, name string) []byte {
	if v, ok := it[name].(*types.AttributeValueMemberB); ok {
		return v.Value
	}
	return nil
}

// SS is a string set, which must not be empty.
func SS(texts []string) types.AttributeValue {
	return &types.AttributeValueMemberSS{Value: texts}
}
