package mail_test

import (
	"flag"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	ours "useraccounts/internal/mail"
)

var update = flag.Bool("update", false, "write the golden files anew")

func renderer() ours.Renderer {
	return ours.Renderer{PublicURL: "https://accounts.example.com", Sender: "no-reply@example.com"}
}

func message(kind ours.Kind) ours.Message {
	return ours.Message{
		ID: "01JZ0000000000000000000001", Env: "main", Kind: kind, AccountID: "01JZ0000000000000000000002", Username: "doej",
		To:   "j.doe@example.com",
		Name: "Jane Doe", Sender: "User Accounts", At: time.Date(2026, 7, 1, 9, 30, 0, 0, time.UTC),
		Expires: time.Date(2026, 7, 2, 9, 30, 0, 0, time.UTC),
		Detail:  "Payroll", RetentionDays: 730,
	}
}

// Every kind of mail says what its golden files say.
func TestMailsMatchTheirGoldenFiles(t *testing.T) {
	for _, kind := range ours.Kinds() {
		secret := ""
		if kind.HasSecret() {
			secret = "upl_SECRET"
		}
		got, err := renderer().Render(message(kind), secret)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if got.Subject == "" || got.Subject != ours.Subject(kind) || got.To != "j.doe@example.com" ||
			got.From != `"User Accounts" <no-reply@example.com>` {
			t.Errorf("%s: subject %q, to %q, from %q", kind, got.Subject, got.To, got.From)
		}
		for ending, have := range map[string]string{".txt": "Subject: " + got.Subject + "\n\n" + got.Text,
			".html": got.HTML} {
			path := filepath.Join("testdata", string(kind)+ending)
			if *update {
				if err := os.WriteFile(path, []byte(have), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || have != string(want) {
				t.Errorf("%s is not as %s has it (-update writes it anew): %v\n%s", kind, path, err, have)
			}
		}
		if linked := strings.Contains(got.Text,
			"https://accounts.example.com/set-password#upl_SECRET\n"); linked != (kind.HasSecret() && kind != ours.SignInCode) {
			t.Errorf("%s: a link: %v", kind, linked)
		}
	}
}

// What a person typed is escaped in HTML and stays on its line in text (C22).
func TestTypedTextIsEscaped(t *testing.T) {
	m := message(ours.PasswordChanged)
	m.Name, m.Username, m.Detail = "<img src=x onerror=alert(1)>", "a\r\nBcc: b@example.com",
		"\"><script>x</script>\u2028y\u202e"
	m.Sender = "Evil\r\nBcc: c@example.com"
	got, err := renderer().Render(m, "")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(got.HTML, "<img") || strings.Contains(got.HTML, "<script") ||
		strings.ContainsAny(got.HTML, "\u2028\u202e") {
		t.Errorf("markup or a control got through:\n%s", got.HTML)
	}
	if strings.Contains(got.Text, "\nBcc") || strings.ContainsAny(got.Text, "\r\u2028\u202e") ||
		strings.ContainsAny(got.From, "\r\n") {
		t.Errorf("a line got through:\n%s\n%s", got.Text, got.From)
	}
}

// Whoever has no address, or several, gets no mail (C19).
func TestAddressIsOne(t *testing.T) {
	for _, to := range []string{"", "a", "a@example.com, b@example.com", "A <a@example.com>",
		"a@example.com\r\nBcc: b@example.com", "<a@example.com>"} {
		m := message(ours.PasswordChanged)
		m.To = to
		if got, err := renderer().Render(m, ""); err == nil {
			t.Errorf("%q became %q", to, got.To)
		}
	}
}

// FuzzHeaders: whatever people typed, a mail has one sender, one addressee and a subject of ours, and no line more
// (V79).
func FuzzHeaders(f *testing.F) {
	f.Add("Jane", "j@example.com", "User Accounts", "x")
	f.Add("a\r\nBcc: b@c", "j@example.com\r\nBcc: b@c", "\"x\r\nBcc: b@c\" <e@f>", "\x00\u2028")
	f.Add("=?utf-8?q?x?=", "=?utf-8?q?x?=@example.com", "=?utf-8?q?=0D=0ABcc:?=", "{{.Secret}}")
	f.Fuzz(func(t *testing.T, name, to, sender, detail string) {
		for _, kind := range []ours.Kind{ours.Welcome, ours.FactorAdded} {
			m := message(kind)
			m.Name, m.To, m.Sender, m.Detail, m.Username = name, to, sender, detail, name
			got, err := renderer().Render(m, "SECRET")
			if err != nil {
				continue
			}
			for _, header := range []string{got.From, got.To, got.Subject} {
				if strings.ContainsFunc(header, unicode.IsControl) {
					t.Fatalf("a control in %q", header)
				}
			}
			from, err := mail.ParseAddressList(got.From)
			if err != nil || len(from) != 1 || from[0].Address != "no-reply@example.com" {
				t.Fatalf("from %q: %v", got.From, err)
			}
			if all, err := mail.ParseAddressList(got.To); err != nil || len(all) != 1 || all[0].Address != to ||
				got.Subject != ours.Subject(kind) {
				t.Fatalf("to %q, %v, subject %q", got.To, err, got.Subject)
			}
			if kind == ours.FactorAdded && (strings.Contains(got.Text, "SECRET") || strings.Contains(got.HTML, "SECRET")) {
				t.Fatal("a template in what a person typed was run")
			}
		}
	})
}
