package environment_test

import (
	"testing"
	"time"

	"useraccounts/internal/environment"
)

// C06, V16: counting tries is on by default, and nothing stored can turn it off or stretch it over a hundred.
func TestTryLimitStaysWithinItsBounds(t *testing.T) {
	if got := environment.Defaults().TryLimit(); got != 5 {
		t.Errorf("the default is %d, want 5", got)
	}
	for stored, want := range map[int]int{-1: 5, 0: 5, 1: 1, 5: 5, 100: 100, 101: 100, 1 << 40: 100} {
		if got := (environment.Settings{FailedTryLimit: stored}).TryLimit(); got != want {
			t.Errorf("%d stored counts as %d, want %d", stored, got, want)
		}
	}
}

// V01, V39: the defaults of a new environment.
func TestDefaults(t *testing.T) {
	d := environment.Defaults()
	if d.PasswordMinLength != 12 || d.SessionIdle.Duration() != 30*time.Minute ||
		d.SessionHard.Duration() != 12*time.Hour {
		t.Errorf("%+v", d)
	}
}

// V74: what an import wrote is seen if its number was given out before the snapshot and is not pending in it.
func TestSnapshotSees(t *testing.T) {
	s := environment.Snapshot{Last: 7, Pending: []int64{3, 6}}
	for n, want := range map[int64]bool{0: true, 1: true, 2: true, 3: false, 4: true, 5: true, 6: false, 7: true,
		8: false, 1 << 60: false} {
		if got := s.Sees(n); got != want {
			t.Errorf("Sees(%d) = %v", n, got)
		}
	}
	var none environment.Snapshot
	if !none.Sees(0) || none.Sees(1) {
		t.Error("the zero snapshot sees what no import wrote, and nothing else")
	}
}
