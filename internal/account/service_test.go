package account_test

import (
	"context"
	"errors"
	"testing"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

func TestChangeWritesTheNextVersionWithItsEvent(t *testing.T) {
	s, m := newService(testAccount("1"))
	got, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 4,
		field.Patch{"name": "New", "mobile": "+4930123456"})
	if err != nil || got.Version != 5 || got.Name != "New" || !got.UpdatedAt.Equal(nowStored) {
		t.Fatalf("%+v %v", got, err)
	}
	w := m.writes[0]
	if w.Before.Version != 4 || w.Event.Kind != auditlog.Changed || w.Event.Version != 5 || w.Event.By != "u9" ||
		w.Event.ID != "id1" || !w.Event.At.Equal(nowStored) {
		t.Errorf("%+v", w)
	}
	if len(w.Event.Changes) != 3 || w.Event.Changes[0] != (field.Diff{Field: "name", From: "Somebody 1", To: "New"}) {
		t.Errorf("changes %+v", w.Event.Changes)
	}
}

func TestAPatchThatChangesNothingWritesNothing(t *testing.T) {
	s, m := newService(testAccount("1", "VIEWER"))
	for _, p := range []field.Patch{{}, {"name": " Somebody 1 "}, {"roles": []string{"viewer"}}, {"userType": "full"},
		{"mobile": ""}} {
		got, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 4, p)
		if err != nil || got.Version != 4 || len(m.writes) > 0 {
			t.Errorf("%v: %+v %v", p, got, err)
		}
	}
}

// V62: a stale version is refused with the fields that changed, by whom and when. Nothing is overwritten.
func TestAStaleVersionIsToldWhatChanged(t *testing.T) {
	s, m := newService(testAccount("1"))
	if _, err := s.Change(context.Background(), scope("8", "ADMIN"), "1", 4, field.Patch{"name": "Theirs"}); err != nil {
		t.Fatal(err)
	}
	for _, version := range []int64{4, 3, 6} {
		_, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", version, field.Patch{"name": "Mine"})
		f := fault.As(err)
		if f == nil || f.Kind != fault.Stale {
			t.Fatalf("version %d: %v", version, err)
		}
		if version == 6 {
			continue
		}
		if len(f.Fields) != 1 || f.Fields[0].Field != "name" || f.Fields[0].By != "u8" || f.Fields[0].At == nil ||
			!f.Fields[0].At.Equal(nowStored) {
			t.Errorf("version %d: %+v", version, f.Fields)
		}
	}
	if m.accounts["1"].Name != "Theirs" {
		t.Errorf("overwritten with %s", m.accounts["1"].Name)
	}
}

// V62: a concurrent change between the read and the write. With a version it is stale; without one there is a retry.
func TestAConcurrentChangeIsFoundByTheWrite(t *testing.T) {
	concurrentChange := func(m *fakeStore) {
		a := m.accounts["1"]
		a.Version++
		a.Mobile = "theirs"
		m.accounts["1"] = a
		m.beforeWrite = nil
	}
	s, m := newService(testAccount("1"))
	m.beforeWrite = concurrentChange
	_, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 4, field.Patch{"name": "Mine"})
	wantFault(t, "with a version", err, fault.Stale, "stale", "")

	s, m = newService(testAccount("1"))
	m.beforeWrite = concurrentChange
	got, err := s.Block(context.Background(), scope("9", "ADMIN"), "1", 0, "x")
	if err != nil || got.Mobile != "theirs" || !got.AccessLocked || got.Version != 6 {
		t.Errorf("without a version: %+v %v", got, err)
	}
}

func TestEndlessConcurrentChangesGiveUp(t *testing.T) {
	s, m := newService(testAccount("1"))
	reads := 0
	m.beforeWrite = func(m *fakeStore) {
		reads++
		a := m.accounts["1"]
		a.Version++
		m.accounts["1"] = a
	}
	_, err := s.Block(context.Background(), scope("9", "ADMIN"), "1", 0, "x")
	wantFault(t, "always faster", err, fault.Conflict, "busy", "")
	if reads != 5 || fault.As(err).RetryAfter == 0 {
		t.Errorf("%d tries, %+v", reads, err)
	}
}

// V58: another environment's account, or none, is simply not there.
func TestNobodyIsNotFound(t *testing.T) {
	s, _ := newService()
	_, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 1, field.Patch{"name": "x"})
	wantFault(t, "change", err, fault.NotFound, "notFound", "")
	_, err = s.Get(context.Background(), scope("9", "ADMIN"), "1")
	wantFault(t, "get", err, fault.NotFound, "notFound", "")
}

func TestWhatTheStoreSaysIsPassedOn(t *testing.T) {
	s, m := newService(testAccount("1"))
	m.beforeWrite = func(m *fakeStore) { m.fail = errors.New("down") }
	if _, err := s.Block(context.Background(), scope("9", "ADMIN"), "1", 0, "x"); !errors.Is(err, m.fail) {
		t.Errorf("%v", err)
	}
	if _, err := s.Change(context.Background(), scope("9", "ADMIN"), "1", 2, field.Patch{}); !errors.Is(err, m.fail) {
		t.Errorf("%v", err)
	}
}
