package field

import (
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/fault"
)

// ReadPatch reads the members of a JSON object into a Patch; null clears a field. An unknown member, or one of the
// wrong type, is a fault with its name. Apply checks the values.
func (t Table[T]) ReadPatch(members map[string]jsontext.Value) (Patch, []fault.Field) {
	patch := make(Patch, len(members))
	var faults []fault.Field
	for i := range t {
		raw, ok := members[t[i].Name]
		if !ok {
			continue
		}
		if t[i].ReadOnly {
			patch[t[i].Name] = nil // of any type: Apply refuses it as read-only
			continue
		}
		value, message := readMember(t[i].Kind, raw)
		if message != "" {
			faults = append(faults, fault.Field{Field: t[i].Name, Code: "type", Message: t[i].Label + " " + message})
			continue
		}
		patch[t[i].Name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if t.Find(name) == nil {
			faults = append(faults, fault.Field{
				Field: truncate(name), Code: "unknown",
				Message: "There is no field with this name; the API reference (/api/docs) lists all fields.",
			})
		}
	}
	return patch, faults
}

// truncate shortens a caller's name before it is sent back.
func truncate(name string) string {
	if r := []rune(name); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return name
}

// readMember returns the value of a JSON member for a kind, or what is wrong with its type.
func readMember(kind Kind, raw jsontext.Value) (value any, message string) {
	if raw.Kind() == 'n' {
		return nil, ""
	}
	switch kind {
	case Bool:
		var v bool
		if json.Unmarshal(raw, &v) != nil {
			return nil, "must be true or false."
		}
		return v, ""
	case Number:
		var v int64
		if json.Unmarshal(raw, &v) != nil {
			return nil, "must be a whole number."
		}
		return v, ""
	case Codes:
		var entries []*string // null would be read as a blank text
		if json.Unmarshal(raw, &entries) != nil || slices.Contains(entries, nil) {
			return nil, "must be a list of codes, such as [\"A\", \"B\"]."
		}
		v := make([]string, len(entries))
		for i, entry := range entries {
			v[i] = *entry
		}
		return v, ""
	case Texts:
		var v []string
		if json.Unmarshal(raw, &v) != nil {
			return nil, "must be a list of texts, such as [\"https://erp.example.com/callback\"]."
		}
		return v, ""
	case Named:
		var v map[string]string
		if json.Unmarshal(raw, &v) != nil {
			return nil, "must be an object of names and descriptions, such as {\"invoice.approve\": \"Approve invoices\"}."
		}
		return v, ""
	case Day:
		var v string
		if json.Unmarshal(raw, &v) != nil {
			return nil, "must be a date as yyyy-MM-dd."
		}
		if v == "" {
			return nil, ""
		}
		date, ok := ParseDate(v)
		if !ok {
			return nil, "must be a date that exists, as yyyy-MM-dd."
		}
		return date, ""
	default:
		var v string
		if json.Unmarshal(raw, &v) != nil {
			return nil, "must be text."
		}
		return v, ""
	}
}

// AppendJSON writes every field of v as a member of the object that enc is in; blank ones as null, false, [] or {}.
func (t Table[T]) AppendJSON(enc *jsontext.Encoder, v *T) error {
	for i := range t {
		value := plainValue(t[i].At(v))
		if named, ok := t[i].At(v).(*map[string]string); ok && value != nil {
			value = *named
		}
		if value == nil {
			switch t[i].Kind {
			case Codes, Texts:
				value = []string{}
			case Named:
				value = map[string]string{}
			case Number:
				value = int64(0)
			default: // null
			}
		}
		if err := enc.WriteToken(jsontext.String(t[i].Name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(enc, value); err != nil {
			return err
		}
	}
	return nil
}

// Meta describes a field to a client: what a form or a list needs to show it.
type Meta struct {
	Name        string `json:"name"`
	Label       string `json:"label"`
	Help        string `json:"help,omitempty"`
	Section     string `json:"section"`
	Kind        Kind   `json:"kind"`
	Min         int    `json:"min,omitempty"`
	Max         int    `json:"max,omitempty"`
	Required    bool   `json:"required"`
	ReadOnly    bool   `json:"readOnly"`
	DefaultGrid int    `json:"defaultGrid,omitempty"`
	Refers      string `json:"refers,omitempty"`
	NeverBlank  bool   `json:"-"`
	// Choices are the values of a field of the kind choice.
	Choices []Option `json:"choices,omitempty"`
}

// Describe returns the metadata of the table, in its order.
func (t Table[T]) Describe() []Meta {
	out := make([]Meta, len(t))
	for i, d := range t {
		out[i] = Meta{
			Name: d.Name, Label: d.Label, Help: d.Help, Section: d.Section, Kind: d.Kind, Min: d.Min, Max: d.Max,
			Required: d.Required, ReadOnly: d.ReadOnly, DefaultGrid: d.Grid, Refers: d.Refers, Choices: d.Choices,
			NeverBlank: d.NeverBlank,
		}
	}
	return out
}
