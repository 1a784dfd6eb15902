package systemtest_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"useraccounts/internal/local/localtest"
)

var sixDigits = regexp.MustCompile(`(?m)^(\d{6})\s*$`)

// A code by mail, through the built functions and the mail service: where it is allowed it stands in for a second
// factor that is required; not beside one that is set up (V99), and not where it is not allowed.
func TestACodeByMail(t *testing.T) {
	t.Parallel()
	_, admin, mails := startWithMail(t)
	mails.Start()
	person := admin.createUser(t, "coded", userPassword, map[string]any{"mfaRequired": true})
	nobody := &client{url: admin.url}
	if got := admin.passwordStep(t, "coded", nil); got.text(t, "next") != "setUpSecondFactor" {
		t.Fatalf("before it is allowed: %s", got.Body)
	}
	settings := admin.do(t, "GET", "/api/settings", nil).expect(t, 200)
	admin.do(t, "PATCH", "/api/settings", map[string]any{"emailCodeAllowed": true}, ifMatch(settings)).expect(t, 200)
	first := admin.passwordStep(t, "coded", nil)
	if methods := fmt.Sprint(first.members(t)["methods"]); first.text(t, "next") != "secondFactor" ||
		methods != "[emailCode]" {
		t.Fatalf("%s", first.Body)
	}
	ticket := first.text(t, "ticket")
	give := func(ticket, code string) response {
		return nobody.do(t, "POST", "/api/login/second-factor",
			map[string]any{"ticket": ticket, "method": "emailCode", "code": code})
	}
	give(ticket, "123456").expectProblem(t, 401, "mailCode")
	give(ticket, "12345").expectProblem(t, 422, "invalid", "code")
	if got := nobody.do(t, "POST", "/api/login/second-factor/mail", map[string]any{"ticket": ticket}).expect(t,
		204); got.Body != "" {
		t.Errorf("%s", got.Body)
	}
	all := mails.Wait(person.text(t, "email"), 2) // the notice of the password that an administrator set, sooner or later
	last := all[max(0,
		slices.IndexFunc(all, func(m localtest.ReceivedMail) bool { return m.Subject == "Your sign-in code" }))]
	found := sixDigits.FindStringSubmatch(strings.ReplaceAll(last.Body.Text, "\r\n", "\n"))
	if found == nil || last.Subject != "Your sign-in code" {
		t.Fatalf("%s\n%s", last.Subject, last.Body.Text)
	}
	code := found[1]
	other := admin.passwordStep(t, "coded", nil).text(t, "ticket")
	give(other, code).expectProblem(t, 401, "mailCode")
	log := admin.do(t, "GET", "/api/communications?account="+person.text(t, "id"), nil).expect(t, 200)
	if strings.Contains(log.Body, code) {
		t.Errorf("the log has the code: %s", log.Body)
	}
	if got := give(ticket, code).expect(t, 200); got.text(t, "next") != "done" {
		t.Errorf("%s", got.Body)
	}
	give(ticket, code).expectProblem(t, 401, "ticket")
	for range 2 {
		nobody.do(t, "POST", "/api/login/second-factor/mail", map[string]any{"ticket": other}).expect(t, 204)
	}
	full := nobody.do(t, "POST", "/api/login/second-factor/mail", map[string]any{"ticket": other})
	full.expectProblem(t, 429, "tooManyCodes")
	if full.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	nobody.do(t, "POST", "/api/login/second-factor/mail", map[string]any{"ticket": "x"}).expectProblem(t, 401, "ticket")
	admin.createUserWithTOTP(t, "owner")
	if methods := fmt.Sprint(
		admin.passwordStep(t, "owner", nil).members(t)["methods"]); methods != "[totp recoveryCode]" {
		t.Errorf("beside an authenticator: %s", methods)
	}
}
