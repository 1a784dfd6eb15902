package account_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

func TestCreateGivesTheDefaultsAndNoAccess(t *testing.T) {
	s, m := newService()
	sc := scope("9", "ADMIN")
	sc.Env.Settings.MFARequired = true
	got, err := s.Create(context.Background(), sc,
		patchWith(field.Patch{"mobile": "07911 123456", "roles": []string{"viewer"}, "groups": []string{"ＳＴＡＦＦ"}}))
	want := account.Account{
		ID: "id1", Version: 1, Epoch: 1, UserType: "FULL", Username: "Doej", Name: "John Doe", Email: "john@example.com",
		Mobile: "07911 123456", MobileE164: "+447911123456", DateFrom: today, MFARequired: true, Active: true,
		AccessLocked: true,
		LockedAt:     nowStored, LockedReason: "Not yet allowed", LockedBy: "u9", BlockKind: account.NotYetAllowed,
		Roles:     []string{"VIEWER"},
		Groups:    []string{"STAFF"},
		CreatedAt: nowStored, UpdatedAt: nowStored,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v\n%v", got, err)
	}
	w := m.writes[0]
	event := auditlog.Event{ID: "id2", At: nowStored, Kind: auditlog.Created, By: "u9", ByID: "9", Version: 1}
	if w.Before != nil || !reflect.DeepEqual(w.After, want) || !reflect.DeepEqual(w.Event, event) {
		t.Errorf("write %+v", w)
	}
}

// Every rule of a new account's fields, one fault at a time.
func TestCreateRefuses(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name  string
		patch field.Patch
		field string
		code  string
	}{
		{"no username", field.Patch{"username": nil}, "username", "required"},
		{"a blank username", field.Patch{"username": " \t"}, "username", "required"},
		{"a username of 51", field.Patch{"username": long(51)}, "username", "tooLong"},
		{"a username with a zero-width space", field.Patch{"username": "doe\u200bj"}, "username", "character"},
		{"a username with a direction mark", field.Patch{"username": "do\u202eej"}, "username", "character"},
		{"no name", field.Patch{"name": ""}, "name", "required"},
		{"a name of 201", field.Patch{"name": long(201)}, "name", "tooLong"},
		{"a name of two lines", field.Patch{"name": "a\nb"}, "name", "controlCharacter"},
		{"no email", field.Patch{"email": nil}, "email", "required"},
		{"an email of 251", field.Patch{"email": long(245) + "@ab.de"}, "email", "tooLong"},
		{"an email of two addresses", field.Patch{"email": "a@evil.com@good.com"}, "email", "address"}, // C41
		{"an email with a quoted part", field.Patch{"email": `"a b"@x.de`}, "email", "address"},
		{"an email without a dot", field.Patch{"email": "a@localhost"}, "email", "address"},
		{"an email with a header behind", field.Patch{"email": "a@x.de\r\nBcc: b@y.de"}, "email", "controlCharacter"},
		{"no licence", field.Patch{"userType": nil}, "userType", "required"},
		{"an unknown licence", field.Patch{"userType": "GOLD"}, "userType", "unknownCode"},
		{"an inactive licence", field.Patch{"userType": "OLD"}, "userType", "unknownCode"},
		{"an unknown role", field.Patch{"roles": []string{"VIEWER", "NOBODY"}}, "roles", "unknownCode"},
		{"an inactive role", field.Patch{"roles": []string{"RETIRED"}}, "roles", "unknownCode"},
		{"a group as a role", field.Patch{"roles": []string{"STAFF"}}, "roles", "unknownCode"},
		{"an unknown group", field.Patch{"groups": []string{"X"}}, "groups", "unknownCode"},
		{"an unknown DAC group", field.Patch{"dacGroups": []string{"X"}}, "dacGroups", "unknownCode"},
		{"a role outside the licence", field.Patch{"userType": "TEAM", "roles": []string{"EDITOR"}}, "roles",
			"outsideLicence"},
		{"that through a group", field.Patch{"userType": "TEAM", "groups": []string{"NEST"}}, "groups", "outsideLicence"},
		{"the end before the start", field.Patch{"dateFrom": field.Date("2026-02-02"), "dateTo": field.Date("2026-02-01")},
			"dateTo", "beforeDateFrom"},
		{"the end before today", field.Patch{"dateTo": field.Date("2026-01-04")}, "dateTo", "beforeDateFrom"},
		{"a mobile of 51", field.Patch{"mobile": long(51)}, "mobile", "tooLong"},
		{"a field that sign-ins write", field.Patch{"failedTries": nil}, "failedTries", "readOnly"}, // C21
		{"one that actions write", field.Patch{"accessLocked": false}, "accessLocked", "readOnly"},
		{"101 roles", field.Patch{"roles": make([]string, 101)}, "roles", "tooMany"},
	} {
		s, m := newService()
		_, err := s.Create(context.Background(), scope("9", "ADMIN"), patchWith(c.patch))
		wantFault(t, c.name, err, fault.Invalid, c.code, c.field)
		if len(m.writes) > 0 {
			t.Errorf("%s: written", c.name)
		}
	}
}

func TestCreateTakesWhatIsAtItsLimit(t *testing.T) {
	for name, p := range map[string]field.Patch{
		"a username of 1":            {"username": "x"},
		"a username of 50":           {"username": strings.Repeat("x", 50)},
		"a name of 200":              {"name": strings.Repeat("ä", 200)},
		"an email of 250":            {"email": strings.Repeat("x", 244) + "@ab.de"},
		"dates of one day":           {"dateFrom": field.Date("2026-02-02"), "dateTo": field.Date("2026-02-02")},
		"an end today":               {"dateTo": today},
		"an API client":              {"userType": "api", "email": nil},
		"an email for a username":    {"username": "jane@example.com"},
		"its own email for username": {"username": "john@example.com"},
		"a role of the licence":      {"userType": "team", "roles": []string{"viewer"}, "groups": []string{"staff"}},
		"a null date from":           {"dateFrom": nil},
		"a hostile name":             {"name": `=cmd|'/c calc'!A1 <img src=x>`},
	} {
		s, m := newService()
		if _, err := s.Create(context.Background(), scope("9", "ADMIN"), patchWith(p)); err != nil {
			t.Errorf("%s: %+v", name, fault.As(err).Fields)
		} else if m.writes[0].After.DateFrom == "" {
			t.Errorf("%s: no date from", name)
		}
	}
}

// All faults are returned at once, one for each field.
func TestCreateNamesEveryWrongField(t *testing.T) {
	s, _ := newService()
	_, err := s.Create(context.Background(), scope("9"), field.Patch{
		"email": "x", "userType": "GOLD", "roles": []string{"ADMIN", "X"}, "dateTo": field.Date("2020-01-01"),
		"mobile": strings.Repeat("1", 51),
	})
	var got []string
	for _, f := range fault.As(err).Fields {
		got = append(got, f.Field+" "+f.Code)
	}
	want := "mobile tooLong,email address,userType unknownCode,username required,name required,dateTo " +
		"beforeDateFrom,roles unknownCode"
	if strings.Join(got, ",") != want {
		t.Errorf("%s", strings.Join(got, ","))
	}
}

// Two spellings of a code are the same code.
func TestCodesAreKeptOnceAndAsTheCatalogueSpellsThem(t *testing.T) {
	s, m := newService()
	_, err := s.Create(context.Background(), scope("9", "ADMIN"),
		patchWith(field.Patch{"roles": []string{"ｖｉｅｗｅｒ", "editor", "Viewer", ""}}))
	if err != nil || !reflect.DeepEqual(m.writes[0].After.Roles, []string{"EDITOR", "VIEWER"}) {
		t.Errorf("%v %v", m.writes, err)
	}
}

func TestDACGroupsNeedDAC(t *testing.T) {
	s, m := newService()
	sc := scope("9", "ADMIN")
	p := patchWith(field.Patch{"dacGroups": []string{"dac1"}})
	if _, err := s.Create(context.Background(), sc, p); err != nil || m.writes[0].After.DACGroups[0] != "DAC1" {
		t.Errorf("on: %v", err)
	}
	sc.Env.Settings.DACEnabled = false
	_, err := s.Create(context.Background(), sc, p)
	wantFault(t, "off", err, fault.Invalid, "dacOff", "dacGroups")
	if _, err := s.Create(context.Background(), sc, patchWith(field.Patch{"dacGroups": []string{}})); err != nil {
		t.Errorf("off and blank: %v", err)
	}
	// A whole form sends back what the account has; one more is refused.
	m.accounts["1"] = testAccount("1")
	had := m.accounts["1"]
	had.DACGroups = []string{"DAC1"}
	m.accounts["1"] = had
	if _, err := s.Change(context.Background(), sc, "1", had.Version,
		field.Patch{"dacGroups": []string{"DAC1"}, "name": "Other"}); err != nil {
		t.Errorf("off and as it was: %v", err)
	}
	had.DACGroups = nil
	m.accounts["1"] = had
	_, err = s.Change(context.Background(), sc, "1", had.Version, field.Patch{"dacGroups": []string{"DAC1"}})
	wantFault(t, "off and one more", err, fault.Invalid, "dacOff", "dacGroups")
}

// V61: nobody gives a permission that they do not hold, directly, by a group, or by nested groups.
func TestNobodyGivesMoreThanTheyHold(t *testing.T) {
	for _, c := range []struct {
		name  string
		roles []string
		patch field.Patch
		of    string
	}{
		{"a role", []string{"EDITOR"}, field.Patch{"roles": []string{"ADMIN"}}, "roles"},
		{"a role that overlaps", []string{"EDITOR"}, field.Patch{"roles": []string{"DESK"}}, "roles"},
		{"a group", []string{"EDITOR"}, field.Patch{"groups": []string{"BOARD"}}, "groups"},
		{"a group within groups, with a cycle", []string{"EDITOR"}, field.Patch{"groups": []string{"NEST"}}, "groups"},
		{"all that one holds", []string{"EDITOR"},
			field.Patch{"roles": []string{"EDITOR", "VIEWER"}, "groups": []string{"STAFF"}}, ""},
	} {
		s, m := newService(testAccount("1"))
		_, created := s.Create(context.Background(), scope("9", c.roles...), patchWith(c.patch))
		_, changed := s.Change(context.Background(), scope("9", c.roles...), "1", 4, c.patch)
		if c.of == "" {
			if created != nil || changed != nil {
				t.Errorf("%s: %v, %v", c.name, created, changed)
			}
			continue
		}
		wantFault(t, c.name+", created", created, fault.Invalid, "aboveOwnRights", c.of)
		wantFault(t, c.name+", changed", changed, fault.Invalid, "aboveOwnRights", c.of)
		if len(m.writes) > 0 {
			t.Errorf("%s: written", c.name)
		}
	}
	// What the account holds already may stay.
	s, _ := newService(testAccount("1", "DESK"))
	if _, err := s.Change(context.Background(), scope("9", "EDITOR"), "1", 4,
		field.Patch{"roles": []string{"DESK", "VIEWER"}}); err != nil {
		t.Errorf("keeping what is there: %v", err)
	}
}

// A licence change that would orphan roles is refused and names them, under the licence.
func TestALicenceChangeThatOrphansRolesIsRefused(t *testing.T) {
	a := testAccount("1", "EDITOR")
	a.Groups = []string{"NEST"}
	s, _ := newService(a)
	_, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 4, field.Patch{"userType": "TEAM"})
	wantFault(t, "by role and group", err, fault.Invalid, "outsideLicence", "userType")
	if m := fault.As(err).Fields[0].Message; !strings.Contains(m, "ADMIN, EDITOR") {
		t.Errorf("it does not name the roles: %s", m)
	}
}

// An account with a locked licence or role can still have its mobile number corrected.
func TestRetiredCodesDoNotHoldOffOtherChanges(t *testing.T) {
	a := testAccount("1", "RETIRED")
	a.UserType, a.Email = "OLD", "not an address any more"
	s, m := newService(a)
	if _, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 4,
		field.Patch{"mobile": "+49 30 123456"}); err != nil {
		t.Fatal(err)
	}
	after := m.writes[0].After
	if after.MobileE164 != "+4930123456" || after.UserType != "OLD" ||
		!reflect.DeepEqual(after.Roles, []string{"RETIRED"}) {
		t.Errorf("%+v", after)
	}
}

// Nor do they hold off a change of the codes beside them: what is retired, or outside the licence since before, may
// stay and can be taken away one by one; a new one of the sort is refused by name.
func TestOldWrongsAmongCodesMayStayOrGo(t *testing.T) {
	admin := scope("9", "ADMIN")
	change := func(licence string, roles, groups []string, p field.Patch) (account.Account, error) {
		a := testAccount("1", roles...)
		a.UserType, a.Groups = licence, groups
		s, _ := newService(a)
		return s.Change(context.Background(), admin, "1", 4, p)
	}
	got, err := change("FULL", []string{"RETIRED"}, nil, field.Patch{"roles": []string{"retired", "VIEWER"}})
	if err != nil || !slices.Equal(got.Roles, []string{"RETIRED", "VIEWER"}) {
		t.Errorf("one beside a retired one: %v, %v", got.Roles, err)
	}
	if got, err = change("FULL", []string{"RETIRED", "VIEWER"}, nil,
		field.Patch{"roles": []string{"VIEWER"}}); err != nil || len(got.Roles) != 1 {
		t.Errorf("the retired one taken away: %v, %v", got.Roles, err)
	}
	_, err = change("FULL", []string{"VIEWER"}, nil, field.Patch{"roles": []string{"RETIRED", "VIEWER"}})
	wantFault(t, "a retired one again", err, fault.Invalid, "unknownCode", "roles")
	if _, err = change("OLD", nil, nil, field.Patch{"userType": "old", "name": "New"}); err != nil {
		t.Errorf("a retired licence that stays: %v", err)
	}
	// TEAM does not allow ADMIN and EDITOR.
	if got, err = change("TEAM", []string{"ADMIN", "EDITOR"}, nil,
		field.Patch{"roles": []string{"EDITOR", "VIEWER"}}); err != nil ||
		!slices.Equal(got.Roles, []string{"EDITOR", "VIEWER"}) {
		t.Errorf("one of two outside the licence taken away: %v, %v", got.Roles, err)
	}
	_, err = change("TEAM", []string{"EDITOR"}, nil, field.Patch{"roles": []string{"ADMIN", "EDITOR"}})
	wantFault(t, "another outside the licence", err, fault.Invalid, "outsideLicence", "roles")
	if m := fault.As(err).Fields[0].Message; strings.Contains(m, "EDITOR") || !strings.Contains(m, "ADMIN") {
		t.Errorf("it does not name the new one alone: %s", m)
	}
	_, err = change("TEAM", []string{"EDITOR"}, nil, field.Patch{"groups": []string{"NEST"}})
	wantFault(t, "a group that gives one outside", err, fault.Invalid, "outsideLicence", "groups")
	_, err = change("FULL", []string{"EDITOR"}, nil, field.Patch{"userType": "TEAM"})
	wantFault(t, "the licence", err, fault.Invalid, "outsideLicence", "userType")
}

// Importing an unedited export writes nothing, even if the environment's country changed since.
func TestMobileIsReadAgainOnlyWhenItChanges(t *testing.T) {
	a := testAccount("1")
	a.Mobile, a.MobileE164 = "07911 123456", "+447911123456"
	s, m := newService(a)
	sc := scope("9", "ADMIN")
	sc.Env.Settings.Country = "DE"
	if _, err := s.Change(context.Background(), sc, "1", 4,
		field.Patch{"name": a.Name, "mobile": a.Mobile}); err != nil || len(m.writes) > 0 {
		t.Errorf("%v %+v", err, m.writes)
	}
	if _, err := s.Change(context.Background(), sc, "1", 4, field.Patch{"mobile": "no number"}); err != nil ||
		m.writes[0].After.MobileE164 != "" {
		t.Errorf("%v %+v", err, m.writes)
	}
}

func TestBlankDateFromIsToday(t *testing.T) {
	s, m := newService(testAccount("1"))
	if _, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 4, field.Patch{"dateFrom": nil}); err != nil ||
		m.writes[0].After.DateFrom != today {
		t.Errorf("%v %+v", err, m.writes)
	}
}

// With the API licence every session ends. The account must never have been used, which the write depends on.
func TestTheAPILicenceEndsSessionsOfAnUnusedAccount(t *testing.T) {
	s, m := newService(unusedAccount("1"))
	if _, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 4,
		field.Patch{"userType": "API", "email": nil}); err != nil {
		t.Fatal(err)
	}
	w := m.writes[0]
	if !w.NeverUsed || w.After.Epoch != 8 || w.CallerEpoch != 70 || w.After.Email != "" {
		t.Errorf("%+v", w)
	}
	_, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 5, field.Patch{"userType": "FULL"})
	wantFault(t, "back, without an email", err, fault.Invalid, "required", "email")
}

func TestCreatePassesOnWhatTheStoreSays(t *testing.T) {
	s, m := newService()
	m.fail = errors.New("down")
	if _, err := s.Create(context.Background(), scope("9", "ADMIN"), validPatch()); !errors.Is(err, m.fail) {
		t.Errorf("%v", err)
	}
}

// A code from a caller is bounded before it is sent back.
func TestMessagesBoundWhatTheyQuote(t *testing.T) {
	s, _ := newService()
	_, err := s.Create(context.Background(), scope("9", "ADMIN"),
		patchWith(field.Patch{"userType": strings.Repeat("x", 50), "roles": []string{strings.Repeat("y", 50)}}))
	for _, f := range fault.As(err).Fields {
		if len(f.Message) > 200 {
			t.Errorf("%s", f.Message)
		}
	}
}

// The metadata of clients and the columns of sheets rest on this: every field has what it needs, and no name stands
// twice.
func TestTheFieldTableIsWhole(t *testing.T) {
	names, grid := map[string]bool{}, map[int]bool{}
	var a account.Account
	kinds := map[string]bool{
		string(catalogue.Licence): true, string(catalogue.Role): true, string(catalogue.Group): true,
		string(catalogue.DACGroup): true, "": true,
		"provider": true, // of single sign-on
	}
	for _, d := range account.Fields() {
		if names[d.Name] || d.Label == "" || d.Help == "" || d.Section == "" || d.At(&a) == nil || !kinds[d.Refers] ||
			(d.Grid != 0 && grid[d.Grid]) {
			t.Errorf("%s: %+v", d.Name, d)
		}
		names[d.Name], grid[d.Grid] = true, true
	}
	for i := 1; i < len(grid); i++ {
		if !grid[i] {
			t.Errorf("no field stands at %d of the grid", i)
		}
	}
	for _, secret := range []string{"passwordHash", "epoch", "password"} { // V60
		if names[secret] {
			t.Errorf("%s is a field", secret)
		}
	}
}
