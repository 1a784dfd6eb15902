package settings

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fakeStore is the document in memory.
type fakeStore struct {
	env    environment.Environment
	events []auditlog.Event
	race   func()
}

func (s *fakeStore) Environment(context.Context, string) (environment.Environment, error) {
	return s.env, nil
}

func (s *fakeStore) WriteSettings(_ context.Context, w Write) error {
	if s.race != nil {
		s.race()
	}
	if w.BaseVersion != s.env.SettingsVersion {
		return ErrConcurrentChange
	}
	s.env.Settings, s.env.SettingsVersion = w.After, w.BaseVersion+1
	s.events = append(s.events, w.Event)
	return nil
}

func (s *fakeStore) Events(context.Context, string, string, int) ([]auditlog.Event, string, error) {
	return s.events, "on", nil
}

func (s *fakeStore) EventsSince(_ context.Context, _, subject string, version int64) ([]auditlog.Event, error) {
	var out []auditlog.Event
	for _, e := range s.events {
		if e.Subject == subject && e.Version > version {
			out = append(out, e)
		}
	}
	return out, nil
}

func newFixture() (*Service, *fakeStore, access.Scope) {
	s := &fakeStore{env: environment.Environment{ID: "e", Settings: environment.Defaults(), SettingsVersion: 3}}
	service := &Service{Store: s, Now: func() time.Time { return noon }, NewID: func() string { return "id" }}
	return service, s,
		access.Scope{Env: s.env, Caller: access.Caller{AccountID: "A", Username: "boss", AuthenticatedAt: noon,
			Permissions: access.Set{access.AccountAdmin: {}}}}
}

// Each member of the struct has one field, so that nothing can be stored that no form shows. A default that the table
// would refuse could not be saved again. internal/dynamo/schema checks the names under which they are stored.
func TestTheTableIsTheStruct(t *testing.T) {
	var s Settings
	members, seen := reflect.ValueOf(&s).Elem(), map[uintptr]string{}
	for _, d := range Fields() {
		at := reflect.ValueOf(d.At(&s)).Pointer()
		if other, twice := seen[at]; twice {
			t.Errorf("internal/settings/fields.go: %s and %s are the same member", d.Name, other)
		}
		seen[at] = d.Name
	}
	for i := range members.NumField() {
		if seen[members.Field(i).Addr().Pointer()] == "" {
			t.Errorf("internal/settings/fields.go has no field for the setting %s", members.Type().Field(i).Name)
		}
	}
	s = environment.Defaults()
	all := field.Patch{}
	for _, d := range Fields() {
		all[d.Name] = Fields().Value(&s, d.Name)
	}
	if got, bad := validate(s, all); bad != nil || got != s {
		t.Errorf("the defaults: %+v, %+v", got, bad)
	}
}

// bounds are the least and the largest value of each number.
var bounds = map[string][2]int64{
	"passwordMinLength": {8, 64}, "passwordClasses": {0, 4}, "passwordHistory": {0, 24}, "passwordMaxAgeDays": {0, 3650},
	"failedTryLimit": {1, 100}, "sessionIdleMinutes": {1, 60}, "sessionHardMinutes": {5, 24 * 60},
	"confirmAgainMinutes": {1, 60},
	"trustedDeviceDays":   {0, 365}, "setPasswordLinkHours": {1, 168}, "logRetentionDays": {30, 3650},
}

// refused are changes of the defaults that a rule refuses, with the field that the fault names.
var refused = map[string]struct {
	patch field.Patch
	field string
}{
	"hard before idle": {field.Patch{"sessionHardMinutes": int64(20)}, "sessionHardMinutes"},
	"idle after hard": {
		field.Patch{"sessionHardMinutes": int64(20), "sessionIdleMinutes": int64(21)}, "sessionHardMinutes",
	},
	"NIST and classes":      {field.Patch{"passwordNIST": true, "passwordClasses": int64(1)}, "passwordClasses"},
	"NIST and age":          {field.Patch{"passwordNIST": true, "passwordMaxAgeDays": int64(90)}, "passwordMaxAgeDays"},
	"no country":            {field.Patch{"country": nil}, "country"},
	"a country of the past": {field.Patch{"country": "DD"}, "country"},
	"no currency":           {field.Patch{"currency": ""}, "currency"},
	"metal":                 {field.Patch{"currency": "XAU"}, "currency"},
	"no sender":             {field.Patch{"mailSenderName": "  "}, "mailSenderName"},
	"two lines":             {field.Patch{"mailSenderName": "A\r\nBcc: x@example.com"}, "mailSenderName"},
}

// unrestricted are the settings of which every value of their kind is allowed, whatever the others are.
var unrestricted = []string{
	"adminSetsPasswords", "failedTryRelease", "mfaRequired", "emailCodeAllowed", "resetPasswordConfirmation", "dacEnabled",
}

// A new setting needs a test of the rules for its values, or has to be declared unrestricted.
func TestEverySettingHasItsRuleTest(t *testing.T) {
	var missing []string
	for _, d := range Fields() {
		_, bounded := bounds[d.Name]
		ruled := slices.Contains(unrestricted, d.Name)
		for _, c := range refused {
			_, given := c.patch[d.Name]
			ruled = ruled || given
		}
		if d.Kind == field.Number && !bounded || d.Kind != field.Number && !ruled {
			missing = append(missing, d.Name)
		}
	}
	if len(missing) > 0 {
		t.Errorf("internal/settings/settings_test.go: add %s to bounds (a number), to refused, or to unrestricted",
			strings.Join(missing, ", "))
	}
}

func TestEveryBoundHolds(t *testing.T) {
	for name, bounds := range bounds {
		start := environment.Defaults()
		start.SessionIdle = 5 // so that no bound meets the rule between the two limits
		if name == "sessionIdleMinutes" {
			start.SessionHard = 60
		}
		for value, right := range map[int64]bool{bounds[0]: true, bounds[1]: true, bounds[0] - 1: false,
			bounds[1] + 1: false} {
			after, bad := validate(start, field.Patch{name: value})
			if got := Fields().Compare(&Settings{}, &after); right &&
				(bad != nil || value != 0 && !changedTo(got, name, value)) {
				t.Errorf("%s = %d: %+v", name, value, bad)
			}
			if !right && (len(bad) != 1 || bad[0].Field != name || bad[0].Code != "range") {
				t.Errorf("%s = %d is taken: %+v", name, value, bad)
			}
		}
	}
}

func changedTo(diff []field.Diff, name string, value int64) bool {
	return slices.ContainsFunc(diff, func(d field.Diff) bool { return d.Field == name && d.To == value })
}

func TestRulesBetweenFields(t *testing.T) {
	for name, c := range refused {
		if _, bad := validate(environment.Defaults(), c.patch); len(bad) != 1 || bad[0].Field != c.field {
			t.Errorf("%s: %+v", name, bad)
		}
	}
	strict := environment.Defaults()
	strict.PasswordMaxAgeDays = 90
	if _, bad := validate(strict, field.Patch{"passwordNIST": true}); len(bad) != 1 || bad[0].Field != "passwordNIST" {
		t.Errorf("NIST over what is set: %+v", bad)
	}
	if _, bad := validate(strict, field.Patch{"passwordNIST": true, "passwordMaxAgeDays": int64(0)}); bad != nil {
		t.Errorf("both at once: %+v", bad)
	}
}

// V101: a setting that weakens sign-in needs account.admin as well, and every setting says whether it does.
func TestWhatWeakensSignInNeedsAnAdministrator(t *testing.T) {
	for _, d := range Fields() {
		if _, stated := weaknesses()[d.Name]; !stated {
			t.Errorf("internal/settings/weaken.go does not say whether %s weakens sign-in", d.Name)
		}
	}
	for name, c := range map[string]struct {
		patch   field.Patch
		weakens bool
	}{
		"more tries":              {field.Patch{"failedTryLimit": int64(6)}, true},
		"fewer tries":             {field.Patch{"failedTryLimit": int64(4)}, false},
		"a shorter password":      {field.Patch{"passwordMinLength": int64(8)}, true},
		"a longer one":            {field.Patch{"passwordMinLength": int64(20)}, false},
		"codes by mail":           {field.Patch{"emailCodeAllowed": true}, true},
		"another sender":          {field.Patch{"mailSenderName": "Payroll"}, false},
		"one of several weakens":  {field.Patch{"mailSenderName": "P", "trustedDeviceDays": int64(31)}, true},
		"passwords may grow old":  {field.Patch{"passwordMaxAgeDays": int64(90)}, false},
		"sessions last longer":    {field.Patch{"sessionIdleMinutes": int64(60)}, true},
		"a second factor for all": {field.Patch{"mfaRequired": true}, false},
	} {
		service, store, scope := newFixture()
		scope.Caller.Permissions = access.Set{access.SettingsWrite: {}}
		_, err := service.Change(t.Context(), scope, 3, c.patch)
		if c.weakens != fault.HasCode(err, "forbidden") || (err == nil) == c.weakens {
			t.Errorf("%s: %v", name, err)
		}
		if wrote := len(store.events) > 0; wrote == c.weakens {
			t.Errorf("%s: written: %v", name, wrote)
		}
	}
}

func TestAChangeIsWrittenWithItsEvent(t *testing.T) {
	service, store, scope := newFixture()
	got, err := service.Change(t.Context(), scope, 3,
		field.Patch{"failedTryLimit": int64(10), "dacEnabled": true, "passwordHistory": int64(0)})
	if err != nil || got.Version != 4 || got.FailedTryLimit != 10 || !got.DACEnabled ||
		store.env.Settings != got.Settings {
		t.Fatalf("%+v, %v", got, err)
	}
	want := auditlog.Event{
		ID: "id", At: noon, Kind: auditlog.Changed, By: "boss", ByID: "A", Subject: "settings", Version: 4,
		RetentionDays: 730,
		Changes: []field.Diff{{Field: "failedTryLimit", From: int64(5), To: int64(10)},
			{Field: "dacEnabled", From: false, To: true}},
	}
	if !reflect.DeepEqual(store.events, []auditlog.Event{want}) {
		t.Errorf("%+v", store.events)
	}
	if got, err := service.Change(t.Context(), scope, 4, field.Patch{"failedTryLimit": int64(10)}); err != nil ||
		got.Version != 4 || len(store.events) != 1 {
		t.Errorf("nothing changed: %+v, %v, %d events", got, err, len(store.events))
	}
}

// V62, whether the other change came before this one was read or at the same moment.
func TestAStaleVersionIsToldWhatChanged(t *testing.T) {
	for name, early := range map[string]bool{"before": true, "at the same moment": false} {
		service, store, scope := newFixture()
		other := func() {
			store.race = nil
			if _, err := service.Change(t.Context(), scope, 3, field.Patch{"country": "DE"}); err != nil {
				t.Fatal(err)
			}
		}
		if early {
			other()
		} else {
			store.race = other
		}
		_, err := service.Change(t.Context(), scope, 3, field.Patch{"currency": "EUR"})
		e := fault.As(err)
		if e == nil || e.Kind != fault.Stale || len(e.Fields) != 1 || e.Fields[0].Field != "country" ||
			e.Fields[0].By != "boss" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := service.Change(t.Context(), scope, 3, field.Patch{"country": "DE"}); !fault.Is(err, fault.Stale) {
			t.Errorf("%s: what is so already, on an old version: %v", name, err)
		}
		if store.env.Settings.Currency != "GBP" || store.env.Settings.Country != "DE" {
			t.Errorf("%s: %+v", name, store.env.Settings)
		}
	}
}

func TestTheLogEndsWhereItIsNotKept(t *testing.T) {
	service, store, scope := newFixture()
	for _, age := range []int{1, 29, 31, 700} {
		store.events = append(store.events, auditlog.Event{At: noon.AddDate(0, 0, -age)})
	}
	scope.Env.Settings.LogRetentionDays = 30
	if got, next, err := service.Log(t.Context(), scope, "", 10); err != nil || len(got) != 2 || next != "" {
		t.Errorf("%d events, %q, %v", len(got), next, err)
	}
	scope.Env.Settings.LogRetentionDays = 730
	if got, next, err := service.Log(t.Context(), scope, "", 10); err != nil || len(got) != 4 || next != "on" {
		t.Errorf("%d events, %q, %v", len(got), next, err)
	}
}
