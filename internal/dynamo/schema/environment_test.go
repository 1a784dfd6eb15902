package schema

import (
	"reflect"
	"testing"

	"useraccounts/internal/environment"
	"useraccounts/internal/settings"
)

// Each setting is stored under the name of its field.
func TestSettingsAreStoredUnderTheNamesOfTheirFields(t *testing.T) {
	record, members := reflect.TypeFor[settingsRecord](), reflect.TypeFor[environment.Settings]()
	if record.NumField() != members.NumField() || record.NumField() != len(settings.Fields()) {
		t.Fatalf("%d stored, %d members, %d fields", record.NumField(), members.NumField(), len(settings.Fields()))
	}
	var s environment.Settings
	for i := range record.NumField() {
		name := record.Field(i).Tag.Get("dynamodbav")
		d := settings.Fields().Find(name)
		if d == nil {
			t.Errorf("internal/dynamo/schema/environment.go stores %s as %q, which is no field", record.Field(i).Name, name)
			continue
		}
		if at := reflect.ValueOf(d.At(&s)).Pointer(); at != reflect.ValueOf(&s).Elem().Field(i).Addr().Pointer() {
			t.Errorf("internal/dynamo/schema/environment.go stores %s under the name of another field", name)
		}
	}
}
