package resource_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/resource"
)

// The patch comes before the group's default, that before the environment's, and null means blank.
func TestDefaultsOfANewResource(t *testing.T) {
	s, _ := newService(testResource("BOSS"))
	for name, c := range map[string]struct {
		patch field.Patch
		want  map[string]any
	}{
		"the group's": {field.Patch{"resourceGroup": "staff"}, map[string]any{
			"resourceGroup": "STAFF", "department": "SALES", "manager": "BOSS", "costCentre": "100", "currency": "EUR",
			"paymentMethod": "FP", "paymentTerms": "1", "country": "GB"}},
		"the environment's": {field.Patch{"resourceGroup": "BARE"}, map[string]any{
			"department": nil, "manager": nil, "costCentre": nil, "currency": "GBP", "paymentMethod": nil, "paymentTerms": nil,
			"country": "GB", "staff": false, "active": true}},
		"what is given": {
			field.Patch{"resourceGroup": "STAFF", "department": "fin", "currency": "usd", "country": "us", "costCentre": "200"},
			map[string]any{
				"department": "FIN", "currency": "USD", "country": "US", "costCentre": "200", "paymentMethod": "FP"}},
		"null": {field.Patch{"resourceGroup": "STAFF", "department": nil, "manager": nil, "costCentre": nil,
			"paymentMethod": nil, "paymentTerms": nil}, map[string]any{
			"department": nil, "manager": nil, "costCentre": nil, "paymentMethod": nil, "paymentTerms": nil, "currency": "EUR"}},
		"nobody's own manager": {field.Patch{"resourceGroup": "STAFF", "code": "Boss"},
			map[string]any{"manager": nil, "department": "SALES"}},
		"a description": {field.Patch{"resourceGroup": "BARE", "description": "Given"},
			map[string]any{"description": "Given"}},
	} {
		w, err := s.Rules().Create(context.Background(), scope(), c.patch,
			resource.CreateOptions{AccountID: "7", Description: "Name", Now: nowStored})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, ok := c.want["description"]; !ok {
			c.want["description"] = "Name"
		}
		for field, want := range c.want {
			if got := resource.Fields().Value(&w.After, field); got != want {
				t.Errorf("%s: %s is %v, want %v", name, field, got, want)
			}
		}
		if w.Before != nil || w.After.AccountID != "7" || w.After.Version != nowStored.UnixMilli() ||
			w.After.CreatedAt != nowStored || w.After.UpdatedAt != nowStored {
			t.Errorf("%s: %+v", name, w)
		}
		want := auditlog.Event{At: nowStored, Kind: auditlog.Created, Subject: "resource/" + w.After.Code,
			Version: nowStored.UnixMilli(), By: "admin", ByID: "9", Key: "k", RetentionDays: 30}
		if !reflect.DeepEqual(w.Event, want) {
			t.Errorf("%s: event %+v", name, w.Event)
		}
	}
}

func TestEveryBadFieldIsNamed(t *testing.T) {
	locked := testResource("LOCKED")
	locked.Active = false
	s, m := newService(testResource("BOSS"), locked)
	long := func(n int) string { return strings.Repeat("x", n+1) }
	for name, values := range map[string]map[string][]any{
		"code": {"tooLong": {long(50)}, "code": {"a;b", "a/b", "Fields", "ｆields", "..", "<clear>"},
			"controlCharacter": {"a\nb"}},
		"description": {"tooLong": {long(200)}, "required": {"", nil, "  "}},
		"firstName":   {"tooLong": {long(150)}}, "middleName": {"tooLong": {long(150)}}, "lastName": {"tooLong": {long(150)}},
		"jobTitle": {"tooLong": {long(50)}}, "company": {"tooLong": {long(150)}}, "title": {"tooLong": {long(50)}},
		"suffix":        {"tooLong": {long(50)}},
		"legacyRef":     {"tooLong": {long(50)}},
		"country":       {"country": {"UK", "GBR", "001"}, "required": {nil, ""}},
		"currency":      {"currency": {"DEM", "XXX", "pound"}, "required": {nil, ""}},
		"resourceGroup": {"unknownCode": {"NONE", "CLOSED"}, "required": {nil, ""}},
		"department":    {"unknownCode": {"NONE", "OLD"}}, "costCentre": {"unknownCode": {"NONE"}},
		"paymentMethod": {"unknownCode": {"NONE"}}, "paymentTerms": {"unknownCode": {"NONE"}},
		"manager": {"unknownCode": {"NOBODY", "LOCKED", "a/b"}, "self": {"new", "ＮＥＷ"}},
		"account": {"readOnly": {"1"}}, "active": {"readOnly": {false}}, "createdAt": {"readOnly": {nil}},
		"updatedAt": {"readOnly": {nil}},
	} {
		for code, invalid := range values {
			for _, value := range invalid {
				patch := field.Patch{"code": "NEW", "description": "New", "resourceGroup": "STAFF", name: value}
				_, err := s.Create(context.Background(), scope(), patch)
				f := fault.As(err)
				if f == nil || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Field != name ||
					f.Fields[0].Code != code || f.Fields[0].Message == "" {
					t.Errorf("%s %q: %+v, want %s", name, value, err, code)
				}
			}
		}
	}
	if len(m.writes) > 0 {
		t.Errorf("written: %+v", m.writes)
	}
}

// A group's default that is not valid any more is refused by its name, as if it had been typed.
func TestADefaultThatIsRetiredIsNamed(t *testing.T) {
	s, _ := newService() // the manager of STAFF is not there
	for group, name := range map[string]string{"STAFF": "manager", "OWN": "department"} {
		_, err := s.Create(context.Background(), scope(), field.Patch{"description": "x", "resourceGroup": group})
		if f := fault.As(err); f == nil || len(f.Fields) != 1 || f.Fields[0].Field != name {
			t.Errorf("%s: %v", group, err)
		}
		if _, err := s.Create(context.Background(), scope(),
			field.Patch{"description": "x", "resourceGroup": group, name: nil}); err != nil {
			t.Errorf("%s without its default: %v", group, err)
		}
	}
}

// A code that was locked since stays, and does not prevent other changes.
func TestRetiredCodesDoNotHoldOffOtherChanges(t *testing.T) {
	r := testResource("JD")
	r.Manager, r.ResourceGroup = "GONE", "CLOSED"
	s, m := newService(r)
	patch := field.Patch{"jobTitle": "Buyer", "department": "OLD", "manager": "GONE", "resourceGroup": "CLOSED"}
	got, err := s.Change(context.Background(), scope(), "jd", 4, patch, false)
	if err != nil || got.JobTitle != "Buyer" || got.Version != 5 {
		t.Fatalf("%+v %v", got, err)
	}
	want := []field.Diff{{Field: "jobTitle", From: nil, To: "Buyer"}}
	if e := m.events[0]; !reflect.DeepEqual(e.Changes, want) || e.Kind != auditlog.Changed ||
		e.Subject != "resource/JD" || e.Version != 5 || e.ID == "" {
		t.Errorf("event %+v", e)
	}
	if _, err := s.Change(context.Background(), scope(), "jd", 5, field.Patch{"department": "FIN"}, false); err != nil {
		t.Error(err)
	}
	if _, err := s.Change(context.Background(), scope(), "jd", 6, field.Patch{"department": "OLD"},
		false); !fault.HasCode(err, "invalid") {
		t.Errorf("given again: %v", err)
	}
	if _, err := s.Change(context.Background(), scope(), "jd", 6, field.Patch{"code": "X"}, false); !fault.HasCode(err,
		"invalid") {
		t.Errorf("another code: %v", err)
	}
}

// Reset from resource group: its defaults replace what is there. What is given comes first, and what has no default
// stays.
func TestResetFromGroup(t *testing.T) {
	r := testResource("JD")
	r.CostCentre, r.Country, r.Company, r.ResourceGroup = "200", "FR", "Acme", "BARE"
	s, _ := newService(r, testResource("BOSS"))
	w, err := s.Rules().Change(context.Background(), scope(), r,
		field.Patch{"resourceGroup": "STAFF", "paymentTerms": nil}, true, nowStored)
	if err != nil {
		t.Fatal(err)
	}
	want := r
	want.Version, want.UpdatedAt = 5, nowStored
	want.ResourceGroup, want.Department, want.Manager, want.CostCentre, want.Currency, want.PaymentMethod = "STAFF",
		"SALES", "BOSS", "100", "EUR", "FP"
	if !reflect.DeepEqual(w.After, want) {
		t.Errorf("%+v, want %+v", w.After, want)
	}
	w, err = s.Rules().Change(context.Background(), scope(), r, nil, true, nowStored)
	if err != nil || w.Event.Kind != "" {
		t.Errorf("a group without defaults changes %+v (%v)", w.Event, err)
	}
}

// An error of Find is not a fault of the input.
func TestAFailedLookUpIsNoBadInput(t *testing.T) {
	broken := errors.New("broken")
	rules := resource.Rules{Find: func(context.Context, environment.Environment, string) (resource.Resource, bool, error) {
		return resource.Resource{}, false, broken
	}}
	_, err := rules.Create(context.Background(), scope(), field.Patch{"resourceGroup": "STAFF"},
		resource.CreateOptions{Description: "x"})
	if !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// Each field has a section and a label, and every code names what it refers to.
func TestTheFieldTable(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range resource.Fields().Describe() {
		if seen[m.Name] || m.Label == "" || m.Section == "" || m.Kind == field.Code &&
			(m.Refers == "" || m.Max != catalogue.MaxCode) {
			t.Errorf("%+v", m)
		}
		seen[m.Name] = true
	}
	if resource.Fields().Find("code").ReadOnly || !resource.ChangeFields().Find("code").ReadOnly ||
		resource.ForAccountFields().Find("description").Required {
		t.Error("the tables for create, change and an account")
	}
}
