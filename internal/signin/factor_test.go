package signin_test

import (
	"context"
	"encoding/base32"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

var seed = []byte("12345678901234567890")

func codeAt(t *testing.T, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(base32.StdEncoding.EncodeToString(seed), at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// withTOTP is a fake store in which doej has an authenticator and one recovery code.
func withTOTP(t *testing.T, set func(*account.Account)) *fakeStore {
	t.Helper()
	w := newFakeStore(doejWith(func(a *account.Account) {
		a.MFAEnabled = true
		if set != nil {
			set(a)
		}
	}))
	sealed, err := sealer{w}.Seal(t.Context(), seed, mfa.SealContext(envID, doej().ID))
	if err != nil {
		t.Fatal(err)
	}
	w.factors = mfa.Factors{Seed: sealed}
	w.codes["AB"] = "hash of ABCDEFGH0123"
	return w
}

func verifySecondFactor(w *fakeStore, ticket token.Token, method mfa.Method, code string) (signin.Result, error) {
	return w.services().VerifySecondFactor(context.Background(), ticket.Reveal(),
		signin.SecondFactorResponse{Method: method, Code: code}, signin.ClientInfo{})
}

// C12: a second factor that is set up is asked for though none is required, and the password alone opens nothing.
func TestASecondFactorIsAskedFor(t *testing.T) {
	w := withTOTP(t, nil)
	got := login(t, w)
	if got.Next != session.SecondFactor || !reflect.DeepEqual(got.Methods, []mfa.Method{mfa.TOTP, mfa.RecoveryCode}) ||
		len(w.sessions) > 0 {
		t.Fatalf("%+v", got)
	}
	s := w.services()
	if _, err := s.ChangePassword(t.Context(), got.Ticket.Reveal(), newPassword, signin.ClientInfo{}); !fault.HasCode(err,
		"ticket") {
		t.Errorf("its ticket changes the password: %v", err)
	}
	if _, err := s.BeginEnrolment(t.Context(), got.Ticket.Reveal(), ""); !fault.HasCode(err, "ticket") {
		t.Errorf("its ticket sets another factor up: %v", err)
	}
	done, err := verifySecondFactor(w, got.Ticket, mfa.TOTP, codeAt(t, noon))
	if err != nil || done.Next != session.Done || len(w.sessions) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := s.Authenticate(t.Context(), done.Access.Reveal()); err != nil {
		t.Error(err)
	}
}

// C16: who is renamed after setting up is asked for it all the same, under the new name.
func TestARenamedAccountKeepsItsSecondFactor(t *testing.T) {
	w := withTOTP(t, func(a *account.Account) { a.Username = "renamed" })
	got, err := w.services().Login(t.Context(), "renamed", secret, signin.ClientInfo{})
	if err != nil || got.Next != session.SecondFactor {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := verifySecondFactor(w, got.Ticket, mfa.TOTP, codeAt(t, noon)); err != nil {
		t.Error(err)
	}
}

// C11, V28: one code opens one session, however it is spaced and whoever sends it at the same moment, each with a
// ticket of their own.
func TestACodeIsGoodOnce(t *testing.T) {
	w := withTOTP(t, nil)
	code := codeAt(t, noon)
	spaced := []string{code, " " + code, code[:3] + " " + code[3:], code + "\n", "\t" + code}
	tickets := make([]token.Token, 50)
	for i := range tickets {
		tickets[i] = login(t, w).Ticket
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	opened := 0
	services := w.services()
	for i, ticket := range tickets {
		all.Go(func() {
			got, err := services.VerifySecondFactor(context.Background(), ticket.Reveal(),
				signin.SecondFactorResponse{Method: mfa.TOTP, Code: spaced[i%5]}, signin.ClientInfo{})
			mu.Lock()
			defer mu.Unlock()
			if err == nil && got.Next == session.Done {
				opened++
			}
		})
	}
	all.Wait()
	if opened != 1 || len(w.sessions) != 1 {
		t.Errorf("%d opened, %d sessions", opened, len(w.sessions))
	}
	w.now = noon.Add(time.Hour)
	for _, foreign := range []string{
		"１２３４５６", "١٢٣٤٥٦", "12345", "1234567", "12345a", "", "+12345", "1 2 3 4 5",
		"123456\x00",
	} {
		tried := w.tried
		if _, err := verifySecondFactor(w, login(t, w).Ticket, mfa.TOTP, foreign); !fault.Is(err, fault.Invalid) ||
			w.tried != tried {
			t.Errorf("%q: %v", foreign, err)
		}
	}
}

type lockedReader struct {
	mu   *sync.Mutex
	from interface{ Read([]byte) (int, error) }
}

func (r lockedReader) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.from.Read(b)
}

// C05, V15: five wrong codes pause the second factor for 15 minutes, right ones included; a new password step does not
// zero the count, and each wrong code is in the log.
func TestWrongCodesPause(t *testing.T) {
	w := withTOTP(t, nil)
	for i := range 5 {
		_, err := verifySecondFactor(w, login(t, w).Ticket, []mfa.Method{mfa.TOTP, mfa.RecoveryCode}[i%2],
			[]string{"000000", "ZZZZ-ZZZZ-ZZZZ"}[i%2])
		if want := map[bool]string{true: "factorPaused", false: "code"}[i == 4]; !fault.HasCode(err, want) {
			t.Errorf("code %d: %v", i+1, err)
		}
	}
	ticket := login(t, w).Ticket
	for _, method := range []mfa.Method{mfa.TOTP, mfa.RecoveryCode} {
		_, err := verifySecondFactor(w, ticket, method,
			map[mfa.Method]string{mfa.TOTP: codeAt(t, noon), mfa.RecoveryCode: "ABCD-EFGH-0123"}[method])
		if f := fault.As(err); f == nil || f.Code != "factorPaused" || f.Kind != fault.TooManyRequests ||
			f.RetryAfter != 15*time.Minute {
			t.Errorf("%s: %v", method, err)
		}
	}
	if w.tried != 5 || len(w.sessions) > 0 {
		t.Errorf("%d codes were tried", w.tried)
	}
	if len(w.events) != 5 || w.events[0].Kind != auditlog.SecondFactorFailed || w.events[0].By != "DoeJ" {
		t.Errorf("%+v", w.events)
	}
	w.now = noon.Add(15 * time.Minute)
	if _, err := verifySecondFactor(w, login(t, w).Ticket, mfa.TOTP, codeAt(t, w.now)); err != nil {
		t.Errorf("after the pause: %v", err)
	}
	if w.factors.Tries != 0 || w.factors.Streak != 0 {
		t.Errorf("%+v", w.factors)
	}
}

// NIST SP 800-63B-4, 3.2.2: pauses are no cap, so a hundred wrong codes in a row end the second factor.
func TestAHundredWrongCodesEndIt(t *testing.T) {
	w := withTOTP(t, nil)
	for range mfa.StreakLimit {
		_, _ = verifySecondFactor(w, login(t, w).Ticket, mfa.TOTP, "000000")
		w.now = w.now.Add(4 * time.Minute)
		w.change("doej", func(a *account.Account) { a.DateTo = "" })
		for !w.factors.PausedUntil(w.now).IsZero() {
			w.now = w.now.Add(time.Minute)
		}
	}
	if _, err := verifySecondFactor(w, login(t, w).Ticket, mfa.TOTP, codeAt(t, w.now)); !fault.HasCode(err,
		"factorEnded") || len(w.sessions) > 0 {
		t.Errorf("after %d: %v", w.tried, err)
	}
}

// V32: a recovery code is good once, costs one hash whether or not there is one, and is in the log.
func TestARecoveryCodeIsGoodOnce(t *testing.T) {
	w := withTOTP(t, nil)
	ticket := login(t, w).Ticket
	before := w.work
	if _, err := verifySecondFactor(w, ticket, mfa.RecoveryCode, "ZZCD-EFGH-0123"); !fault.HasCode(err, "code") ||
		w.work != before+1 {
		t.Errorf("an unknown one: %v, %d hashes", err, w.work-before)
	}
	if got, err := verifySecondFactor(w, ticket, mfa.RecoveryCode, "abcd efgh 0123"); err != nil ||
		got.Next != session.Done || w.work != before+2 {
		t.Fatalf("%v, %d hashes", err, w.work-before)
	}
	if e := w.events[len(w.events)-1]; e.Kind != auditlog.RecoveryCodeUsed || e.ByID != doej().ID ||
		strings.Contains(e.Note, "ABCD") {
		t.Errorf("%+v", e)
	}
	if _, err := verifySecondFactor(w, login(t, w).Ticket, mfa.RecoveryCode, "ABCD-EFGH-0123"); !fault.HasCode(err,
		"code") || len(w.codes) != 0 {
		t.Errorf("used again: %v", err)
	}
	if _, err := verifySecondFactor(w, login(t, w).Ticket, "sms", "123456"); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown method: %v", err)
	}
}

// C07, V34, C31: the ticket of the second step is good once, for five minutes, and while nothing ended the account's
// access.
func TestTheTicketOfTheSecondStep(t *testing.T) {
	for name, spoil := range map[string]func(*fakeStore, token.Token){
		"over": func(w *fakeStore, _ token.Token) { w.now = w.now.Add(session.TicketLife) },
		"blocked": func(w *fakeStore, _ token.Token) {
			w.change("doej", func(a *account.Account) { a.AccessLocked = true })
		},
		"epoch": func(w *fakeStore, _ token.Token) { w.change("doej", func(a *account.Account) { a.Epoch++ }) },
		"by tries": func(w *fakeStore, _ token.Token) {
			w.change("doej", func(a *account.Account) { a.TriesBlockedAt = noon })
		},
		"out of dates": func(w *fakeStore,
			_ token.Token,
		) {
			w.change("doej", func(a *account.Account) { a.DateTo = yesterday })
		},
		"no password": func(w *fakeStore,
			_ token.Token,
		) {
			w.change("doej", func(a *account.Account) { a.PasswordHash = "" })
		},
		"used just before": func(w *fakeStore, tk token.Token) {
			w.beforeWrite = func() { delete(w.tickets, tk.ID.String()) }
		},
		"epoch just before": func(w *fakeStore, _ token.Token) {
			w.beforeWrite = func() { w.change("doej", func(a *account.Account) { a.Epoch++ }) }
		},
	} {
		w := withTOTP(t, nil)
		ticket := login(t, w).Ticket
		spoil(w, ticket)
		if got, err := verifySecondFactor(w, ticket, mfa.TOTP, codeAt(t, w.now)); !fault.HasCode(err, "ticket") ||
			!reflect.DeepEqual(got, signin.Result{}) || len(w.sessions) > 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// V84: whatever fails in the second step, nobody is let in.
func TestTheSecondStepFailsClosed(t *testing.T) {
	down := errors.New("down")
	for _, method := range []string{
		"Ticket", "ReserveCodeAttempt", "OpenSeal", "CompleteStep", "RecoveryCodes", "LogEvent",
	} {
		w := withTOTP(t, nil)
		ticket := login(t, w).Ticket
		w.fail[method] = down
		kind, code := mfa.TOTP, codeAt(t, noon)
		switch method {
		case "RecoveryCodes":
			kind, code = mfa.RecoveryCode, "ABCD-EFGH-0123"
		case "LogEvent":
			code = "000000"
		}
		if _, err := verifySecondFactor(w, ticket, kind, code); !errors.Is(err, down) || len(w.sessions) > 0 {
			t.Errorf("%s: %v", method, err)
		}
	}
	w := withTOTP(t, nil)
	w.fail["LoadFactors"] = down
	if _, err := w.services().Login(t.Context(), "doej", secret, signin.ClientInfo{}); !errors.Is(err, down) ||
		len(w.tickets)+len(w.sessions) > 0 {
		t.Errorf("Recall: %v", err)
	}
	w = withTOTP(t, nil)
	w.factors.Seed = append([]byte("another account's"), w.factors.Seed...) // V30
	if _, err := verifySecondFactor(w, login(t, w).Ticket, mfa.TOTP, codeAt(t, noon)); err == nil ||
		fault.As(err) != nil || len(w.sessions) > 0 {
		t.Errorf("a seed that does not open: %v", err)
	}
}

// V31: where one is required and none is there, setting one up comes before anything else; only a good code of the new
// seed ends it, and a forced change comes after.
func TestSettingUpAtSignIn(t *testing.T) {
	w := newFakeStore(doejWith(func(a *account.Account) { a.MFARequired, a.ForcePasswordChange = true, true }))
	got := login(t, w)
	if got.Next != session.SetUpSecondFactor {
		t.Fatalf("%+v", got)
	}
	s := w.services()
	if _, err := s.ConfirmEnrolment(t.Context(), got.Ticket.Reveal(), signin.EnrolmentResponse{Code: "123456"},
		signin.ClientInfo{}); !fault.HasCode(err, "noSetUp") {
		t.Errorf("nothing was begun: %v", err)
	}
	shown, err := s.BeginEnrolment(t.Context(), got.Ticket.Reveal(), "")
	if err != nil || !strings.HasPrefix(shown.URI, "otpauth://totp/") || len(shown.Secret) != 32 {
		t.Fatalf("%+v, %v", shown, err)
	}
	if _, err := s.ConfirmEnrolment(t.Context(), got.Ticket.Reveal(), signin.EnrolmentResponse{Code: "000000"},
		signin.ClientInfo{}); !fault.Is(err, fault.Invalid) || w.accounts["doej"].MFAEnabled {
		t.Errorf("a wrong code: %v", err)
	}
	code, err := totp.GenerateCode(shown.Secret, noon)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.ConfirmEnrolment(t.Context(), got.Ticket.Reveal(), signin.EnrolmentResponse{Code: code},
		signin.ClientInfo{})
	if err != nil || done.Next != session.ChangePassword || len(done.RecoveryCodes) != mfa.RecoveryCodeCount {
		t.Fatalf("%+v, %v", done, err)
	}
	if a := w.accounts["doej"]; !a.MFAEnabled || a.Version != 4 || !a.MFARequired {
		t.Errorf("%+v", a)
	}
	in, err := s.ChangePassword(t.Context(), done.Ticket.Reveal(), newPassword, signin.ClientInfo{})
	if err != nil || in.Next != session.Done {
		t.Fatalf("%+v, %v", in, err)
	}
	// The code that confirmed is used up; a recovery code works.
	again, err := s.Login(t.Context(), "doej", newPassword, signin.ClientInfo{})
	if err != nil || again.Next != session.SecondFactor {
		t.Fatalf("%+v, %v", again, err)
	}
	if _, err := verifySecondFactor(w, again.Ticket, mfa.TOTP, code); !fault.HasCode(err, "code") {
		t.Errorf("the code of the set-up again: %v", err)
	}
	if _, err := verifySecondFactor(w, again.Ticket, mfa.RecoveryCode, done.RecoveryCodes[3]); err != nil {
		t.Error(err)
	}
}

// withDeviceAfterSignIn is a fake store in which doej's device is trusted, and its token.
func withDeviceAfterSignIn(t *testing.T) (*fakeStore, token.Token) {
	t.Helper()
	w := withTOTP(t, func(a *account.Account) { a.DateTo = "" })
	got, err := w.services().VerifySecondFactor(t.Context(), login(t, w).Ticket.Reveal(),
		signin.SecondFactorResponse{Method: mfa.TOTP, Code: codeAt(t, noon), Remember: true},
		signin.ClientInfo{UserAgent: "Firefox"})
	if err != nil || got.DeviceToken == (token.Token{}) || len(w.devices) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	return w, got.DeviceToken
}

func loginFrom(t *testing.T, w *fakeStore, device string) signin.Result {
	t.Helper()
	got, err := w.services().Login(t.Context(), "doej", secret, signin.ClientInfo{DeviceToken: device})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// V36: a trusted device needs no second factor, its secret is replaced at each use, and one that was replaced
// forgets it.
func TestARememberedDevice(t *testing.T) {
	w, device := withDeviceAfterSignIn(t)
	for id, d := range w.devices {
		if d.Name != "curl" || !d.Expires.Equal(noon.AddDate(0, 0, 30)) || strings.Contains(string(d.Hash), device.Reveal()) {
			t.Errorf("%s: %+v", id, d)
		}
	}
	w.now = noon.AddDate(0, 0, 3)
	first := loginFrom(t, w, device.Reveal())
	if first.Next != session.Done || first.DeviceToken == (token.Token{}) || first.DeviceToken == device {
		t.Fatalf("%+v", first)
	}
	// A second sign-in at the same moment is let in by the secret before, and gets none.
	if got := loginFrom(t, w, device.Reveal()); got.Next != session.Done || got.DeviceToken != (token.Token{}) {
		t.Errorf("%+v", got)
	}
	w.now = w.now.Add(2 * time.Minute)
	if got := loginFrom(t, w, device.Reveal()); got.Next != session.SecondFactor || len(w.devices) != 0 {
		t.Errorf("a secret that was replaced: %+v, %d devices", got, len(w.devices))
	}
	if got := loginFrom(t, w, first.DeviceToken.Reveal()); got.Next != session.SecondFactor {
		t.Errorf("its successor: %+v", got)
	}
	if _, err := w.services().Login(t.Context(), "doej", "wrong",
		signin.ClientInfo{DeviceToken: first.DeviceToken.Reveal()}); !fault.HasCode(err, "signInRefused") {
		t.Errorf("it replaces the password: %v", err)
	}
}

// V36, V40: what a device's token opens no longer.
func TestWhatEndsARememberedDevice(t *testing.T) {
	for name, end := range map[string]func(*fakeStore, *token.Token){
		"expired":     func(w *fakeStore, _ *token.Token) { w.now = noon.AddDate(0, 0, 30) },
		"all deleted": func(w *fakeStore, _ *token.Token) { w.change("doej", func(a *account.Account) { a.DeviceEpoch++ }) },
		"deleted":     func(w *fakeStore, _ *token.Token) { clear(w.devices) },
		"turned off":  func(w *fakeStore, _ *token.Token) { w.env.Settings.TrustedDeviceDays = 0 },
		"another secret": func(w *fakeStore, d *token.Token) {
			other, _ := token.Issue(w.random, token.TrustedDevice, d.Account, d.ID)
			*d = other
		},
		"another account's": func(_ *fakeStore, d *token.Token) { d.Account[15]++ },
		"another kind":      func(_ *fakeStore, d *token.Token) { d.Kind = token.Access },
	} {
		w, device := withDeviceAfterSignIn(t)
		end(w, &device)
		if got := loginFrom(t, w, device.Reveal()); got.Next != session.SecondFactor || got.DeviceToken != (token.Token{}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	w, device := withDeviceAfterSignIn(t)
	w.env.Settings.TrustedDeviceDays = 0
	w.now = noon.Add(time.Minute)
	got, err := w.services().VerifySecondFactor(t.Context(), login(t, w).Ticket.Reveal(),
		signin.SecondFactorResponse{Method: mfa.TOTP, Code: codeAt(t, w.now), Remember: true}, signin.ClientInfo{})
	if err != nil || got.DeviceToken != (token.Token{}) || len(w.devices) != 1 {
		t.Errorf("remembered though it is turned off: %v", err)
	}
	w.env.Settings.TrustedDeviceDays = 30
	if known, err := w.services().IsTrustedDevice(t.Context(), w.accounts["doej"], device.Reveal()); err != nil || !known {
		t.Errorf("%v, %v", known, err)
	}
	for _, text := range []string{"", "uad_x", device.Reveal()[:60]} {
		if known, err := w.services().IsTrustedDevice(t.Context(), w.accounts["doej"], text); err != nil || known {
			t.Errorf("%q is known: %v", text, err)
		}
	}
	if _, err := w.services().Authenticate(t.Context(), device.Reveal()); !fault.HasCode(err, "session") {
		t.Errorf("it opens the API: %v", err)
	}
}
