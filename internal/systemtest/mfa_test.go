package systemtest_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

const userPassword = "seven green bicycles"

// totpCode is the code of an authenticator in the present time step.
func totpCode(t *testing.T, secret string) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// passwordStep sends the password and returns the answer.
func (c *client) passwordStep(t *testing.T, who string, more map[string]any) response {
	t.Helper()
	body := map[string]any{"identifier": who, "password": userPassword}
	for k, v := range more {
		body[k] = v
	}
	return (&client{url: c.url, from: c.from}).do(t, "POST", "/api/login", body).expect(t, 200)
}

// createUserWithTOTP makes a person with an authenticator, signed in; it returns the client, the authenticator's
// secret, the recovery codes and the account's id.
func (c *client) createUserWithTOTP(t *testing.T, username string) (own *client, secret string, codes []string,
	id string) {
	t.Helper()
	id = c.createUser(t, username, userPassword, nil).text(t, "id")
	own = c.signedInAs(t, username, userPassword)
	secret = own.do(t, "POST", "/api/me/mfa/totp", map[string]any{}).expect(t, 200).text(t, "secret")
	got := own.do(t, "POST", "/api/me/mfa/totp/confirm", map[string]any{"code": totpCode(t, secret)}).expect(t, 200)
	for _, code := range got.members(t)["recoveryCodes"].([]any) {
		codes = append(codes, code.(string))
	}
	return own, secret, codes, id
}

// trustDevice signs in with a recovery code and has the device remembered; it returns its token.
func (c *client) trustDevice(t *testing.T, who, code string) string {
	t.Helper()
	ticket := c.passwordStep(t, who, nil).text(t, "ticket")
	body := map[string]any{"ticket": ticket, "method": "recoveryCode", "code": code, "remember": true}
	return (&client{url: c.url}).do(t, "POST", "/api/login/second-factor", body).expect(t, 200).text(t, "deviceToken")
}

// factorSamples makes what the samples of the second factor speak of.
func factorSamples(t *testing.T, admin *client, values map[string]string) {
	t.Helper()
	own, _, codes, id := admin.createUserWithTOTP(t, "factored")
	admin.trustDevice(t, "factored", codes[0])
	admin.trustDevice(t, "factored", codes[1])
	devices := own.do(t, "GET", "/api/me/mfa", nil).expect(t, 200).members(t)["devices"].([]any)
	values["otherDeviceId"], values["deviceId"] = devices[0].(map[string]any)["id"].(string),
		devices[1].(map[string]any)["id"].(string)
	values["factoredId"], values["factorToken"] = id, own.token
	values["factorTicket"], values["recoveryCode"] = admin.passwordStep(t, "factored", nil).text(t, "ticket"), codes[2]
	leaving, _, _, _ := admin.createUserWithTOTP(t, "leaving")
	values["leavingToken"] = leaving.token
	admin.createUser(t, "confirming", userPassword, nil)
	confirming := admin.signedInAs(t, "confirming", userPassword)
	secret := confirming.do(t, "POST", "/api/me/mfa/totp", map[string]any{}).expect(t, 200).text(t, "secret")
	values["confirmToken"], values["confirmCode"] = confirming.token, totpCode(t, secret)
	admin.createUser(t, "required", userPassword, map[string]any{"mfaRequired": true})
	values["beginTicket"] = admin.passwordStep(t, "required", nil).text(t, "ticket")
	admin.createUser(t, "required2", userPassword, map[string]any{"mfaRequired": true})
	values["confirmTicket"] = admin.passwordStep(t, "required2", nil).text(t, "ticket")
	begun := (&client{url: admin.url}).do(t, "POST", "/api/login/second-factor/set-up",
		map[string]any{"ticket": values["confirmTicket"]}).expect(t, 200)
	values["confirmTicketCode"] = totpCode(t, begun.text(t, "secret"))
}

// C11, V28, C31: fifty posts of one good code at the same moment, each with a good ticket of its own, open one session
// in all, through the built functions.
func TestFiftyPostsOfOneCode(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	_, secret, _, _ := admin.createUserWithTOTP(t, "owner")
	// the set-up used this step's code
	time.Sleep(time.Until(time.Now().Truncate(30 * time.Second).Add(30500 * time.Millisecond)))
	tickets := make([]string, 50)
	for i := range tickets {
		got := admin.passwordStep(t, "owner", nil)
		if tickets[i] = got.text(t, "ticket"); got.text(t, "next") != "secondFactor" {
			t.Fatalf("%s", got.Body)
		}
	}
	code := totpCode(t, secret)
	spaced := []string{code, " " + code, code[:3] + " " + code[3:]}
	var all sync.WaitGroup
	var opened atomic.Int64
	for i, ticket := range tickets {
		all.Go(func() {
			got := (&client{url: admin.url}).do(t, "POST", "/api/login/second-factor",
				map[string]any{"ticket": ticket, "method": "totp", "code": spaced[i%3]})
			switch {
			case got.Status == 200 && got.text(t, "next") == "done":
				opened.Add(1)
			case got.Status != 401 && got.Status != 429:
				t.Errorf("%d %s", got.Status, got.Body)
			}
		})
	}
	all.Wait()
	if opened.Load() != 1 {
		t.Errorf("%d sessions", opened.Load())
	}
}

// The second factor through the API: C12 (a ticket opens nothing else), C05 (five wrong codes pause it), V36 (a
// device), the bad inputs, and what administrators may do (V35).
func TestTheSecondFactor(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	own, _, codes, id := admin.createUserWithTOTP(t, "owner")
	nobody := &client{url: admin.url}
	first := admin.passwordStep(t, "owner", nil)
	ticket := first.text(t, "ticket")
	if methods := fmt.Sprint(first.members(t)["methods"]); first.text(t, "next") != "secondFactor" ||
		methods != "[totp recoveryCode]" {
		t.Errorf("%s", first.Body)
	}
	(&client{url: admin.url, token: ticket}).do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session") // C12, V34
	nobody.do(t, "POST", "/api/login/password",
		map[string]any{"ticket": ticket, "password": "another good password"}).expectProblem(t, 401, "ticket")
	nobody.do(t, "POST", "/api/login/second-factor/set-up", map[string]any{"ticket": ticket}).expectProblem(t, 401,
		"ticket")
	for name, c := range map[string]struct {
		body   map[string]any
		status int
		code   string
		field  string
	}{
		"digits of another script": {map[string]any{"ticket": ticket, "method": "totp", "code": "１２３４５６"}, 422, "invalid",
			"code"},
		"seven digits": {map[string]any{"ticket": ticket, "method": "totp", "code": "1234567"}, 422, "invalid",
			"code"},
		"no code": {map[string]any{"ticket": ticket, "method": "totp", "code": ""}, 422, "invalid", "code"},
		"a short recovery code": {map[string]any{"ticket": ticket, "method": "recoveryCode", "code": "ABCD"}, 422,
			"invalid", "code"},
		"another method": {map[string]any{"ticket": ticket, "method": "sms", "code": "123456"}, 400, "body",
			"method"},
		"no ticket": {map[string]any{"ticket": "", "method": "totp", "code": "123456"}, 401, "ticket", ""},
		"an access token": {map[string]any{"ticket": own.token, "method": "totp", "code": "123456"}, 401, "ticket",
			""},
	} {
		t.Run(name, func(t *testing.T) {
			got := nobody.do(t, "POST", "/api/login/second-factor", c.body)
			if c.field == "" {
				got.expectProblem(t, c.status, c.code)
				return
			}
			got.expectProblem(t, c.status, c.code, c.field)
		})
	}
	device := admin.trustDevice(t, "owner", codes[0])
	known := admin.passwordStep(t, "owner", map[string]any{"device": device})
	if known.text(t, "next") != "done" || known.text(t, "deviceToken") == "" || known.text(t, "deviceToken") == device {
		t.Errorf("%s", known.Body)
	}
	state := own.do(t, "GET", "/api/me/mfa", nil).expect(t, 200)
	if m := state.members(t); m["recoveryCodesLeft"] != 9.0 || len(m["devices"].([]any)) != 1 ||
		strings.Contains(state.Body, "seed") {
		t.Errorf("%s", state.Body)
	}
	for i := range 5 {
		got := nobody.do(t, "POST", "/api/login/second-factor",
			map[string]any{"ticket": ticket, "method": "recoveryCode", "code": "ZZZZ-ZZZZ-ZZZZ"})
		if want := map[bool]int{true: 429, false: 401}[i == 4]; got.Status != want ||
			(want == 429) != (got.Header.Get("Retry-After") != "") {
			t.Errorf("code %d: %d %s", i+1, got.Status, got.Body)
		}
	}
	nobody.do(t, "POST", "/api/login/second-factor",
		map[string]any{"ticket": admin.passwordStep(t, "owner", nil).text(t, "ticket"), "method": "recoveryCode",
			"code": codes[1]}).
		expectProblem(t, 429, "factorPaused")
	own.do(t, "POST", "/api/me/mfa/remove", map[string]any{"password": "not my password"}).expectProblem(t, 422,
		"invalid", "password")
	own.do(t, "POST", "/api/me/mfa/totp/confirm", map[string]any{"code": "123456"}).expectProblem(t, 409, "noSetUp")

	// What an administrator sees and does; and what no other person may.
	seen := admin.do(t, "GET", "/api/accounts/"+id+"/mfa", nil).expect(t, 200)
	if m := seen.members(t); m["pausedUntil"] == nil || m["recoveryCodesLeft"] != 9.0 {
		t.Errorf("%s", seen.Body)
	}
	for _, path := range []string{"/mfa/remove", "/mfa/do-not-enforce"} {
		own.do(t, "POST", "/api/accounts/"+id+path, nil).expectProblem(t, 403, "forbidden")
		admin.do(t, "POST", "/api/accounts/"+id+path, nil, header{"If-Match", `"1"`}).expectProblem(t, 412, "stale")
		admin.do(t, "POST", "/api/accounts/01JZ0000000000000000000009"+path, nil).expectProblem(t, 404, "notFound")
		admin.do(t, "POST", "/api/accounts/"+admin.do(t, "GET", "/api/me", nil).text(t, "accountId")+path,
			nil).expectProblem(t, 409, "self")
	}
	admin.do(t, "DELETE", "/api/accounts/"+id+"/mfa/devices/01JZ0000000000000000000009", nil).expectProblem(t, 404,
		"notFound")
	admin.do(t, "DELETE", "/api/accounts/"+id+"/mfa/devices", nil).expect(t, 204)
	if got := admin.passwordStep(t, "owner", map[string]any{"device": known.text(t, "deviceToken")}); got.text(t,
		"next") != "secondFactor" {
		t.Errorf("%s", got.Body)
	}
	admin.do(t, "POST", "/api/accounts/"+id+"/mfa/remove", nil).expect(t, 200)
	own.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	if got := admin.passwordStep(t, "owner", nil); got.text(t, "next") != "done" {
		t.Errorf("%s", got.Body)
	}
	t.Run("a device ends with the access", func(t *testing.T) { trustedDevicesEnd(t, admin) })
}

// C27, C28: a remembered device opens nothing by itself, and no account that is blocked, locked or out of its dates;
// when the account is let in again it is asked for the second factor there as well.
func trustedDevicesEnd(t *testing.T, admin *client) {
	_, _, codes, id := admin.createUserWithTOTP(t, "remembered")
	path := "/api/accounts/" + id
	patch := func(fields map[string]any) {
		admin.do(t, "PATCH", path, fields, ifMatch(admin.do(t, "GET", path, nil))).expect(t, 200)
	}
	for i, way := range []struct{ end, restore func() }{
		{func() { admin.do(t, "POST", path+"/block", map[string]any{"reason": "Left"}).expect(t, 200) },
			func() { admin.do(t, "POST", path+"/allow", nil).expect(t, 200) }},
		{func() { admin.do(t, "POST", path+"/lock", nil).expect(t, 200) },
			func() { admin.do(t, "POST", path+"/unlock", nil).expect(t, 200) }},
		{func() { patch(map[string]any{"dateFrom": "2020-01-01", "dateTo": "2020-01-02"}) },
			func() { patch(map[string]any{"dateTo": nil}) }},
	} {
		device := admin.trustDevice(t, "remembered", codes[i])
		admin.withBearer(device).do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
		way.end()
		(&client{url: admin.url}).do(t, "POST", "/api/login",
			map[string]any{"identifier": "remembered", "password": userPassword, "device": device}).expectProblem(t, 401,
			"signInRefused")
		way.restore()
		if got := admin.passwordStep(t, "remembered", map[string]any{"device": device}); got.text(t,
			"next") != "secondFactor" {
			t.Errorf("way %d: the device came back with the access: %s", i, got.Body)
		}
	}
}
