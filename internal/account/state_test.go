package account_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// fakeGenerator returns one password, or fails.
type fakeGenerator struct{ fail error }

func (g fakeGenerator) Generate(_ environment.Settings, words []string) (string, error) {
	return "generated secret", g.fail
}

// changedFields returns the names of the fields in an event's changes.
func changedFields(e auditlog.Event) []string {
	var out []string
	for _, d := range e.Changes {
		out = append(out, d.Field)
	}
	return out
}

func TestLockEndsSessionsAndLeavesTheBlock(t *testing.T) {
	blocked := testAccount("2")
	blocked.AccessLocked, blocked.LockedReason = true, "x"
	for _, a := range []account.Account{testAccount("1"), blocked} {
		s, m := newService(a)
		got, err := s.Lock(context.Background(), scope("9", "ADMIN"), a.ID, 4)
		if err != nil || got.Active || got.AccessLocked != a.AccessLocked || got.LockedReason != a.LockedReason ||
			got.PasswordHash != "hash" {
			t.Fatalf("%+v %v", got, err)
		}
		w := m.writes[0]
		if w.After.Epoch != 8 || w.CallerEpoch != 70 || w.ClearTries || w.Event.Kind != auditlog.Locked ||
			w.Event.By != "u9" || !slices.Equal(changedFields(w.Event), []string{"active"}) {
			t.Errorf("%+v", w)
		}
		// The second click.
		if again, err := s.Lock(context.Background(), scope("9", "ADMIN"), a.ID, 0); err != nil || again.Version != 5 ||
			len(m.writes) != 1 {
			t.Errorf("locking a locked one: %+v %v", again, err)
		}
		back, err := s.Unlock(context.Background(), scope("9", "ADMIN"), a.ID, 5)
		if err != nil || !back.Active || back.AccessLocked != a.AccessLocked || back.Epoch != 8 ||
			m.writes[1].Event.Kind != auditlog.Unlocked {
			t.Errorf("%+v %v", back, err)
		}
		if again, err := s.Unlock(context.Background(), scope("9", "ADMIN"), a.ID, 0); err != nil || again.Version != 6 ||
			len(m.writes) != 2 {
			t.Errorf("unlocking an unlocked one: %+v %v", again, err)
		}
	}
}

// Resetting the failed tries lifts an automatic block, never an administrator's (V17).
func TestResetTriesLiftsOnlyTheirBlock(t *testing.T) {
	tries, admin, none := testAccount("1"), testAccount("2"), testAccount("4")
	tries.FailedTries, tries.TriesBlockedAt = 5, nowStored
	admin.AccessLocked, admin.LockedReason, admin.LockedBy, admin.LockedAt = true, "by hand", "u8", nowStored
	both := admin
	both.ID, both.FailedTries, both.TriesBlockedAt = "3", 5, nowStored
	for _, c := range []struct {
		a       account.Account
		writes  int
		changes []string
	}{
		{tries, 1, []string{"accessLocked", "lockedAt", "lockedReason"}}, {admin, 0, nil}, {both, 1, nil}, {none, 0, nil},
	} {
		s, m := newService(c.a)
		got, err := s.ResetTries(context.Background(), scope("9", "DESK"), c.a.ID, 0)
		if err != nil || got.FailedTries != 0 || !got.TriesBlockedAt.IsZero() || got.AccessLocked != c.a.AccessLocked ||
			got.LockedReason != c.a.LockedReason || got.Epoch != 7 {
			t.Errorf("%s: %+v %v", c.a.ID, got, err)
		}
		if len(m.writes) != c.writes {
			t.Fatalf("%s: %d writes", c.a.ID, len(m.writes))
		}
		if c.writes == 1 {
			w := m.writes[0]
			if !w.ClearTries || w.Event.Kind != auditlog.TriesReset || !slices.Equal(changedFields(w.Event), c.changes) {
				t.Errorf("%s: %+v", c.a.ID, w)
			}
		}
	}
}

func TestForcePasswordChange(t *testing.T) {
	api := testAccount("2")
	api.UserType = "API"
	s, m := newService(testAccount("1"), api)
	got, err := s.ForcePasswordChange(context.Background(), scope("9", "DESK"), "1", 4)
	if err != nil || !got.ForcePasswordChange || got.Epoch != 7 || got.PasswordHash != "hash" ||
		m.writes[0].Event.Kind != auditlog.PasswordChangeForced {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := s.ForcePasswordChange(context.Background(), scope("9", "DESK"), "1", 0); err != nil ||
		len(m.writes) != 1 {
		t.Errorf("a second time: %v, %d writes", err, len(m.writes))
	}
	_, err = s.ForcePasswordChange(context.Background(), scope("9", "DESK"), "2", 0)
	wantFault(t, "an API client", err, fault.Conflict, "apiOnly", "")
}

// V09: a password from an administrator is temporary by default; the event does not contain it.
func TestPasswordsThatAreGivenExpire(t *testing.T) {
	s, m := newService(testAccount("1"))
	s.Generator = fakeGenerator{}
	got, secret, err := s.ResetPassword(context.Background(), scope("9", "DESK"), "1", 4, false)
	if err != nil || secret != "generated secret" || got.PasswordHash != "hash of "+secret || !got.ForcePasswordChange ||
		got.Epoch != 8 || !got.PasswordExpires.Equal(nowStored.Add(24*time.Hour)) {
		t.Errorf("%+v %q %v", got, secret, err)
	}
	w := m.writes[0]
	if w.Event.Kind != auditlog.PasswordReset || w.CallerEpoch != 70 || w.ClearTries ||
		!slices.Equal(changedFields(w.Event), []string{"forcePasswordChange"}) || strings.Contains(w.Event.Note, "secret") {
		t.Errorf("%+v", w)
	}
	if got, err := s.SetPassword(context.Background(), scope("9", "DESK"), "1", 0,
		account.NewPasswordRequest{Password: "long enough", ForceChange: true}); err != nil ||
		!got.PasswordExpires.Equal(nowStored.Add(24*time.Hour)) {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := s.SetPassword(context.Background(), scope("9", "DESK"), "1", 0,
		account.NewPasswordRequest{Password: "long enough"}); err != nil || !got.PasswordExpires.IsZero() {
		t.Errorf("one to keep: %+v %v", got, err)
	}
	// Unlock user account, in the same step.
	locked := testAccount("2")
	locked.AccessLocked, locked.FailedTries = true, 3
	s, _ = newService(locked)
	s.Generator = fakeGenerator{}
	if got, _, err := s.ResetPassword(context.Background(), scope("9", "DESK"), "2", 0, true); err != nil ||
		got.AccessLocked || got.FailedTries != 0 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestResetPasswordRefusesAsSetPasswordDoes(t *testing.T) {
	api := testAccount("2")
	api.UserType = "API"
	for _, c := range []struct {
		name, id   string
		unlock     bool
		kind       fault.Kind
		code       string
		takesAway  access.Permission
		generators error
	}{
		{"an API client", "2", false, fault.Conflict, "apiOnly", "", nil},
		{"more rights", "3", false, fault.Forbidden, "aboveOwnRights", "", nil},
		{"nobody", "7", false, fault.NotFound, "notFound", "", nil},
		{"unlock without the right", "1", true, fault.Forbidden, "forbidden", access.AccountBlock, nil},
	} {
		s, m := newService(testAccount("1"), api, testAccount("3", "EDITOR"))
		s.Generator = fakeGenerator{}
		sc := scope("9", "DESK")
		delete(sc.Caller.Permissions, c.takesAway)
		_, secret, err := s.ResetPassword(context.Background(), sc, c.id, 0, c.unlock)
		wantFault(t, c.name, err, c.kind, c.code, "")
		if len(m.writes) > 0 || secret != "" {
			t.Errorf("%s: written, %q", c.name, secret)
		}
	}
	s, _ := newService(testAccount("1"))
	s.Generator = fakeGenerator{errors.New("no random")}
	if _, secret,
		err := s.ResetPassword(context.Background(), scope("9", "DESK"), "1", 0, false); err == nil || secret != "" {
		t.Error("without a password it goes on")
	}
	s.Generator = fakeGenerator{}
	s.Store.(*fakeStore).fail = errors.New("down")
	if _, secret,
		err := s.ResetPassword(context.Background(), scope("9", "DESK"), "1", 0, false); err == nil || secret != "" {
		t.Errorf("a password that was not written is shown: %q", secret)
	}
}

// The guards of the actions on an account's state: oneself, administrators, stale versions, unknown accounts.
func TestStateGuards(t *testing.T) {
	target := testAccount("1", "ADMIN")
	target.FailedTries = 1
	locked := target
	locked.Active = false
	type act = func(*account.Service, access.Scope, string, int64) error
	plain := func(do func(*account.Service, context.Context, access.Scope, string, int64) (account.Account, error)) act {
		return func(s *account.Service, sc access.Scope, id string, version int64) error {
			_, err := do(s, context.Background(), sc, id, version)
			return err
		}
	}
	remove := act(func(s *account.Service, sc access.Scope, id string, version int64) error {
		return s.Delete(context.Background(), sc, id, version)
	})
	lock := plain((*account.Service).Lock)
	for name, c := range map[string]struct {
		do act
		on account.Account
	}{
		"lock": {lock, target}, "unlock": {plain((*account.Service).Unlock), locked},
		"reset tries": {plain((*account.Service).ResetTries), target},
		"force":       {plain((*account.Service).ForcePasswordChange), target}, "delete": {remove, target},
	} {
		s, m := newService(c.on)
		s.Deleter = &fakeDeleter{}
		wantFault(t, name, c.do(s, scope("9", "EDITOR", "DESK"), "1", 0), fault.Forbidden, "administrator", "")
		if len(m.writes) > 0 {
			t.Errorf("%s: written", name)
		}
		if err := c.do(s, scope("9", "ADMIN"), "1", 0); err != nil {
			t.Errorf("%s by an administrator: %v", name, err)
		}
		s, _ = newService(c.on)
		wantFault(t, name+", stale", c.do(s, scope("9", "ADMIN"), "1", 3), fault.Stale, "stale", "")
		wantFault(t, name+", nobody", c.do(s, scope("9", "ADMIN"), "7", 0), fault.NotFound, "notFound", "")
	}
	for name, do := range map[string]act{"lock": lock, "delete": remove} {
		s, m := newService(testAccount("9", "ADMIN"))
		s.Deleter = &fakeDeleter{}
		wantFault(t, name+" oneself", do(s, scope("9", "ADMIN"), "9", 0), fault.Conflict, "self", "")
		if len(m.writes) > 0 {
			t.Errorf("%s: written", name)
		}
	}
}

// An API client has no password and no second factor: an account becomes one only while it has neither (V91), and
// asking for them fails.
func TestAPIClientsHaveNoPasswordNorSecondFactor(t *testing.T) {
	a := unusedAccount("1")
	a.MFARequired, a.ForcePasswordChange = true, true
	s, m := newService(a)
	got, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 4, field.Patch{"userType": "API"})
	if err != nil || got.MFARequired || got.MFAEnabled || got.ForcePasswordChange || got.Epoch != 8 {
		t.Errorf("%+v %v", got, err)
	}
	if want := []string{"userType", "mfaRequired", "forcePasswordChange"}; !slices.Equal(changedFields(m.writes[0].Event),
		want) {
		t.Errorf("the event tells of %v", changedFields(m.writes[0].Event))
	}
	for _, name := range []string{"mfaRequired", "forcePasswordChange"} {
		_, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 5, field.Patch{name: true})
		wantFault(t, name, err, fault.Invalid, "apiOnly", name)
		_, err = s.Create(context.Background(), scope("9", "ADMIN"), patchWith(field.Patch{"userType": "API", name: true}))
		wantFault(t, name+", new", err, fault.Invalid, "apiOnly", name)
	}
	sc := scope("9", "ADMIN")
	sc.Env.Settings.MFARequired = true
	if made, err := s.Create(context.Background(), sc,
		patchWith(field.Patch{"userType": "API", "email": nil})); err != nil || made.MFARequired {
		t.Errorf("the environment's default: %+v %v", made, err)
	}
	// An account from before this rule keeps what it has, so that its export can be imported unchanged.
	old := testAccount("2")
	old.UserType, old.MFARequired = "API", true
	s, m = newService(old)
	if _, err := s.Change(context.Background(), scope("9", "ADMIN"), "2", 4,
		field.Patch{"userType": "API", "mfaRequired": true}); err != nil || len(m.writes) > 0 {
		t.Errorf("%v %+v", err, m.writes)
	}
}

// Which writes take or free a seat.
func TestSeatChanges(t *testing.T) {
	team, locked := testAccount("1"), testAccount("1")
	team.UserType, locked.Active = "ＴＥＡＭ", false
	full := testAccount("1")
	for name, c := range map[string]struct {
		before *account.Account
		after  account.Account
		want   []account.SeatChange
	}{
		"new": {nil, full,
			[]account.SeatChange{{Licence: "full", DisplayCode: "FULL", Delta: 1, Limit: 9}}},
		"new and locked": {nil, locked, nil},
		"as it was":      {&full, full, nil},
		"lock":           {&full, locked, []account.SeatChange{{Licence: "full", DisplayCode: "FULL", Delta: -1}}},
		"unlock": {&locked, full,
			[]account.SeatChange{{Licence: "full", DisplayCode: "FULL", Delta: 1, Limit: 9}}},
		"another licence": {&full, team,
			[]account.SeatChange{{Licence: "full", DisplayCode: "FULL", Delta: -1},
				{Licence: "team", DisplayCode: "ＴＥＡＭ", Delta: 1, Limit: 9}}},
		"a locked one's licence": {&locked, locked, nil},
	} {
		if got := (account.Write{Before: c.before, After: c.after, SeatLimit: 9}).SeatChanges(); !reflect.DeepEqual(got,
			c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := (account.Deletion{Before: full}).SeatChanges(); len(got) != 1 || got[0].Delta != -1 {
		t.Errorf("delete: %+v", got)
	}
	if got := (account.Deletion{Before: locked}).SeatChanges(); len(got) != 0 {
		t.Errorf("delete a locked one: %+v", got)
	}
	for _, c := range []struct {
		by    int64
		limit int
		used  int64
		want  bool
	}{{1, 0, 99, true}, {1, 5, 4, true}, {1, 5, 5, false}, {3, 5, 3, false}, {-1, 5, 9, true}, {6, 5, 0, false}} {
		if got := (account.SeatChange{Delta: c.by, Limit: c.limit}).Fits(c.used); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// Every write that can take a seat has the limit.
func TestWritesSayHowManySeatsThereAre(t *testing.T) {
	limited := scope("9", "ADMIN")
	limited.Catalogue = catalogue.New(
		append(limited.Catalogue.All(catalogue.Role),
			entry(catalogue.Licence, "FULL", func(e *catalogue.Entry) { e.Seats = 7 }),
			entry(catalogue.Licence, "TEAM", func(e *catalogue.Entry) { e.Seats = 8 })))
	locked := testAccount("1")
	locked.Active = false
	s, m := newService(locked, testAccount("2"))
	if _, err := s.Create(context.Background(), limited, validPatch()); err != nil || m.writes[0].SeatLimit != 7 {
		t.Errorf("create: %v %+v", err, m.writes)
	}
	if _, err := s.Unlock(context.Background(), limited, "1", 0); err != nil || m.writes[1].SeatLimit != 7 {
		t.Errorf("unlock: %v %+v", err, m.writes)
	}
	if _, err := s.Change(context.Background(), limited, "2", 4, field.Patch{"userType": "team"}); err != nil ||
		m.writes[2].SeatLimit != 8 {
		t.Errorf("licence: %v %+v", err, m.writes)
	}
}

type fakeSeats map[string]int64

func (c fakeSeats) Seats(context.Context, string) (map[string]int64, error) {
	out := map[string]int64{}
	for k, v := range c {
		out[k] = v
	}
	return out, nil
}

func TestSeatsInUse(t *testing.T) {
	s, _ := newService()
	s.Seats = fakeSeats{"full": 3, "gone": 2, "left": 0}
	got, err := s.SeatsInUse(context.Background(), scope("9", "VIEWER"))
	want := []account.SeatUse{{Licence: "API"}, {Licence: "FULL", Used: 3}, {Licence: "gone", Used: 2}, {Licence: "OLD"},
		{Licence: "TEAM"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v %v", got, err)
	}
}
