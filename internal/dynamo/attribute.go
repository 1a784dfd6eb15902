package dynamo

import (
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/field"
)

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func boolean(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }

func bin(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }

func timestamp(t time.Time) types.AttributeValue { return str(field.FormatInstant(t)) }

func text(it item, name string) string {
	if v, ok := it[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

func number(it item, name string) int64 {
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

func flag(it item, name string) bool {
	v, ok := it[name].(*types.AttributeValueMemberBOOL)
	return ok && v.Value
}

func instant(it item, name string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text(it, name))
	if err != nil {
		return time.Time{}
	}
	return t
}

func nestedMap(it item, name string) item {
	if v, ok := it[name].(*types.AttributeValueMemberM); ok {
		return v.Value
	}
	return nil
}

func mapValue(m item) types.AttributeValue { return &types.AttributeValueMemberM{Value: m} }

// fromPlain turns an image of plain values (field.Table.Image) into attributes.
func fromPlain(image map[string]any) item {
	out := make(item, len(image)+2)
	for name, value := range image {
		switch value := value.(type) {
		case string:
			out[name] = str(value)
		case bool:
			out[name] = boolean(value)
		case int64:
			out[name] = num(value)
		case []string:
			out[name] = list(value)
		}
	}
	return out
}

func list(texts []string) types.AttributeValue {
	l := &types.AttributeValueMemberL{Value: make([]types.AttributeValue, len(texts))}
	for i, s := range texts {
		l.Value[i] = str(s)
	}
	return l
}

// textSet reads a string set, sorted: DynamoDB keeps sets in an order of its own.
func textSet(it item, name string) []string {
	set, ok := it[name].(*types.AttributeValueMemberSS)
	if !ok {
		return nil
	}
	return slices.Sorted(slices.Values(set.Value))
}

func texts(it item, name string) []string {
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

// toPlain is the reverse of fromPlain.
func toPlain(it item) map[string]any {
	out := make(map[string]any, len(it))
	for name, value := range it {
		switch value := value.(type) {
		case *types.AttributeValueMemberS:
			out[name] = value.Value
		case *types.AttributeValueMemberBOOL:
			out[name] = value.Value
		case *types.AttributeValueMemberN:
			out[name] = number(it, name)
		case *types.AttributeValueMemberL:
			out[name] = texts(it, name)
		}
	}
	return out
}

func blob(it item, name string) []byte {
	if v, ok := it[name].(*types.AttributeValueMemberB); ok {
		return v.Value
	}
	return nil
}
