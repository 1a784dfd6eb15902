package systemtest_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/local"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/token"
)

// startWithMail starts the whole system with a mail service that is not up yet, under a public address of its own.
func startWithMail(t *testing.T) (*localtest.RunningSystem, *client, *localtest.MailService) {
	t.Helper()
	mails := localtest.ReserveMailService(t)
	endpoints := localtest.Services(t)
	endpoints.Mail = mails.URL
	system, admin := start(t, func(o *local.Options) { o.Endpoints = &endpoints },
		withParameters(map[string]string{"PublicUrl": publicURL, "MailSender": "no-reply@accounts.example.com"}))
	return system, admin, mails
}

const publicURL = "https://accounts.example.com"

var passwordLinkPattern = regexp.MustCompile(`(?m)^(.*)/set-password#(upl_[A-Za-z0-9_-]+)$`)

// passwordLinkToken returns the link's token, and fails unless the link leads to the configured origin (C18, V26).
func passwordLinkToken(t *testing.T, m localtest.ReceivedMail) string {
	t.Helper()
	found := passwordLinkPattern.FindStringSubmatch(strings.ReplaceAll(m.Body.Text, "\r\n", "\n"))
	if found == nil || found[1] != publicURL {
		t.Fatalf("the link is %q in\n%s", found, m.Body.Text)
	}
	if !strings.Contains(m.Body.HTML, `href="`+publicURL+"/set-password#"+found[2]+`"`) {
		t.Errorf("another link in HTML:\n%s", m.Body.HTML)
	}
	return found[2]
}

// runMailerClock has the mailer look through the outbox, as the clock does every minute.
func runMailerClock(t *testing.T, system *localtest.RunningSystem) {
	t.Helper()
	if _, err := system.Invoke(t.Context(), "mailer",
		[]byte(`{"source":"aws.events","detail-type":"Scheduled Event"}`)); err != nil {
		t.Fatal(err)
	}
}

// C18, V26: the link in a mail leads to the configured address, whatever the request that asked for it says of itself.
//
// A mail service that is down loses nothing: what was mailed meanwhile arrives when it is up, once, and until then the
// communication log says that it waits. Then the whole way of a forgotten password, and of an administrator's link.
func TestMailsAndLinks(t *testing.T) {
	t.Parallel()
	system, admin, mails := startWithMail(t)
	person := admin.createUser(t, "mailed", "seven green bicycles", nil)
	id, to := person.text(t, "id"), person.text(t, "email")
	hostile := []header{
		{"Host", "evil.example.net"}, {"X-Forwarded-Host", "evil.example.net"}, {"X-Forwarded-Proto", "http"},
		{"Forwarded", "host=evil.example.net;proto=http"}, {"X-Original-URL", "//evil.example.net/"},
	}
	admin.do(t, "POST", "/api/accounts/"+id+"/mail-password", map[string]any{}, hostile...).expect(t, 200)
	waiting := admin.do(t, "GET", "/api/communications?kind=passwordLink&account="+id, nil).expect(t, 200)
	if !strings.Contains(waiting.Body, `"state":"queued"`) || strings.Contains(waiting.Body, "upl_") {
		t.Fatalf("%s", waiting.Body)
	}
	mails.Start()
	// each has a wait of its own
	for until := time.Now().Add(time.Minute); len(mailsTo(mails, to)) < 2 && time.Now().Before(until); {
		runMailerClock(t, system)
		time.Sleep(500 * time.Millisecond)
	}
	first := ""
	for _, m := range mails.Wait(to, 2) { // the notice of the password that an administrator set came before
		if passwordLinkPattern.MatchString(strings.ReplaceAll(m.Body.Text, "\r\n", "\n")) {
			first = passwordLinkToken(t, m)
		}
	}

	public := &client{url: admin.url}
	for _, who := range []string{to, "nobody", "nobody@example.com", "MAILED", ""} {
		got := public.do(t, "POST", "/api/password/forgotten", map[string]any{"identifier": who}, hostile...).expect(t, 202)
		if want := public.do(t, "POST", "/api/password/forgotten", map[string]any{"identifier": "somebody.else"}).expect(t,
			202); got.Body != want.Body || got.Header.Get("Content-Length") != want.Header.Get("Content-Length") ||
			len(got.Header) != len(want.Header) {
			t.Errorf("%q is answered otherwise (C23, V23): %s %v", who, got.Body, got.Header)
		}
		if who == "nobody@example.com" {
			break // ten an hour
		}
	}
	all := waitForResetMails(t, mails, to)
	asked := passwordLinkToken(t, all[len(all)-1])
	for name, token := range map[string]string{"replaced": first, "none": "upl_x", "cut": asked[:len(asked)-3]} {
		got := public.do(t, "POST", "/api/password/set", map[string]any{"token": token, "password": "four quick grey otters"})
		if got.Status != 400 || !strings.Contains(got.Body, `"code":"link"`) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	for _, body := range []string{
		`{"identifier":["a@example.com","b@example.com"]}`, `{"identifier":"a","identifier":"b"}`,
		`{"identifier":"a","email":"b@example.com"}`, `identifier=a`, `{}`,
	} {
		if got := public.do(t, "POST", "/api/password/forgotten", body); got.Status != 400 && got.Status != 422 &&
			got.Status != 415 {
			t.Errorf("%s (C19, V27): %d %s", body, got.Status, got.Body)
		}
	}
	public.do(t, "POST", "/api/password/set", map[string]any{"token": asked, "password": "short"}).expectProblem(t, 422,
		"invalid", "password")
	set := public.do(t, "POST", "/api/password/set",
		map[string]any{"token": asked, "password": "four quick grey otters"}).expect(t, 200)
	if set.Body != `{"next":"signIn"}` {
		t.Errorf("%s (V25)", set.Body)
	}
	public.do(t, "POST", "/api/password/set",
		map[string]any{"token": asked, "password": "nine quick grey otters"}).expectProblem(t, 400, "link")
	public.do(t, "POST", "/api/login",
		map[string]any{"identifier": "mailed", "password": "seven green bicycles"}).expect(t, 401)
	again := &client{url: admin.url}
	again.signIn(t, "mailed", "four quick grey otters")

	notice := mails.Wait(to, len(all)+3)
	if last := notice[len(notice)-1]; last.Subject != "Your password was changed" ||
		!strings.Contains(last.From, "no-reply@accounts.example.com") {
		t.Errorf("%+v", last)
	}
	confirmations(t, admin, id)
	log := admin.do(t, "GET", "/api/accounts/"+id+"/log?kind=mail", nil).expect(t, 200)
	if !strings.Contains(log.Body, "Set a new password, to "+to) {
		t.Errorf("the account's log: %s", log.Body)
	}
	again.do(t, "GET", "/api/communications", nil).expect(t, 403)
}

func mailsTo(mails *localtest.MailService, to string) []localtest.ReceivedMail {
	var out []localtest.ReceivedMail
	for _, m := range mails.Mails() {
		if len(m.Destination.To) == 1 && m.Destination.To[0] == to {
			out = append(out, m)
		}
	}
	return out
}

// waitForResetMails waits until the mails that the person asked for are there, and returns them.
func waitForResetMails(t *testing.T, mails *localtest.MailService, to string) []localtest.ReceivedMail {
	t.Helper()
	var out []localtest.ReceivedMail
	for _, m := range mails.Wait(to, 3) {
		if m.Subject == "Set a new password" {
			out = append(out, m)
		}
	}
	return out
}

// confirmations: the delivery of password mails shows as a confirmation where the environment asks for it, and not
// otherwise.
func confirmations(t *testing.T, admin *client, id string) {
	t.Helper()
	path := "/api/communications?state=sent&account=" + id
	if got := admin.do(t, "GET", path, nil).expect(t, 200); strings.Contains(got.Body, "confirmation") ||
		!strings.Contains(got.Body, `"state":"sent"`) {
		t.Errorf("%s", got.Body)
	}
	settings := admin.do(t, "GET", "/api/settings", nil).expect(t, 200)
	admin.do(t, "PATCH", "/api/settings", map[string]any{"resetPasswordConfirmation": true}, ifMatch(settings)).expect(t,
		200)
	if got := admin.do(t, "GET", path, nil).expect(t, 200); !strings.Contains(got.Body,
		`"confirmation":{"delivered":"`) || !strings.Contains(got.Body, `"messageId":"`) {
		t.Errorf("%s", got.Body)
	}
	page := admin.do(t, "GET", path+"&limit=1", nil).expect(t, 200)
	next := page.text(t, "next")
	if next == "" {
		t.Fatalf("no second page: %s", page.Body)
	}
	if got := admin.do(t, "GET", path+"&limit=1&cursor="+next, nil).expect(t, 200); got.Body == page.Body {
		t.Error("the second page is the first")
	}
	for _, query := range []string{"state=lost", "kind=letter", "account=x", "from=yesterday", "before=1"} {
		if got := admin.do(t, "GET", "/api/communications?"+query, nil); got.Status != 400 {
			t.Errorf("%s: %d %s", query, got.Status, got.Body)
		}
	}
}

// The stream brings a record a second time: nothing is sent a second time.
func TestRecordTwiceMailsOnce(t *testing.T) {
	t.Parallel()
	system, admin, mails := startWithMail(t)
	mails.Start()
	person := admin.createUser(t, "twice", "seven green bicycles", nil)
	id, to := person.text(t, "id"), person.text(t, "email")
	admin.do(t, "POST", "/api/accounts/"+id+"/mail-password", map[string]any{"unlock": true}).expect(t, 200)
	before := len(mails.Wait(to, 2))
	var page struct {
		Items []struct{ ID string }
	}
	decode(t, admin.do(t, "GET", "/api/communications?account="+id, nil).expect(t, 200).Body, &page)
	for _, m := range page.Items {
		record := fmt.Sprintf(
			`{"Records":[{"eventName":"INSERT","dynamodb":{"Keys":{"PK":{"S":"W#%s"},"SK":{"S":"%s"}},"SequenceNumber":"1"}}]}`,
			system.EnvironmentID, m.ID)
		for range 2 {
			out, err := system.Invoke(t.Context(), "mailer", []byte(record))
			if err != nil || strings.Contains(string(out), "itemIdentifier") {
				t.Fatalf("%s, %v", out, err)
			}
		}
	}
	runMailerClock(t, system)
	if after := len(mailsTo(mails, to)); after < before || after != len(page.Items) {
		t.Errorf("%d mails for %d in the log", after, len(page.Items))
	}
}

func decode(t *testing.T, body string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
}

// passwordLinkSample gives an account a link to set its password, as a mail would bring it, and returns the token.
func passwordLinkSample(t *testing.T, system *localtest.RunningSystem, accountID string) string {
	t.Helper()
	table := &dynamo.Table{Client: system.Endpoints.DynamoDBClient(), Name: system.TableName}
	env, err := dynamo.NewEnvironments(table).Environment(t.Context(), system.EnvironmentID)
	if err != nil {
		t.Fatal(err)
	}
	store := dynamo.Accounts{Table: table}
	a, err := store.Account(t.Context(), env, accountID)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	l, issued, err := account.IssuePasswordLink(rand.Reader, token.NewID(), a, account.PasswordLinkFromAdministrator, now,
		now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	after := a
	after.Version++
	err = store.Write(t.Context(), env, account.Write{Before: &a, After: after, PasswordLink: &l, Event: auditlog.Event{
		ID: token.NewIDString(), At: now, Kind: auditlog.PasswordLinkSent, Version: after.Version,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return issued.Reveal()
}
