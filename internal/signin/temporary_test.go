package signin_test

import (
	"context"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// withTemporaryPassword is a fake store in which doej has a temporary password that is good for a day.
func withTemporaryPassword(set func(*account.Account)) *fakeStore {
	return newFakeStore(doejWith(func(a *account.Account) {
		a.DateTo, a.ForcePasswordChange, a.PasswordExpires = "", true, noon.AddDate(0, 0, 1)
		if set != nil {
			set(a)
		}
	}))
}

func (w *fakeStore) login(password string) (signin.Result, error) {
	return w.services().Login(context.Background(), "doej", password, signin.ClientInfo{})
}

// V09: a temporary password leads to the change of it and nowhere else, also where an administrator unticked the forced
// change since; what it was used for ends it.
func TestATemporaryPasswordIsForItsChange(t *testing.T) {
	for name, set := range map[string]func(*account.Account){
		"forced": nil, "unticked since": func(a *account.Account) { a.ForcePasswordChange = false },
	} {
		w := withTemporaryPassword(set)
		got, err := w.login(secret)
		if err != nil || got.Next != session.ChangePassword || len(w.sessions) != 0 {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		if got, err = w.services().ChangePassword(t.Context(), got.Ticket.Reveal(), newPassword,
			signin.ClientInfo{}); err != nil || got.Next != session.Done {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		if _, err := w.login(secret); !fault.HasCode(err, "signInRefused") {
			t.Errorf("%s: it signs in after the change: %v", name, err)
		}
		w.now = noon.AddDate(0, 0, 2)
		if got, err := w.login(newPassword); err != nil || got.Next != session.Done {
			t.Errorf("%s: the person's own: %+v, %v", name, got, err)
		}
	}
}

// V09: the first time that it is right leaves a temporary password a quarter of an hour, in which whoever did not get
// to the change begins anew; no use in that time adds to it, and a wrong password does not begin it.
func TestATemporaryPasswordIsUsedOnce(t *testing.T) {
	w := withTemporaryPassword(nil)
	if _, err := w.login("wrong"); !fault.HasCode(err, "signInRefused") ||
		!w.accounts["doej"].PasswordExpires.Equal(noon.AddDate(0, 0, 1)) {
		t.Fatalf("%v, over at %s", err, w.accounts["doej"].PasswordExpires)
	}
	w.now = noon.Add(5 * time.Hour)
	end := w.now.Add(account.TemporaryPasswordGrace)
	first, err := w.login(secret)
	if err != nil || !w.accounts["doej"].PasswordExpires.Equal(end) {
		t.Fatalf("%v, over at %s, want %s", err, w.accounts["doej"].PasswordExpires, end)
	}
	w.now = end.Add(-time.Millisecond)
	again, err := w.login(secret)
	if err != nil || again.Next != session.ChangePassword || !w.accounts["doej"].PasswordExpires.Equal(end) {
		t.Errorf("%+v, %v, over at %s", again, err, w.accounts["doej"].PasswordExpires)
	}
	if _, err := w.services().ChangePassword(t.Context(), first.Ticket.Reveal(), newPassword,
		signin.ClientInfo{}); !fault.HasCode(err, "ticket") {
		t.Errorf("the first ticket, after ten minutes: %v", err)
	}
	w.now = end
	if _, err := w.login(secret); !fault.HasCode(err, "signInRefused") ||
		w.failures[len(w.failures)-1].Reason != "The temporary password has expired or was used." {
		t.Errorf("%v, %+v", err, w.failures[len(w.failures)-1])
	}
	// Whoever was let in just before may still end what they began.
	if got, err := w.services().ChangePassword(t.Context(), again.Ticket.Reveal(), newPassword,
		signin.ClientInfo{}); err != nil || got.Next != session.Done {
		t.Errorf("%+v, %v", got, err)
	}
}

// What is over sooner than that stays so.
func TestAUseDoesNotProlongATemporaryPassword(t *testing.T) {
	end := noon.Add(time.Minute)
	w := withTemporaryPassword(func(a *account.Account) { a.PasswordExpires = end })
	if _, err := w.login(secret); err != nil || !w.accounts["doej"].PasswordExpires.Equal(end) {
		t.Errorf("%v, over at %s", err, w.accounts["doej"].PasswordExpires)
	}
}

// Of two who hold one temporary password the first to set one of their own ends the other's sign-in.
func TestTheFirstToSetAPasswordEndsTheOthers(t *testing.T) {
	w := withTemporaryPassword(nil)
	one, _ := w.login(secret)
	other, err := w.login(secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.services().ChangePassword(t.Context(), one.Ticket.Reveal(), newPassword,
		signin.ClientInfo{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.services().ChangePassword(t.Context(), other.Ticket.Reveal(), newPassword+" too",
		signin.ClientInfo{}); !fault.HasCode(err, "ticket") {
		t.Errorf("%v", err)
	}
}

// V09: somebody who came in another way cannot prove themselves by a temporary password, which others know, but can
// replace it as long as it is not over.
func TestATemporaryPasswordProvesNothing(t *testing.T) {
	for _, c := range []struct {
		after         time.Duration
		proof, change string
	}{{0, "invalid", ""}, {24 * time.Hour, "invalid", "invalid"}} {
		o, sc, _ := signedIn(t, func(a *account.Account) { a.DateTo = "" })
		o.change("doej", func(a *account.Account) { a.PasswordExpires = noon.AddDate(0, 0, 1) })
		o.env.Settings.SessionIdle, o.env.Settings.SessionHard = o.env.Settings.SessionHard, o.env.Settings.SessionHard*4
		o.now = noon.Add(c.after)
		err := o.services().VerifyOwnPassword(t.Context(), sc, secret)
		if !fault.HasCode(err, c.proof) || fault.As(err).Fields[0].Code != "temporary" || len(o.reserved) > 2 {
			t.Errorf("after %s it proves: %v, reserved %q", c.after, err, o.reserved)
		}
		_, err = o.services().ChangeOwnPassword(t.Context(), sc, secret, newPassword, signin.ClientInfo{})
		if c.change == "" && err != nil || c.change != "" && !fault.HasCode(err, c.change) {
			t.Errorf("after %s it is changed: %v", c.after, err)
		}
	}
}
