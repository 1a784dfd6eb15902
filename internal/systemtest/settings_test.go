package systemtest_test

import (
	"strings"
	"testing"
)

func TestEnvironmentDefaults(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	t.Run("document", func(t *testing.T) { settingsDocument(t, admin) })
	t.Run("bad input", func(t *testing.T) { badSettings(t, admin) })
	t.Run("take effect", func(t *testing.T) { settingsTakeEffect(t, admin) })
}

func settingsDocument(t *testing.T, admin *client) {
	read := admin.do(t, "GET", "/api/settings", nil).expect(t, 200)
	fields := admin.do(t, "GET", "/api/settings/fields", nil).expect(t, 200).members(t)["items"].([]any)
	for _, f := range fields {
		f := f.(map[string]any)
		if _, there := read.members(t)[f["name"].(string)]; !there || f["label"] == "" || f["help"] == "" ||
			f["section"] == "" {
			t.Errorf("%v is not in %s", f, read.Body)
		}
	}
	if len(fields) != len(read.members(t))-1 {
		t.Errorf("%d fields, %s", len(fields), read.Body)
	}
	changed := admin.do(t, "PATCH", "/api/settings", map[string]any{
		"passwordClasses": 2, "failedTryRelease": false, "trustedDeviceDays": 0, "country": "de", "currency": "eur",
		"mailSenderName": " Zoe\u0308 & Co ",
	}, ifMatch(read)).expect(t, 200)
	m := changed.members(t)
	if m["passwordClasses"] != 2.0 || m["failedTryRelease"] != false || m["trustedDeviceDays"] != 0.0 ||
		m["country"] != "DE" || m["currency"] != "EUR" || m["mailSenderName"] != "Zoë & Co" {
		t.Errorf("%s", changed.Body)
	}
	if again := admin.do(t, "GET", "/api/settings", nil).expect(t, 200); again.Body != changed.Body ||
		again.Header.Get("ETag") != changed.Header.Get("ETag") {
		t.Errorf("read %s, changed to %s", again.Body, changed.Body)
	}
	// V62
	stale := admin.do(t, "PATCH", "/api/settings", map[string]any{"failedTryLimit": 9}, ifMatch(read))
	stale.expectProblem(t, 412, "stale", "country", "currency", "mailSenderName")
	if !strings.Contains(stale.Body, `"by":"admin"`) {
		t.Errorf("%s", stale.Body)
	}
	log := admin.do(t, "GET", "/api/settings/log?limit=1", nil).expect(t, 200)
	for _, said := range []string{`"subject":"settings"`, `"by":"admin"`, `{"field":"country","from":"GB","to":"DE"}`,
		`{"field":"trustedDeviceDays","from":30,"to":0}`} {
		if !strings.Contains(log.Body, said) {
			t.Errorf("%s is not in %s", said, log.Body)
		}
	}
}

func badSettings(t *testing.T, admin *client) {
	read := admin.do(t, "GET", "/api/settings", nil).expect(t, 200)
	admin.do(t, "PATCH", "/api/settings", map[string]any{"failedTryLimit": 9}).expectProblem(t, 428, "ifMatchRequired")
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
		field  string
	}{
		"unknown (V59)":  {`{"cursorKey":"x"}`, 400, "body", "cursorKey"},
		"the version":    {`{"version":1}`, 400, "body", "version"},
		"a text":         {`{"failedTryLimit":"5"}`, 400, "body", "failedTryLimit"},
		"a fraction":     {`{"failedTryLimit":5.5}`, 400, "body", "failedTryLimit"},
		"huge":           {`{"failedTryLimit":99999999999999999999}`, 400, "body", "failedTryLimit"},
		"a number":       {`{"dacEnabled":1}`, 400, "body", "dacEnabled"},
		"a list":         {`{"country":["GB"]}`, 400, "body", "country"},
		"doubled":        {`{"country":"GB","country":"DE"}`, 400, "body", "country"},
		"off (V16)":      {`{"failedTryLimit":0}`, 422, "invalid", "failedTryLimit"},
		"null":           {`{"failedTryLimit":null}`, 422, "invalid", "failedTryLimit"},
		"over NIST":      {`{"failedTryLimit":101}`, 422, "invalid", "failedTryLimit"},
		"too short":      {`{"passwordMinLength":7}`, 422, "invalid", "passwordMinLength"},
		"too long":       {`{"passwordMinLength":65}`, 422, "invalid", "passwordMinLength"},
		"an hour's idle": {`{"sessionIdleMinutes":61}`, 422, "invalid", "sessionIdleMinutes"},
		"a day and more": {`{"sessionHardMinutes":1441}`, 422, "invalid", "sessionHardMinutes"},
		"hard under idle": {
			`{"sessionHardMinutes":5,"sessionIdleMinutes":6}`, 422, "invalid", "sessionHardMinutes"},
		"NIST": {`{"passwordNIST":true,"passwordMaxAgeDays":90,"passwordClasses":0}`, 422, "invalid",
			"passwordMaxAgeDays"},
		"no country":    {`{"country":"XX"}`, 422, "invalid", "country"},
		"nowhere":       {`{"country":null}`, 422, "invalid", "country"},
		"no currency":   {`{"currency":"ZZZ"}`, 422, "invalid", "currency"},
		"a short log":   {`{"logRetentionDays":29}`, 422, "invalid", "logRetentionDays"},
		"a long link":   {`{"setPasswordLinkHours":169}`, 422, "invalid", "setPasswordLinkHours"},
		"a year's more": {`{"trustedDeviceDays":366}`, 422, "invalid", "trustedDeviceDays"},
		"a header":      {`{"mailSenderName":"A\r\nBcc: b@example.com"}`, 422, "invalid", "mailSenderName"}, // C51
		"half right":    {`{"dacEnabled":false,"passwordHistory":25}`, 422, "invalid", "passwordHistory"},
	} {
		t.Run(name, func(t *testing.T) {
			admin.do(t, "PATCH", "/api/settings", c.body, ifMatch(read)).expectProblem(t, c.status, c.code, c.field)
		})
	}
	if after := admin.do(t, "GET", "/api/settings", nil).expect(t, 200); after.Body != read.Body {
		t.Errorf("bad input changed settings: %s, %s", read.Body, after.Body)
	}
}

// What is honoured counts from the next request on.
func settingsTakeEffect(t *testing.T, admin *client) {
	set := func(body map[string]any) {
		t.Helper()
		admin.do(t, "PATCH", "/api/settings", body, ifMatch(admin.do(t, "GET", "/api/settings", nil))).expect(t, 200)
	}
	set(map[string]any{"passwordMinLength": 30, "passwordClasses": 0, "mfaRequired": false, "dacEnabled": false,
		"country": "FR"})
	someone := admin.do(t, "POST", "/api/accounts", map[string]any{
		"username": "effect", "name": "Effect", "email": "effect@example.com", "userType": "FULL", "mobile": "06 12 34 56 78",
	}).expect(t, 201)
	if got := someone.text(t, "mobileE164"); got != "+33612345678" {
		t.Errorf("the mobile number is read as %s", got)
	}
	path := "/api/accounts/" + someone.text(t, "id")
	admin.do(t, "POST", path+"/password", map[string]any{"password": "seven green bicycles"}).expectProblem(t, 422,
		"invalid", "password")
	admin.do(t, "PATCH", path, map[string]any{"dacGroups": []string{"DAC1"}}, ifMatch(someone)).expectProblem(t, 422,
		"invalid", "dacGroups")
	set(map[string]any{"passwordMinLength": 12, "dacEnabled": true, "failedTryLimit": 1})
	admin.do(t, "PATCH", path, map[string]any{"dacGroups": []string{"DAC1"}}, ifMatch(someone)).expect(t, 200)
	admin.do(t, "POST", path+"/password",
		map[string]any{"password": "seven green bicycles", "unlock": true, "forceChange": false}).expect(t, 200)
	stranger := &client{url: admin.url}
	stranger.do(t, "POST", "/api/login",
		map[string]any{"identifier": "effect", "password": "wrong wrong wrong"}).expect(t, 401)
	if got := admin.do(t, "GET", path, nil).members(t); got["accessLocked"] != true {
		t.Errorf("one try is the limit, but: %v", got)
	}
}
