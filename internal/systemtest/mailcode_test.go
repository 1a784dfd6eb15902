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

// A code by mail, through the built functions and the mail service: where it is allowed it stands in for a second factor that is
// required, and beside one that is set up; not where it is not allowed.
func TestACodeByMail(t *testing.T) {
	_, admin, mails := startMailing(t)
	mails.Start()
	person := admin.person(t, "coded", bicycles, map[string]any{"mfaRequired": true})
	nobody := &client{url: admin.url}
	if got := admin.firstStep(t, "coded", nil); got.text(t, "next") != "setUpSecondFactor" {
		t.Fatalf("before it is allowed: %s", got.Body)
	}
	settings := admin.do(t, "GET", "/api/settings", nil).wants(t, 200)
	admin.do(t, "PATCH", "/api/settings", map[string]any{"emailCodeAllowed": true}, ifMatch(settings)).wants(t, 200)
	first := admin.firstStep(t, "coded", nil)
	if methods := fmt.Sprint(first.members(t)["methods"]); first.text(t, "next") != "secondFactor" || methods != "[emailCode]" {
		t.Fatalf("%s", first.Body)
	}
	ticket := first.text(t, "ticket")
	give := func(ticket, code string) answer {
		return nobody.do(t, "POST", "/api/login/second-factor", map[string]any{"ticket": ticket, "method": "emailCode", "code": code})
	}
	give(ticket, "123456").problem(t, 401, "mailCode")
	give(ticket, "12345").problem(t, 422, "invalid", "code")
	if got := nobody.do(t, "POST", "/api/login/second-factor/mail", map[string]any{"ticket": ticket}).wants(t, 204); got.Body != "" {
		t.Errorf("%s", got.Body)
	}
	all := mails.Wait(person.text(t, "email"), 2) // the notice of the password that an administrator set, sooner or later
	last := all[max(0, slices.IndexFunc(all, func(m localtest.Mailed) bool { return m.Subject == "Your sign-in code" }))]
	found := sixDigits.FindStringSubmatch(strings.ReplaceAll(last.Body.Text, "\r\n", "\n"))
	if found == nil || last.Subject != "Your sign-in code" {
		t.Fatalf("%s\n%s", last.Subject, last.Body.Text)
	}
	code := found[1]
	other := admin.firstStep(t, "coded", nil).text(t, "ticket")
	give(other, code).problem(t, 401, "mailCode")
	log := admin.do(t, "GET", "/api/communications?account="+person.text(t, "id"), nil).wants(t, 200)
	if strings.Contains(log.Body, code) {
		t.Errorf("the log has the code: %s", log.Body)
	}
	if got := give(ticket, code).wants(t, 200); got.text(t, "next") != "done" {
		t.Errorf("%s", got.Body)
	}
	give(ticket, code).problem(t, 401, "ticket")
	for range 2 {
		nobody.do(t, "POST", "/api/login/second-factor/mail", map[string]any{"ticket": other}).wants(t, 204)
	}
	full := nobody.do(t, "POST", "/api/login/second-factor/mail", map[string]any{"ticket": other})
	full.problem(t, 429, "tooManyCodes")
	if full.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	nobody.do(t, "POST", "/api/login/second-factor/mail", map[string]any{"ticket": "x"}).problem(t, 401, "ticket")
	admin.enrolled(t, "owner")
	if methods := fmt.Sprint(admin.firstStep(t, "owner", nil).members(t)["methods"]); methods != "[totp recoveryCode emailCode]" {
		t.Errorf("beside an authenticator: %s", methods)
	}
}
