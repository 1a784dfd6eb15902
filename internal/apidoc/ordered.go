package apidoc

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Ordered is a JSON object whose members keep their order, which readers prefer.
type Ordered[T any] []Entry[T]

// Entry is one member of an Ordered.
type Entry[T any] struct {
	Name  string
	Value T
}

// Find returns the member with a name, and whether there is one.
func (o Ordered[T]) Find(name string) (value T, ok bool) {
	for _, e := range o {
		if e.Name == name {
			return e.Value, true
		}
	}
	return value, false
}

// Set replaces the member with the same name, or adds one at the end.
func (o *Ordered[T]) Set(name string, value T) {
	for i := range *o {
		if (*o)[i].Name == name {
			(*o)[i].Value = value
			return
		}
	}
	*o = append(*o, Entry[T]{name, value})
}

// MarshalJSONTo writes the members in order.
func (o Ordered[T]) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, e := range o {
		if err := enc.WriteToken(jsontext.String(e.Name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(enc, e.Value); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

// UnmarshalJSONFrom reads the members in order.
func (o *Ordered[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		e := Entry[T]{Name: name.String()}
		if err := json.UnmarshalDecode(dec, &e.Value); err != nil {
			return err
		}
		*o = append(*o, e)
	}
	_, err := dec.ReadToken()
	return err
}
