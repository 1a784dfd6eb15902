package dynamofake

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/smithy-go"
)

// operations makes the input of each operation, by the last part of the header X-Amz-Target.
var operations = map[string]func() any{
	"GetItem":            func() any { return &dynamodb.GetItemInput{} },
	"BatchGetItem":       func() any { return &dynamodb.BatchGetItemInput{} },
	"Query":              func() any { return &dynamodb.QueryInput{} },
	"Scan":               func() any { return &dynamodb.ScanInput{} },
	"PutItem":            func() any { return &dynamodb.PutItemInput{} },
	"UpdateItem":         func() any { return &dynamodb.UpdateItemInput{} },
	"DeleteItem":         func() any { return &dynamodb.DeleteItemInput{} },
	"BatchWriteItem":     func() any { return &dynamodb.BatchWriteItemInput{} },
	"TransactWriteItems": func() any { return &dynamodb.TransactWriteItemsInput{} },
	"CreateTable":        func() any { return &dynamodb.CreateTableInput{} },
	"DeleteTable":        func() any { return &dynamodb.DeleteTableInput{} },
	"DescribeTable":      func() any { return &dynamodb.DescribeTableInput{} },
	"ListTables":         func() any { return &dynamodb.ListTablesInput{} },
	"UpdateTimeToLive":   func() any { return &dynamodb.UpdateTimeToLiveInput{} },
	"DescribeTimeToLive": func() any { return &dynamodb.DescribeTimeToLiveInput{} },
	"DescribeStream":     func() any { return &dynamodbstreams.DescribeStreamInput{} },
	"GetShardIterator":   func() any { return &dynamodbstreams.GetShardIteratorInput{} },
	"GetRecords":         func() any { return &dynamodbstreams.GetRecordsInput{} },
}

// ServeHTTP answers a request of DynamoDB's protocol, JSON 1.0. The members of its messages are called as the fields of
// the SDK's inputs and outputs are.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	output, err := s.serve(r)
	status := http.StatusOK
	body := &bytes.Buffer{}
	if err != nil {
		status = http.StatusBadRequest
		encodeError(body, err)
	} else {
		encode(body, reflect.ValueOf(output))
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // a client that is gone misses nothing
}

func (s *Server) serve(r *http.Request) (any, error) {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	input := operations[name]
	if input == nil {
		return nil, unknown(name)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	in := input()
	if err := decode(body, reflect.ValueOf(in).Elem()); err != nil {
		return nil, &smithy.GenericAPIError{Code: "SerializationException", Message: err.Error()}
	}
	return s.Handle(in)
}

var (
	attributeValue = reflect.TypeFor[types.AttributeValue]()
	instant        = reflect.TypeFor[time.Time]()
	binary         = reflect.TypeFor[[]byte]()
)

// decode reads JSON into a field of an input.
func decode(raw json.RawMessage, into reflect.Value) error {
	if string(raw) == "null" {
		return nil
	}
	switch t := into.Type(); {
	case t == attributeValue:
		v, err := decodeAttribute(raw)
		if err != nil {
			return err
		}
		into.Set(reflect.ValueOf(v))
		return nil
	case t.Kind() == reflect.Pointer:
		into.Set(reflect.New(t.Elem()))
		return decode(raw, into.Elem())
	case t.Kind() == reflect.Struct:
		return decodeStruct(raw, into)
	case t.Kind() == reflect.Map:
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			return err
		}
		into.Set(reflect.MakeMapWithSize(t, len(members)))
		for name, member := range members {
			v := reflect.New(t.Elem()).Elem()
			if err := decode(member, v); err != nil {
				return err
			}
			into.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), v)
		}
		return nil
	case t.Kind() == reflect.Slice && t != binary:
		var elements []json.RawMessage
		if err := json.Unmarshal(raw, &elements); err != nil {
			return err
		}
		into.Set(reflect.MakeSlice(t, len(elements), len(elements)))
		for i, element := range elements {
			if err := decode(element, into.Index(i)); err != nil {
				return err
			}
		}
		return nil
	}
	return json.Unmarshal(raw, into.Addr().Interface())
}

func decodeStruct(raw json.RawMessage, into reflect.Value) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	for name, member := range members {
		field := into.FieldByName(name)
		if !field.IsValid() || !field.CanSet() {
			return fmt.Errorf("%s has no member %s", into.Type(), name)
		}
		if err := decode(member, field); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func decodeAttribute(raw json.RawMessage) (types.AttributeValue, error) {
	var v struct {
		S    *string
		N    *string
		B    *[]byte
		BOOL *bool
		NULL *bool
		SS   []string
		NS   []string
		BS   [][]byte
		L    *[]json.RawMessage
		M    *map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	switch {
	case v.S != nil:
		return &types.AttributeValueMemberS{Value: *v.S}, nil
	case v.N != nil:
		return &types.AttributeValueMemberN{Value: *v.N}, nil
	case v.B != nil:
		return &types.AttributeValueMemberB{Value: *v.B}, nil
	case v.BOOL != nil:
		return &types.AttributeValueMemberBOOL{Value: *v.BOOL}, nil
	case v.NULL != nil:
		return &types.AttributeValueMemberNULL{Value: *v.NULL}, nil
	case v.SS != nil:
		return &types.AttributeValueMemberSS{Value: v.SS}, nil
	case v.NS != nil:
		return &types.AttributeValueMemberNS{Value: v.NS}, nil
	case v.BS != nil:
		return &types.AttributeValueMemberBS{Value: v.BS}, nil
	case v.L != nil:
		list := &types.AttributeValueMemberL{Value: make([]types.AttributeValue, len(*v.L))}
		for i, element := range *v.L {
			var err error
			if list.Value[i], err = decodeAttribute(element); err != nil {
				return nil, err
			}
		}
		return list, nil
	case v.M != nil:
		m := &types.AttributeValueMemberM{Value: make(item, len(*v.M))}
		for name, member := range *v.M {
			var err error
			if m.Value[name], err = decodeAttribute(member); err != nil {
				return nil, err
			}
		}
		return m, nil
	}
	return nil, errors.New("an attribute value has no type")
}

// encode writes a value as JSON. Members that are not set are left out.
func encode(out *bytes.Buffer, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		encode(out, v.Elem())
	case reflect.Struct:
		if v.Type() == instant {
			fmt.Fprintf(out, "%.3f", float64(v.Interface().(time.Time).UnixMilli())/1000)
			return
		}
		encodeStruct(out, v)
	case reflect.Map:
		out.WriteByte('{')
		for i, key := range v.MapKeys() {
			if i > 0 {
				out.WriteByte(',')
			}
			encodeScalar(out, key.String())
			out.WriteByte(':')
			encode(out, v.MapIndex(key))
		}
		out.WriteByte('}')
	case reflect.Slice:
		if v.Type() == binary {
			encodeScalar(out, base64.StdEncoding.EncodeToString(v.Bytes()))
			return
		}
		out.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				out.WriteByte(',')
			}
			encode(out, v.Index(i))
		}
		out.WriteByte(']')
	default:
		encodeScalar(out, v.Interface())
	}
}

func encodeStruct(out *bytes.Buffer, v reflect.Value) {
	out.WriteByte('{')
	defer out.WriteByte('}')
	kind, isAttribute := strings.CutPrefix(v.Type().Name(), "AttributeValueMember")
	if isAttribute {
		encodeScalar(out, kind)
		out.WriteByte(':')
		encode(out, v.FieldByName("Value"))
		return
	}
	first := true
	for i := range v.NumField() {
		field, name := v.Field(i), v.Type().Field(i).Name
		if !v.Type().Field(i).IsExported() || name == "ResultMetadata" || name == "ErrorCodeOverride" || unset(field) {
			continue
		}
		if v.Type().Name() == "Record" { // the one structure whose members begin with a small letter
			name = strings.ToLower(name[:1]) + name[1:]
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		encodeScalar(out, name)
		out.WriteByte(':')
		encode(out, field)
	}
}

func unset(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	default:
		return false
	}
}

func encodeScalar(out *bytes.Buffer, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and booleans always have a form
	}
	out.Write(text)
}

// encodeError writes an error as the SDK reads it back: its type, and the members of that.
func encodeError(out *bytes.Buffer, err error) {
	var coded smithy.APIError
	if !errors.As(err, &coded) {
		coded = &smithy.GenericAPIError{Code: "InternalServerError", Message: err.Error()}
	}
	members := &bytes.Buffer{}
	if v := reflect.ValueOf(coded).Elem(); v.Type() != reflect.TypeFor[smithy.GenericAPIError]() {
		encode(members, v)
	} else {
		fmt.Fprint(members, `{"message":`)
		encodeScalar(members, coded.ErrorMessage())
		members.WriteByte('}')
	}
	fmt.Fprintf(out, `{"__type":"com.amazonaws.dynamodb.v20120810#%s"`, coded.ErrorCode())
	if members.Len() > len("{}") {
		out.WriteByte(',')
	}
	out.Write(members.Bytes()[1:])
}
