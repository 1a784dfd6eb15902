package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"useraccounts/internal/fault"
)

// A forgotten kind reveals nothing.
func TestTheZeroKindIsInternal(t *testing.T) {
	if (&fault.Error{}).Kind != fault.Internal {
		t.Error("the zero kind is not Internal")
	}
}

func TestNewFormatsOnlyWithArguments(t *testing.T) {
	for _, c := range []struct {
		got  *fault.Error
		want string
	}{
		{fault.New(fault.Conflict, "x", "100% of %s"), "100% of %s"},
		{fault.New(fault.Conflict, "x", "%d of %s", 3, "rows"), "3 of rows"},
	} {
		if c.got.Detail != c.want {
			t.Errorf("detail %q, want %q", c.got.Detail, c.want)
		}
	}
}

// It must be an untyped nil, so that err != nil is false without faults.
func TestInvalidFieldsOfNoneIsNil(t *testing.T) {
	for _, none := range [][]fault.Field{nil, {}} {
		if err := fault.InvalidFields(none); err != nil {
			t.Errorf("InvalidFields(%#v) = %v", none, err)
		}
	}
	err := fault.InvalidFields([]fault.Field{{Field: "a", Code: "b"}})
	if e := fault.As(err); e == nil || e.Kind != fault.Invalid || len(e.Fields) != 1 || e.Fields[0].Field != "a" {
		t.Errorf("InvalidFields of one = %+v", err)
	}
}

// The cause is for the log: Detail, which is sent, never holds it. The original fault stays as it was.
func TestBecauseKeepsTheCauseInside(t *testing.T) {
	plain := fault.New(fault.Unavailable, "busy", "Try again.")
	caused := plain.WithCause(io.ErrUnexpectedEOF)
	if caused.Detail != "Try again." || !errors.Is(caused, io.ErrUnexpectedEOF) {
		t.Errorf("caused = %+v", caused)
	}
	if got, want := caused.Error(), "busy: Try again.: unexpected EOF"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if plain.Unwrap() != nil || plain.Error() != "busy: Try again." {
		t.Errorf("Because changed its receiver: %+v", plain)
	}
}

func TestAfterAndWithFieldsCopy(t *testing.T) {
	plain := fault.New(fault.TooManyRequests, "slow", "Later.")
	later := plain.WithRetryAfter(time.Minute).WithFields(fault.Field{Field: "f"})
	if later.RetryAfter != time.Minute || len(later.Fields) != 1 || later.Code != "slow" {
		t.Errorf("later = %+v", later)
	}
	if plain.RetryAfter != 0 || plain.Fields != nil {
		t.Errorf("the receiver changed: %+v", plain)
	}
}

func TestAsIsAndHasCodeSeeThroughWrapping(t *testing.T) {
	f := fault.New(fault.NotFound, "gone", "It is gone.")
	for _, c := range []struct {
		name  string
		err   error
		found bool
	}{
		{"itself", f, true},
		{"wrapped", fmt.Errorf("read: %w", f), true},
		{"joined", errors.Join(io.EOF, f), true},
		{"another error", io.EOF, false},
		{"nil", nil, false},
	} {
		if got := fault.As(c.err) != nil; got != c.found {
			t.Errorf("%s: As found it: %v", c.name, got)
		}
		if got := fault.Is(c.err, fault.NotFound); got != c.found {
			t.Errorf("%s: Is = %v", c.name, got)
		}
		if got := fault.HasCode(c.err, "gone"); got != c.found {
			t.Errorf("%s: HasCode = %v", c.name, got)
		}
		if fault.Is(c.err, fault.Internal) || fault.HasCode(c.err, "other") {
			t.Errorf("%s: matches another kind or code", c.name)
		}
	}
}
