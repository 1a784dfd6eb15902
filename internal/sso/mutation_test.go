package sso

import (
	"testing"
	"time"

	"useraccounts/internal/fault"
)

// C30: no truncated, extended or bit-flipped state or browser secret is accepted.
func TestNoAlteredCallbackIsAccepted(t *testing.T) {
	var changes []func(string) string
	for _, more := range []string{"A", "=", "\n", " ", "\x00"} {
		changes = append(changes, func(s string) string { return s + more }, func(s string) string { return more + s })
	}
	f := newFlow(t)
	for n := range len(f.begin(t, ToSignIn).State) {
		changes = append(changes, func(s string) string { return s[:n] })
		for bit := range 8 {
			changes = append(changes, func(s string) string {
				b := []byte(s)
				b[n] ^= 1 << bit
				return string(b)
			})
		}
	}
	for i, change := range changes {
		for name, part := range map[string]func(*Callback) *string{
			"state":   func(r *Callback) *string { return &r.State },
			"browser": func(r *Callback) *string { return &r.BrowserSecret },
		} {
			back := f.begin(t, ToSignIn) // each has its own, as a wrong browser ends an attempt
			text := *part(&back)
			*part(&back) = change(text)
			if got, err := f.Complete(t.Context(), testEnv, back, ToSignIn); !fault.HasCode(err, "attempt") ||
				got.Claims.Subject != "" {
				t.Errorf("%s, change %d: %q is taken for %q", name, i, *part(&back), text)
			}
			if name == "state" {
				*part(&back) = text
				if _, err := f.Complete(t.Context(), testEnv, back, ToSignIn); err != nil {
					t.Fatalf("the whole one: %v", err)
				}
			}
		}
	}
}

// V51: an authorization request is valid for ten minutes.
func TestAnAuthRequestLastsTenMinutes(t *testing.T) {
	for after, good := range map[time.Duration]bool{10*time.Minute - time.Second: true, 10 * time.Minute: false} {
		f := newFlow(t)
		back := f.begin(t, ToSignIn)
		f.now = f.now.Add(after)
		if _, err := f.Complete(t.Context(), testEnv, back, ToSignIn); (err == nil) != good {
			t.Errorf("after %s: %v", after, err)
		}
	}
}
