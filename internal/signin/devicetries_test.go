package signin_test

import (
	"context"
	"crypto/rand"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// withTrustedDevice is a fake store in which doej has a second factor and one trusted device, and the device's token.
func withTrustedDevice(t *testing.T, set func(*account.Account)) (*fakeStore, token.Token) {
	t.Helper()
	w := newFakeStore(doejWith(func(a *account.Account) {
		a.MFAEnabled, a.DateTo, a.DeviceEpoch = true, "", 2
		if set != nil {
			set(a)
		}
	}))
	owner := ulid.MustParseStrict(doej().ID)
	given, err := token.Issue(w.random, token.TrustedDevice, owner, ulid.MustNew(ulid.Timestamp(w.now), w.random))
	if err != nil {
		t.Fatal(err)
	}
	w.devices[given.ID.String()] = mfa.TrustedDevice{
		ID: given.ID.String(), Hash: given.Hash(),
		Expires: noon.AddDate(1, 0, 0), Epoch: 2,
	}
	return w, given
}

func (w *fakeStore) loginFrom(device, password string) (signin.Result, error) {
	return w.services().Login(context.Background(), "doej", password,
		signin.ClientInfo{DeviceToken: device, Address: "192.0.2.1"})
}

// Strangers' guesses lock nobody out of a trusted device, and a sign-in from there gives the strangers no new tries.
func TestStrangersCannotLockTheOwnerOutOfATrustedDevice(t *testing.T) {
	w, given := withTrustedDevice(t, nil)
	for range 200 {
		_, _ = w.loginFrom("", "wrong")
	}
	if w.verified != 5 || len(w.blocks) != 1 {
		t.Fatalf("%d verified, %d blocks", w.verified, len(w.blocks))
	}
	if _, err := w.loginFrom("", secret); !fault.HasCode(err, "signInRefused") {
		t.Errorf("from another device: %v", err)
	}
	got, err := w.loginFrom(given.Reveal(), secret)
	if err != nil || got.Next != session.Done {
		t.Fatalf("%+v %v", got, err)
	}
	if a := w.accounts["doej"]; a.FailedTries != 5 || a.TriesBlockedAt.IsZero() || !a.LastLogin.Equal(noon) {
		t.Errorf("%+v", a)
	}
	if _, err := w.loginFrom(got.DeviceToken.Reveal(), secret); err != nil {
		t.Errorf("by the new token: %v", err)
	}
}

// The password of a blocked account that has to be changed is changed from a trusted device too: its ticket stands for
// it.
func TestAForcedChangeFromATrustedDevice(t *testing.T) {
	w, given := withTrustedDevice(t,
		func(a *account.Account) { a.ForcePasswordChange, a.FailedTries, a.TriesBlockedAt = true, 5, noon })
	got, err := w.loginFrom(given.Reveal(), secret)
	if err != nil || got.Next != session.ChangePassword || len(w.tickets) != 1 ||
		w.accounts["doej"].TriesBlockedAt.IsZero() {
		t.Fatalf("%+v %v", got, err)
	}
	if got, err = w.services().ChangePassword(context.Background(), got.Ticket.Reveal(), newPassword,
		signin.ClientInfo{}); err != nil || got.Next != session.Done {
		t.Errorf("%+v %v", got, err)
	}
}

// C01: the tries of a device are limited themselves. After them it is forgotten, and counts as any other; its guesses
// block nobody before that.
func TestGuessesFromATrustedDeviceAreLimited(t *testing.T) {
	w, given := withTrustedDevice(t, nil)
	for n := range 5 {
		if _, err := w.loginFrom(given.Reveal(), "wrong"); !fault.HasCode(err, "signInRefused") {
			t.Fatal(err)
		}
		if len(w.devices) != 1 == (n < 4) {
			t.Errorf("after %d guesses there are %d devices", n+1, len(w.devices))
		}
	}
	if a := w.accounts["doej"]; a.FailedTries != 0 || len(w.blocks) != 0 || w.verified != 5 {
		t.Errorf("%+v, %d verified", a, w.verified)
	}
	if last := w.failures[4].Reason; !strings.Contains(last, "trusted device, which was removed") ||
		strings.Contains(w.failures[3].Reason, "trusted device, which was removed") {
		t.Errorf("%q", last)
	}
	for range 20 {
		_, _ = w.loginFrom(given.Reveal(), "wrong")
	}
	if w.verified != 10 || len(w.blocks) != 1 {
		t.Errorf("%d verified, %d blocks", w.verified, len(w.blocks))
	}
	if _, err := w.loginFrom(given.Reveal(), secret); !fault.HasCode(err, "signInRefused") {
		t.Errorf("the right password: %v", err)
	}
}

// A wrong guess from a trusted device blocks nobody, also where strangers' guesses that are under way fill the limit.
func TestAGuessFromATrustedDeviceDoesNotBlock(t *testing.T) {
	w, given := withTrustedDevice(t, func(a *account.Account) { a.FailedTries = 5 })
	if _, err := w.loginFrom(given.Reveal(), "wrong"); !fault.HasCode(err, "signInRefused") || len(w.blocks) != 0 {
		t.Errorf("%v, blocked %q", err, w.blocks)
	}
}

// The right password begins a device's tries anew.
func TestTheRightPasswordBeginsADevicesTriesAnew(t *testing.T) {
	w, given := withTrustedDevice(t, nil)
	text := given.Reveal()
	for range 4 {
		for range 4 {
			_, _ = w.loginFrom(text, "wrong")
		}
		got, err := w.loginFrom(text, secret)
		if err != nil {
			t.Fatal(err)
		}
		text = got.DeviceToken.Reveal()
	}
	if len(w.blocks) != 0 || w.accounts["doej"].FailedTries != 0 {
		t.Errorf("%+v", w.accounts["doej"])
	}
}

// A trusted device lets in nobody whom more than tries keeps out.
func TestATrustedDeviceIsNoWayPastAnythingElse(t *testing.T) {
	for name, set := range map[string]func(*account.Account){
		"blocked":      func(a *account.Account) { a.AccessLocked = true },
		"locked":       func(a *account.Account) { a.Active = false },
		"out of dates": func(a *account.Account) { a.DateTo = yesterday },
		"no password":  func(a *account.Account) { a.PasswordHash = "" },
		"over":         func(a *account.Account) { a.PasswordExpires = noon },
	} {
		w, given := withTrustedDevice(t, set)
		if got, err := w.loginFrom(given.Reveal(), secret); !fault.HasCode(err, "signInRefused") ||
			!reflect.DeepEqual(got, signin.Result{}) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

// C24: a token that is not of a trusted device of the account counts like none, with the same work and the same
// answer.
func TestATokenThatOpensNothingIsLikeNone(t *testing.T) {
	stranger, err := token.Issue(rand.Reader, token.TrustedDevice, ulid.MustParseStrict(doej().ID), token.NewID())
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*fakeStore, token.Token) string{
		"none":     func(*fakeStore, token.Token) string { return "" },
		"no token": func(*fakeStore, token.Token) string { return "uad_x" },
		"another secret": func(w *fakeStore, g token.Token) string {
			d := w.devices[g.ID.String()]
			d.Hash = d.Hash[1:]
			w.devices[g.ID.String()] = d
			return g.Reveal()
		},
		"unknown": func(*fakeStore, token.Token) string { return stranger.Reveal() },
		"expired": func(w *fakeStore, g token.Token) string {
			d := w.devices[g.ID.String()]
			d.Expires = noon
			w.devices[g.ID.String()] = d
			return g.Reveal()
		},
		"replaced": func(w *fakeStore, g token.Token) string {
			d := w.devices[g.ID.String()]
			d.PreviousHash, d.Hash, d.Rotated = d.Hash, nil, noon.Add(-time.Hour)
			w.devices[g.ID.String()] = d
			return g.Reveal()
		},
		"used up": func(w *fakeStore, g token.Token) string {
			d := w.devices[g.ID.String()]
			d.Tries = 5
			w.devices[g.ID.String()] = d
			return g.Reveal()
		},
		"not allowed": func(w *fakeStore, g token.Token) string { w.env.Settings.TrustedDeviceDays = 0; return g.Reveal() },
		"somebody else's": func(w *fakeStore, g token.Token) string {
			w.change("doej", func(a *account.Account) { a.ID = "01JZ0000000000000000000009" })
			return g.Reveal()
		},
	} {
		w, given := withTrustedDevice(t, nil)
		text := spoil(w, given)
		if _, err := w.loginFrom(text, "wrong"); !fault.HasCode(err, "signInRefused") ||
			!slices.Equal(w.reserved, []string{"doej"}) || w.work != 1 || len(w.failures) != 1 {
			t.Errorf("%s: %v, reserved %q, %d hashes", name, err, w.reserved, w.work)
		}
	}
	w, given := withTrustedDevice(t, nil)
	w.change("doej", func(a *account.Account) { a.DeviceEpoch++ }) // all devices were forgotten, which the account says
	if _, err := w.loginFrom(given.Reveal(), "wrong"); !fault.HasCode(err, "signInRefused") ||
		w.reserved[len(w.reserved)-1] != "doej" || w.accounts["doej"].FailedTries != 1 {
		t.Errorf("forgotten: %v, reserved %q", err, w.reserved)
	}
}

// A device that used up its last attempt, and which a crash kept from being forgotten, stands in place of no second
// factor.
func TestAUsedUpDeviceIsNotTrusted(t *testing.T) {
	w, given := withTrustedDevice(t, nil)
	d := w.devices[given.ID.String()]
	d.Tries = 5
	w.devices[d.ID] = d
	if got, err := w.loginFrom(given.Reveal(), secret); err != nil || got.Next != session.SecondFactor {
		t.Errorf("%+v %v", got, err)
	}
}

// V84: without the count, or the record, nothing is verified or let in.
func TestDeviceTriesFailClosed(t *testing.T) {
	for _, method := range []string{"Find", "ReserveDeviceAttempt", "LoadFactors", "RotateDevice", "Open"} {
		w, given := withTrustedDevice(t, nil)
		w.fail[method] = errors.New("down")
		got, err := w.loginFrom(given.Reveal(), secret)
		if !errors.Is(err, w.fail[method]) || len(w.sessions) > 0 && method != "Open" || method == "ReserveDeviceAttempt" &&
			w.work > 0 {
			t.Errorf("%s: %+v %v", method, got, err)
		}
	}
}
