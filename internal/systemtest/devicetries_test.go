package systemtest_test

import "testing"

// Strangers' guesses block the account; its owner still signs in from the trusted device, in one step, and from nowhere
// else. C35: a token that was given to a program renews nothing as a page's cookie.
func TestStrangersCannotLockOutOfATrustedDevice(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	_, _, codes, id := admin.createUserWithTOTP(t, "besieged")
	device := admin.trustDevice(t, "besieged", codes[0])
	admin.attemptSignIns(t, "besieged", "wrong", 20)
	admin.attemptSignIns(t, "besieged", userPassword, 1).expectProblem(t, 401, "signInRefused")
	away := &client{url: admin.url, from: "127.0.2.1"} // the owner, travelling
	got := away.passwordStep(t, "besieged", map[string]any{"device": device})
	if got.text(t, "next") != "done" {
		t.Fatalf("%s", got.Body)
	}
	if shown := admin.do(t, "GET", "/api/accounts/"+id, nil).expect(t,
		200).members(t); shown["failedTries"] != float64(5) || shown["blockedUntil"] == nil {
		t.Errorf("%v failed tries, blocked until %v", shown["failedTries"], shown["blockedUntil"])
	}
	device = got.text(t, "deviceToken")
	guess := func() response {
		return (&client{url: admin.url, from: elsewhere}).do(t, "POST", "/api/login",
			map[string]any{"identifier": "besieged", "password": "wrong", "device": device})
	}
	for range 5 {
		guess().expectProblem(t, 401, "signInRefused")
	}
	body := map[string]any{"identifier": "besieged", "password": userPassword, "device": device}
	// forgotten, so it is like any other
	(&client{url: admin.url, from: elsewhere}).do(t, "POST", "/api/login", body).expectProblem(t, 401, "signInRefused")
	admin.do(t, "POST", "/api/accounts/"+id+"/reset-tries", nil).expect(t, 200)
	if got := admin.passwordStep(t, "besieged", map[string]any{"device": device}); got.text(t, "next") != "secondFactor" {
		t.Errorf("%s", got.Body)
	}
}
