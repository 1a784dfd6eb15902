package account_test

import (
	"context"
	"reflect"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
)

const (
	otherID = "01JZ0000000000000000000001"
	noID    = "01JZ0000000000000000000009"
)

// sourceAccount is an account to copy from.
func sourceAccount(roles, groups, dac []string) account.Account {
	a := testAccount(otherID, roles...)
	a.Groups, a.DACGroups = groups, dac
	return a
}

func TestCopyAccessAddsAndRemovesNothing(t *testing.T) {
	to := testAccount("1", "VIEWER")
	to.DACGroups = []string{"DAC1"}
	from := sourceAccount([]string{"viewer", "EDITOR", "RETIRED", "GONE"}, []string{"STAFF"}, []string{"DAC1"})
	from.MFARequired, from.ForcePasswordChange = true, true
	s, m := newService(to, from)
	request := account.CopyAccessRequest{From: otherID, Preview: true, DACGroups: true}
	preview, err := s.CopyAccess(context.Background(), scope("9", "ADMIN"), "1", 0, request)
	if err != nil || len(m.writes) > 0 || preview.Account.Version != 4 {
		t.Fatalf("preview: %v, %d writes, %+v", err, len(m.writes), preview)
	}
	request.Preview = false
	copied, err := s.CopyAccess(context.Background(), scope("9", "ADMIN"), "1", 4, request)
	if err != nil || len(m.writes) != 1 {
		t.Fatal(err)
	}
	for _, got := range []account.CopyAccessResult{preview, copied} {
		if !reflect.DeepEqual(got.Roles, []string{"EDITOR"}) || !reflect.DeepEqual(got.Groups, []string{"STAFF"}) ||
			got.DACGroups != nil {
			t.Errorf("%+v", got)
		}
		if len(got.Refused) != 2 || got.Refused[0].Reason != "inactive" || got.Refused[0].Code != "RETIRED" ||
			got.Refused[1].Code != "GONE" || got.Refused[1].Field != "roles" {
			t.Errorf("%+v", got.Refused)
		}
	}
	want := to
	want.Version, want.Roles, want.Groups, want.UpdatedAt = 5, []string{"EDITOR", "VIEWER"}, []string{"STAFF"}, nowStored
	if w := m.writes[0]; !reflect.DeepEqual(w.After, want) || w.Event.Kind != auditlog.AccessCopied ||
		w.Event.Note != from.Username || w.Event.Version != 5 || len(w.Event.Changes) != 2 {
		t.Errorf("%+v", w)
	}
	// A second click finds nothing to add.
	if again, err := s.CopyAccess(context.Background(), scope("9", "ADMIN"), "1", 0, request); err != nil ||
		len(m.writes) != 1 || again.Roles != nil || again.Account.Version != 5 {
		t.Errorf("%+v %v", again, err)
	}
}

// V61: nobody gives by a copy what they could not give by hand. A copy that is not possible as a whole is only copied
// on request.
func TestCopyAccessRefusesWhatChangeWouldRefuse(t *testing.T) {
	team := testAccount("1", "VIEWER")
	team.UserType = "TEAM"
	for name, c := range map[string]struct {
		to            account.Account
		from          account.Account
		by            []string
		dacOff        bool
		field, reason string
		roles, groups []string
	}{
		"a role outside the licence": {team, sourceAccount([]string{"EDITOR"}, []string{"STAFF"}, nil),
			[]string{"ADMIN"}, false, "roles", "outsideLicence", nil, []string{"STAFF"}},
		"a group outside the licence": {team, sourceAccount([]string{"VIEWER"}, []string{"NEST"}, nil),
			[]string{"ADMIN"}, false, "groups", "outsideLicence", nil, nil},
		"a role above one's own rights": {testAccount("1"), sourceAccount([]string{"DESK", "VIEWER"}, nil, nil),
			[]string{"EDITOR"}, false, "roles", "aboveOwnRights", []string{"VIEWER"}, nil},
		"a group above them, through nesting": {testAccount("1"), sourceAccount(nil, []string{"NEST", "STAFF"}, nil),
			[]string{"EDITOR"}, false, "groups", "aboveOwnRights", nil, []string{"STAFF"}},
		"DAC groups where DAC is off": {testAccount("1"), sourceAccount([]string{"VIEWER"}, nil, []string{"DAC1"}),
			[]string{"ADMIN"}, true, "dacGroups", "dacOff", []string{"VIEWER"}, nil},
	} {
		s, m := newService(c.to, c.from)
		sc := scope("9", c.by...)
		sc.Env.Settings.DACEnabled = !c.dacOff
		request := account.CopyAccessRequest{From: otherID, DACGroups: true}
		_, err := s.CopyAccess(context.Background(), sc, "1", 0, request)
		wantFault(t, name, err, fault.Invalid, c.reason, c.field)
		request.Preview = true
		if preview, err := s.CopyAccess(context.Background(), sc, "1", 0, request); err != nil || len(preview.Refused) != 1 ||
			preview.Refused[0].Reason != c.reason {
			t.Errorf("%s, preview: %+v %v", name, preview, err)
		}
		if len(m.writes) > 0 {
			t.Errorf("%s: written", name)
		}
		request.Preview, request.SkipRefused = false, true
		got, err := s.CopyAccess(context.Background(), sc, "1", 0, request)
		if err != nil || !reflect.DeepEqual(got.Roles, c.roles) || !reflect.DeepEqual(got.Groups, c.groups) {
			t.Errorf("%s, skipped: %+v %v", name, got, err)
		}
	}
}

// Copies to oneself, from oneself, to administrators and from nobody have the guards of changes.
func TestCopyAccessGuards(t *testing.T) {
	me := testAccount(otherID, "EDITOR")
	for name, c := range map[string]struct {
		to, from string
		version  int64
		kind     fault.Kind
		code     string
		field    string
	}{
		"from itself":         {otherID, otherID, 0, fault.Invalid, "same", "from"},
		"from nobody":         {"1", noID, 0, fault.Invalid, "unknown", "from"},
		"from no id":          {"1", "../1", 0, fault.Invalid, "unknown", "from"},
		"to nobody":           {noID, otherID, 0, fault.NotFound, "notFound", ""},
		"to an administrator": {"2", otherID, 0, fault.Forbidden, "administrator", ""},
		"of an old version":   {"1", otherID, 3, fault.Stale, "stale", ""},
	} {
		s, m := newService(me, testAccount("1"), testAccount("2", "ADMIN"))
		for _, preview := range []bool{false, true} {
			_, err := s.CopyAccess(context.Background(), scope(otherID, "EDITOR"), c.to, c.version,
				account.CopyAccessRequest{From: c.from, Preview: preview})
			wantFault(t, name, err, c.kind, c.code, c.field)
		}
		if len(m.writes) > 0 {
			t.Errorf("%s: written", name)
		}
	}
	// One's own permissions may be passed on.
	s, _ := newService(me, testAccount("1"), sourceAccount(nil, nil, nil))
	s.Store.(*fakeStore).accounts[otherID] = me
	if got, err := s.CopyAccess(context.Background(), scope(otherID, "EDITOR"), "1", 0,
		account.CopyAccessRequest{From: otherID}); err != nil || len(got.Roles) != 1 {
		t.Errorf("from oneself: %+v %v", got, err)
	}
}
