package systemtest_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

const lamps = "seven green bicycles"

// Passwords, over HTTP against the running system: what is refused, and what holds to the letter.
func TestPasswords(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	t.Run("policy", func(t *testing.T) { passwordPolicy(t, admin) })
	t.Run("exact", func(t *testing.T) { passwordsAreExact(t, admin) })
	t.Run("own change", func(t *testing.T) { ownChange(t, admin) })
	t.Run("wrong current", func(t *testing.T) { wrongCurrent(t, admin) })
	t.Run("former", func(t *testing.T) { formerPasswords(t, admin) })
	t.Run("administrators", func(t *testing.T) { administratorsChoose(t, admin) })
	t.Run("check", func(t *testing.T) { passwordCheck(t, admin) })
}

// changeSetting changes one setting for the time of a test.
func changeSetting(t *testing.T, admin *client, name string, value, after any) {
	t.Helper()
	change := func(value any) {
		read := admin.do(t, "GET", "/api/settings", nil).expect(t, 200)
		admin.do(t, "PATCH", "/api/settings", map[string]any{name: value}, ifMatch(read)).expect(t, 200)
	}
	change(value)
	t.Cleanup(func() { change(after) })
}

// V01, V02, V04: each rule broken once, by whoever sets the password, names the field and a code.
func passwordPolicy(t *testing.T, admin *client) {
	member := newTestUser(t, admin, "zanzibar")
	set := func(secret string) response {
		return admin.do(t, "POST", member.path+"/password", map[string]any{"password": secret})
	}
	refused := func(secret, code string) {
		t.Helper()
		got := set(secret)
		got.expectInvalid(t, "password")
		if !strings.Contains(got.Body, `"code":"`+code+`"`) || strings.Contains(got.Body, secret) {
			t.Errorf("%q: %s, want %s", secret, got.Body, code)
		}
	}
	refused("kq7 mzt wp4", "tooShort")
	refused(strings.Repeat("kq7 mzt ", 16)+"x", "tooLong")
	refused("xk Zanzibar qvz", "personal")
	refused("xk r4b1zn4z qvz", "personal")
	refused("qwertyuiop[]", "guessable")
	refused("password1234", "common")
	refused("abdeabdeabde", "guessable")
	refused("aaaaaaaaaaaa", "common")
	for _, good := range []string{"kq7 mzt wp4 ", strings.Repeat("kq7 mzt ", 16), "correct horse battery staple",
		"😀🐶🌵🍎🚗🎹⚽🏠📷🔑🎁🧊"} {
		set(good).expect(t, 200)
	}
	changeSetting(t, admin, "passwordClasses", 3, 0)
	refused("correct horse battery staple", "classes")
	set("Correct horse battery staple").expect(t, 200)
	changeSetting(t, admin, "passwordClasses", 0, 0)
	changeSetting(t, admin, "passwordNIST", true, false)
	refused("kq7 mzt wp4 xk", "tooShort")
	set("kq7 mzt wp4 xkb").expect(t, 200)
	now := admin.do(t, "GET", "/api/accounts/"+member.id, nil).expect(t, 200)
	admin.do(t, "PATCH", "/api/accounts/"+member.id, map[string]any{"mfaRequired": true}, ifMatch(now)).expect(t, 200)
	refused("kq7 mzt", "tooShort")
	set("kq7 mztw").expect(t, 200)
	settings := admin.do(t, "GET", "/api/settings", nil).expect(t, 200)
	admin.do(t, "PATCH", "/api/settings", map[string]any{"passwordNIST": false, "passwordMinLength": 8},
		ifMatch(settings)).expect(t, 200)
	for _, known := range guessedFirst {
		set(known).expectInvalid(t, "password")
	}
	settings = admin.do(t, "GET", "/api/settings", nil).expect(t, 200)
	admin.do(t, "PATCH", "/api/settings", map[string]any{"passwordMinLength": 12}, ifMatch(settings)).expect(t, 200)
}

// guessedFirst are fifty that every list of guesses begins with, none of them shorter than any policy asks for; the
// last name the person, the environment, the product and the sender of mails.
var guessedFirst = strings.Fields(`
	password password1 Password1 P@ssw0rd p4ssw0rd drowssap baseball football superman iloveyou trustno1 sunshine
	princess starwars computer whatever 12345678 87654321 11111111 qwertyuiop 1qaz2wsx asdfghjkl qwerty123 1q2w3e4r
	!QAZ2wsx qazwsxedc 123456789a Summer2024 password2025 Welcome1! letmein123 Passw0rd! monkey12345 dragon2020
	passwordpassword 19841984 12031987 michelle1 jennifer abcd1234 a1b2c3d4 basketball liverpool1 zanzibar
	zanzibar@example.com z4nz1b4r-2026 rabiznaz77 useraccounts UserAccounts2026 us3r4cc0unts`)

// V02, V03: only the normal form does not matter; byte 73, byte 200 and case do.
func passwordsAreExact(t *testing.T, admin *client) {
	long := strings.Repeat("жаба ", 25) + "Ä ö" // 128 characters in 228 bytes
	person := admin.createUser(t, "exact", lamps, nil)
	admin.do(t, "POST", "/api/accounts/"+person.text(t, "id")+"/password",
		map[string]any{"password": long, "forceChange": false}).expect(t, 200)
	at := func(i int) string {
		runes := []rune(long)
		i = len([]rune(long[:i]))
		if runes[i] == 'x' || runes[i] == ' ' {
			runes[i] = 'y'
		} else {
			runes[i] = 'x'
		}
		return string(runes)
	}
	for _, c := range []struct {
		name, typed string
		right       bool
	}{
		{"byte 73", at(72), false}, {"byte 200", at(199), false}, {"case", strings.ToLower(long), false},
		{"cut", long[:len(long)-1], false},
		{"itself", long, true}, {"decomposed", norm.NFD.String(long), true},
	} {
		got := admin.do(t, "POST", "/api/login", map[string]any{"identifier": "exact", "password": c.typed})
		if (got.Status == 200) != c.right {
			t.Errorf("%s: %d %s", c.name, got.Status, got.Body)
		}
	}
	// Set in the one form, it is right in the other.
	decomposed := norm.NFD.String("vier süße Möhren 🥕")
	admin.do(t, "POST", "/api/accounts/"+person.text(t, "id")+"/password",
		map[string]any{"password": decomposed, "forceChange": false}).expect(t, 200)
	admin.signedInAs(t, "exact", norm.NFC.String(decomposed))
	admin.signedInAs(t, "exact", decomposed)
}

// V38: the new password comes with new tokens, and the old ones open nothing.
func ownChange(t *testing.T, admin *client) {
	person := admin.createUser(t, "changer", lamps, nil)
	here, elsewhere := admin.signedInAs(t, "changer", lamps), admin.signedInAs(t, "changer", lamps)
	change := func(c *client, current, chosen string) response {
		return c.do(t, "POST", "/api/me/password", map[string]any{"current": current, "password": chosen})
	}
	change(here, lamps, "short").expectProblem(t, 422, "invalid", "password")
	change(here, lamps, lamps).expectProblem(t, 422, "invalid", "password")
	change(here, "not "+lamps, "eleven quiet mountains").expectProblem(t, 422, "invalid", "current")
	former := *here
	here.keepTokens(t, change(here, lamps, "eleven quiet mountains").expect(t, 200))
	here.do(t, "GET", "/api/me", nil).expect(t, 200)
	elsewhere.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	former.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	admin.do(t, "POST", "/api/login/refresh", map[string]any{"refreshToken": former.refresh}).expectProblem(t, 401,
		"session")
	admin.do(t, "POST", "/api/login", map[string]any{"identifier": "changer", "password": lamps}).expect(t, 401)
	admin.signedInAs(t, "changer", "eleven quiet mountains")
	log := admin.do(t, "GET", "/api/accounts/"+person.text(t, "id")+"/log", nil).expect(t, 200)
	if !strings.Contains(log.Body, `"passwordChanged"`) || strings.Contains(log.Body, "quiet mountains") {
		t.Errorf("%s", log.Body)
	}
	// V59, and nobody's password without a session.
	here.do(t, "POST", "/api/me/password",
		map[string]any{"current": "x", "password": "y", "accountId": "z"}).expectProblem(t, 400, "body", "accountId")
	(&client{url: admin.url}).do(t, "POST", "/api/me/password", map[string]any{"current": "x", "password": "y"}).expect(t,
		401)
}

// V07: wrong ones are failed tries of the account, and their limit holds here as well.
func wrongCurrent(t *testing.T, admin *client) {
	person := admin.createUser(t, "guessed", lamps, nil)
	here := admin.signedInAs(t, "guessed", lamps)
	here.from = elsewhere
	for range 5 {
		here.do(t, "POST", "/api/me/password",
			map[string]any{"current": "a wrong one", "password": "eleven quiet mountains"}).expectProblem(t, 422, "invalid",
			"current")
	}
	is := admin.do(t, "GET", "/api/accounts/"+person.text(t, "id"), nil).expect(t, 200).members(t)
	if is["failedTries"] != 5.0 || is["accessLocked"] != true {
		t.Errorf("%v", is)
	}
	here.do(t, "POST", "/api/me/password",
		map[string]any{"current": lamps, "password": "eleven quiet mountains"}).expectProblem(t, 422, "invalid", "current")
	(&client{url: admin.url, from: elsewhere}).do(t, "POST", "/api/login",
		map[string]any{"identifier": "guessed", "password": lamps}).expect(t, 401)
}

func formerPasswords(t *testing.T, admin *client) {
	changeSetting(t, admin, "passwordHistory", 2, 0)
	admin.createUser(t, "turning", lamps, nil)
	c, present := admin.signedInAs(t, "turning", lamps), lamps
	for _, step := range []struct {
		chosen string
		status int
	}{
		{"first brown kettle", 200}, {lamps, 422}, {"second brown kettle", 200}, {lamps, 422}, {"first brown kettle", 422},
		{"third brown kettle", 200}, {lamps, 200},
	} {
		got := c.do(t, "POST", "/api/me/password", map[string]any{"current": present, "password": step.chosen}).expect(t,
			step.status)
		if step.status == 200 {
			c.keepTokens(t, got)
			present = step.chosen
		} else if !strings.Contains(got.Body, `"reused"`) {
			t.Errorf("%s: %s", step.chosen, got.Body)
		}
	}
}

// V09: what an administrator sets is temporary: it leads to the person's own and to nothing else, and that is the end
// of it. V10: with the setting off they choose none. V47: nor does a key.
func administratorsChoose(t *testing.T, admin *client) {
	person := admin.createUser(t, "temp", lamps, nil)
	path := "/api/accounts/" + person.text(t, "id") + "/password"
	admin.do(t, "POST", path, map[string]any{"password": "first brown kettle"}).expect(t, 200)
	step := admin.do(t, "POST", "/api/login",
		map[string]any{"identifier": "temp", "password": "first brown kettle"}).expect(t, 200)
	if step.text(t, "next") != "changePassword" || step.text(t, "accessToken") != "" {
		t.Errorf("%s", step.Body)
	}
	own := map[string]any{"ticket": step.text(t, "ticket"), "password": "first brown kettle"}
	admin.do(t, "POST", "/api/login/password", own).expectProblem(t, 422, "invalid", "password")
	own["password"] = "a kettle of my own"
	admin.do(t, "POST", "/api/login/password", own).expect(t, 200)
	admin.do(t, "POST", "/api/login", map[string]any{"identifier": "temp", "password": "first brown kettle"}).expect(t,
		401)

	changeSetting(t, admin, "adminSetsPasswords", false, true)
	admin.do(t, "POST", path, map[string]any{"password": "second brown kettle"}).expectProblem(t, 409, "passwordsOff")
	admin.signedInAs(t, "temp", "a kettle of my own")

	_, key, _ := keySample(t, admin)
	byKey := &client{url: admin.url, token: key}
	for _, route := range []string{path, "/api/me/password"} {
		byKey.do(t, "POST", route, map[string]any{"current": "x", "password": "second brown kettle"}).expect(t, 403)
	}
}

func passwordCheck(t *testing.T, admin *client) {
	anybody := &client{url: admin.url}
	rate := func(body map[string]any) map[string]any {
		return anybody.do(t, "POST", "/api/password/check", body).expect(t, 200).members(t)
	}
	weak, strong := rate(map[string]any{"password": "Password1234"}),
		rate(map[string]any{"password": "eleven quiet mountains"})
	if weak["accepted"] != false || weak["advice"] == "" || weak["score"].(float64) >= 2 || strong["accepted"] != true ||
		strong["score"] != 4.0 || strong["advice"] != "" || strong["shortest"] != 12.0 {
		t.Errorf("%v, %v", weak, strong)
	}
	if of := rate(
		map[string]any{"password": "eleven quiet mountains", "words": []string{"Mountains"}}); of["accepted"] != false {
		t.Errorf("%v", of)
	}
	anybody.do(t, "POST", "/api/password/check",
		map[string]any{"password": "x", "words": slices.Repeat([]string{"x"}, 9)}).expectInvalid(t, "words")
	if long := rate(map[string]any{"password": strings.Repeat("xkvq mzwp ", 20)}); long["accepted"] != false {
		t.Errorf("%v", long)
	}
}
