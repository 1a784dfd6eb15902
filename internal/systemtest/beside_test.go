package systemtest_test

import (
	"strings"
	"testing"

	"useraccounts/internal/local"
	"useraccounts/internal/local/firstdata"
	"useraccounts/internal/local/localtest"
)

// neighbour is one of two stacks that share table, bucket and outbox, with one of each thing that could be carried over
// to the other.
type neighbour struct {
	system                 *localtest.RunningSystem
	admin, person          *client
	id, key, cursor, files string
	sender, origin         string
}

// startBeside starts the functions of an environment. With others given, on their table, bucket and outbox.
func startBeside(t *testing.T, mails *localtest.MailService, environment string, others *neighbour) *neighbour {
	t.Helper()
	n := &neighbour{sender: environment + "@accounts.example.com", origin: "https://" + environment + ".example.com"}
	endpoints := localtest.Services(t)
	endpoints.Mail = mails.URL
	n.system, n.admin = start(t, func(o *local.Options) {
		o.Endpoints, o.Seed = &endpoints, firstdata.Seed
		if others != nil {
			o.Beside = &others.system.Resources
		}
	}, withParameters(map[string]string{
		"EnvironmentId": environment, "PublicUrl": n.origin, "MailSender": n.sender,
	}))
	// The same people in both: whoever were mistaken for the other would be let in.
	n.id = n.admin.createUser(t, "twin", "seven green bicycles", map[string]any{"email": twinEmail}).text(t, "id")
	n.person = n.admin.signedInAs(t, "twin", "seven green bicycles")
	program := n.admin.do(t, "POST", "/api/accounts",
		map[string]any{"username": "program", "name": "Program", "userType": "API"}).expect(t, 201)
	path := "/api/accounts/" + program.text(t, "id")
	n.admin.do(t, "POST", path+"/allow", nil).expect(t, 200)
	n.key = n.admin.do(t, "POST", path+"/keys", map[string]any{"description": "x", "validDays": 9}).expect(t, 201).text(t,
		"key")
	n.cursor = n.admin.do(t, "GET", "/api/accounts?limit=1", nil).expect(t, 200).text(t, "next")
	n.files = n.admin.do(t, "POST", "/api/exports", map[string]any{"dateFormat": "iso"}).expect(t, 202).text(t, "id")
	if job := n.admin.waitForJob(t, n.files); job["state"] != "done" {
		t.Fatalf("export: %v", job)
	}
	return n
}

const twinEmail = "twin@example.com"

// V57, V58: two sets of functions, each for an environment of its own, over one table, bucket and outbox. Whatever one
// gave out opens nothing at the other and names nothing there, and each mail is sent once, by the mailer of its own
// environment, with that one's sender and address.
func TestTwoEnvironmentsShareTheTables(t *testing.T) {
	t.Parallel()
	mails := localtest.ReserveMailService(t)
	mails.Start()
	here := startBeside(t, mails, "first", nil)
	there := startBeside(t, mails, "second", here)
	if here.system.TableName != there.system.TableName || here.system.URL == there.system.URL {
		t.Fatal("these are not two systems over one table")
	}
	for _, pair := range [][2]*neighbour{{here, there}, {there, here}} {
		own, other := pair[0], pair[1]
		public := &client{url: own.system.URL}
		for name, bearer := range map[string]string{
			"session": other.admin.token, "person's session": other.person.token, "key": other.key,
		} {
			foreign := &client{url: own.system.URL, token: bearer}
			foreign.do(t, "GET", "/api/accounts", nil).expect(t, 401)
			if (&client{url: other.system.URL, token: bearer}).do(t, "GET", "/api/accounts?limit=1", nil).Status == 401 {
				t.Errorf("%s opens nothing where it was given out, so this shows nothing", name)
			}
		}
		if got := public.do(t, "POST", "/api/login/refresh",
			map[string]any{"refreshToken": other.person.refresh}); got.Status != 401 {
			t.Errorf("another environment's refresh token: %d %s", got.Status, got.Body)
		}
		if got := public.do(t, "POST", "/api/login/key", map[string]any{"key": other.key}); got.Status != 401 {
			t.Errorf("another environment's key: %d %s", got.Status, got.Body)
		}
		own.admin.do(t, "GET", "/api/accounts/"+other.id, nil).expect(t, 404)
		own.admin.do(t, "DELETE", "/api/accounts/"+other.id, nil).expect(t, 404)
		if got := own.admin.do(t, "GET", "/api/accounts?limit=1&cursor="+other.cursor, nil); got.Status != 400 {
			t.Errorf("another environment's cursor: %d %s", got.Status, got.Body)
		}
		for _, path := range []string{"", "/download"} {
			if got := own.admin.do(t, "GET", "/api/jobs/"+other.files+path, nil); got.Status != 404 {
				t.Errorf("another environment's job%s: %d %s", path, got.Status, got.Body)
			}
		}
		own.admin.do(t, "GET", "/api/jobs/"+own.files+"/download", nil).expect(t, 200)
	}
	crossMails(t, mails, here, there)
	for _, n := range []*neighbour{here, there} {
		if got := n.admin.do(t, "GET", "/api/accounts/"+n.id, nil); got.Status != 200 {
			t.Errorf("%s is not there any more: %d %s", n.id, got.Status, got.Body)
		}
	}
}

// crossMails mails a link to the same person of both environments, and carries each over to the other.
func crossMails(t *testing.T, mails *localtest.MailService, both ...*neighbour) {
	t.Helper()
	before := len(mailsTo(mails, twinEmail))
	for _, n := range both {
		n.admin.do(t, "POST", "/api/accounts/"+n.id+"/mail-password", map[string]any{}).expect(t, 200)
	}
	mails.Wait(twinEmail, before+len(both))
	for _, n := range both {
		runMailerClock(t, n.system)
	}
	links := map[string]string{}
	for _, m := range mailsTo(mails, twinEmail) {
		for _, n := range both {
			if !strings.Contains(m.From, n.sender) && strings.Contains(m.Body.Text, n.origin) {
				t.Errorf("a mail from %s leads elsewhere:\n%s", m.From, m.Body.Text)
			}
		}
		if found := passwordLinkPattern.FindStringSubmatch(strings.ReplaceAll(m.Body.Text, "\r\n", "\n")); found != nil {
			links[found[1]] = found[2]
		}
	}
	if len(links) != len(both) {
		t.Fatalf("links to %v", links)
	}
	for i, n := range both {
		link := map[string]any{"token": links[both[1-i].origin], "password": "four quick grey otters"}
		(&client{url: n.system.URL}).do(t, "POST", "/api/password/set", link).expectProblem(t, 400, "link")
		log := n.admin.do(t, "GET", "/api/communications?account="+n.id, nil).expect(t, 200)
		if strings.Contains(log.Body, `"state":"queued"`) || !strings.Contains(log.Body, `"state":"sent"`) {
			t.Errorf("%s", log.Body)
		}
	}
	for _, n := range both {
		link := map[string]any{"token": links[n.origin], "password": "four quick grey otters"}
		(&client{url: n.system.URL}).do(t, "POST", "/api/password/set", link).expect(t, 200)
	}
}
