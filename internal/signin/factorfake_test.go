package signin_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/journal"
	"useraccounts/internal/mfa"
)

// second is what the world stores of doej's second factor.
type second struct {
	factors mfa.Factors
	pending mfa.Pending
	codes   map[string]string
	devices map[string]mfa.Device
	events  []journal.Event
	tried   int // codes that were counted
}

func (w *world) setUp() *mfa.SetUp {
	return &mfa.SetUp{
		Store: w, Seal: sealer{w}, Hasher: policy{w}, Random: w.random, Now: func() time.Time { return w.now },
		NewID: func() string { return ulid.MustNew(ulid.Timestamp(w.now), w.random).String() },
	}
}

// sealer seals by naming what the text is bound to, which is enough to see that it is.
type sealer struct{ *world }

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

func (w *world) Recall(_ context.Context, _, device string) (mfa.Factors, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := w.factors
	if device != "" {
		found.Device = w.devices[device]
	}
	return found, w.fail["Recall"]
}

func (w *world) Rotate(_ context.Context, _ string, was, now mfa.Device) (bool, error) {
	if w.between != nil {
		w.between()
	}
	if !bytes.Equal(w.devices[was.ID].Hash, was.Hash) {
		return false, w.fail["Rotate"]
	}
	if now.ID == "" {
		delete(w.devices, was.ID)
	} else {
		w.devices[was.ID] = now
	}
	return true, w.fail["Rotate"]
}

func (w *world) Try(_ context.Context, _ string, now time.Time) (mfa.Factors, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := &w.factors
	if f.Tries >= mfa.TryLimit && f.PausedUntil(now).IsZero() {
		f.Tries = 0
	}
	if f.Tries >= mfa.TryLimit || f.Streak >= mfa.StreakLimit {
		return *f, false, w.fail["Try"]
	}
	w.tried++
	f.Tries, f.Streak, f.TriedAt = f.Tries+1, f.Streak+1, now
	return *f, true, w.fail["Try"]
}

func (w *world) Codes(context.Context, string) (map[string]string, error) {
	return maps.Clone(w.codes), w.fail["Codes"]
}

func (w *world) Note(_ context.Context, _ string, e journal.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
	return w.fail["Note"]
}

func (w *world) Begin(_ context.Context, _, _ string, p mfa.Pending) error {
	w.pending = p
	return w.fail["Begin"]
}

func (w *world) TryPending(_ context.Context, _ string, now time.Time) (mfa.Pending, bool, error) {
	if w.pending.ID == "" || !now.Before(w.pending.Expires) || w.pending.Tries >= mfa.TryLimit {
		return mfa.Pending{}, false, w.fail["TryPending"]
	}
	w.pending.Tries++
	return w.pending, true, w.fail["TryPending"]
}

// useFactors does a change on its conditions, and reports whether they held.
func (w *world) useFactors(c mfa.Change) bool {
	switch {
	case c.Confirmed != nil:
		if w.pending.ID != c.Confirmed.ID {
			return false
		}
		w.factors, w.pending = mfa.Factors{Seed: c.Confirmed.Seed, Counter: c.Counter, Since: c.Since}, mfa.Pending{}
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
	if c.Remember != nil {
		w.devices[c.Remember.ID] = *c.Remember
	}
	if c.Event != nil {
		w.events = append(w.events, *c.Event)
	}
	return true
}
