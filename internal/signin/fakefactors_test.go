package signin_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/mfa"
)

// fakeFactors is what the fake store has of doej's second factor.
type fakeFactors struct {
	factors mfa.Factors
	pending mfa.PendingTOTP
	codes   map[string]string
	devices map[string]mfa.TrustedDevice
	events  []auditlog.Event
	tried   int // codes that were counted
}

func (w *fakeStore) enroller() *mfa.Enroller {
	return &mfa.Enroller{
		Store: w, Sealer: sealer{w}, Hasher: policy{w}, Random: w.random, Now: func() time.Time { return w.now },
		NewID: func() string { return ulid.MustNew(ulid.Timestamp(w.now), w.random).String() },
	}
}

// sealer seals by naming what the text is bound to, which is enough to see that it is.
type sealer struct{ *fakeStore }

func (w sealer) Seal(_ context.Context, plain, bound []byte) ([]byte, error) {
	return append(append([]byte{}, bound...), plain...), w.fail["Seal"]
}

func (w sealer) Open(_ context.Context, sealed, bound []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, bound)
	if !ok {
		return nil, errors.New("sealed for something else")
	}
	return plain, w.fail["OpenSeal"]
}

func (w *fakeStore) LoadFactors(_ context.Context, _, device string) (mfa.Factors, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := w.factors
	if device != "" {
		found.Device = w.devices[device]
	}
	return found, w.fail["LoadFactors"]
}

func (w *fakeStore) RotateDevice(_ context.Context, _ string, was, now mfa.TrustedDevice) (bool, error) {
	if w.beforeWrite != nil {
		w.beforeWrite()
	}
	if !bytes.Equal(w.devices[was.ID].Hash, was.Hash) {
		return false, w.fail["RotateDevice"]
	}
	if now.ID == "" {
		delete(w.devices, was.ID)
	} else {
		w.devices[was.ID] = now
	}
	return true, w.fail["RotateDevice"]
}

func (w *fakeStore) ReserveCodeAttempt(_ context.Context, _ string, now time.Time) (mfa.Factors, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := &w.factors
	if f.Tries >= mfa.TryLimit && f.PausedUntil(now).IsZero() {
		f.Tries = 0
	}
	if f.Tries >= mfa.TryLimit || f.Streak >= mfa.StreakLimit {
		return *f, false, w.fail["ReserveCodeAttempt"]
	}
	w.tried++
	f.Tries, f.Streak, f.TriedAt = f.Tries+1, f.Streak+1, now
	return *f, true, w.fail["ReserveCodeAttempt"]
}

func (w *fakeStore) RecoveryCodes(context.Context, string) (map[string]string, error) {
	return maps.Clone(w.codes), w.fail["RecoveryCodes"]
}

func (w *fakeStore) LogEvent(_ context.Context, _ string, e auditlog.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
	return w.fail["LogEvent"]
}

func (w *fakeStore) SavePendingTOTP(_ context.Context, _, _ string, p mfa.PendingTOTP) error {
	w.pending = p
	return w.fail["SavePendingTOTP"]
}

func (w *fakeStore) ReserveEnrolmentAttempt(_ context.Context, _ string, now time.Time) (mfa.PendingTOTP, bool, error) {
	if w.pending.ID == "" || !now.Before(w.pending.Expires) || w.pending.Tries >= mfa.TryLimit {
		return mfa.PendingTOTP{}, false, w.fail["ReserveEnrolmentAttempt"]
	}
	w.pending.Tries++
	return w.pending, true, w.fail["ReserveEnrolmentAttempt"]
}

// useFactors does a change on its conditions, and reports whether they held.
func (w *fakeStore) useFactors(c mfa.Change) bool {
	switch {
	case c.ConfirmedTOTP != nil:
		if w.pending.ID != c.ConfirmedTOTP.ID {
			return false
		}
		w.factors, w.pending = mfa.Factors{Seed: c.ConfirmedTOTP.Seed, Counter: c.Counter, Since: c.Since}, mfa.PendingTOTP{}
	case c.Counter != 0:
		if c.Counter <= w.factors.Counter {
			return false
		}
		w.factors.Counter, w.factors.Tries, w.factors.Streak = c.Counter, 0, 0
	case c.UsedCode != "":
		if w.codes[c.UsedCode] == "" {
			return false
		}
		delete(w.codes, c.UsedCode)
		w.factors.Tries, w.factors.Streak = 0, 0
	}
	if c.Codes != nil {
		w.codes = c.Codes
	}
	if c.NewDevice != nil {
		w.devices[c.NewDevice.ID] = *c.NewDevice
	}
	if c.Event != nil {
		w.events = append(w.events, *c.Event)
	}
	return true
}
