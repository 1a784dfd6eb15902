package mail_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"useraccounts/internal/mail"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func renderer() mail.Renderer {
	return mail.Renderer{PublicURL: "https://accounts.example.com", Sender: "no-reply@example.com"}
}

func message(kind mail.Kind) mail.Message {
	return mail.Message{
		ID: "01JZ0000000000000000000001", Env: "main", Kind: kind, AccountID: "01JZ0000000000000000000002", Username: "doej",
		To:   "j.doe@example.com",
		Name: "Jane Doe", Sender: "User Accounts", At: time.Date(2026, 7, 1, 9, 30, 0, 0, time.UTC),
		Expires: time.Date(2026, 7, 2, 9, 30, 0, 0, time.UTC),
		Detail:  "Payroll", RetentionDays: 730,
	}
}

// Every kind of mail reads as its golden files say. A kind that is missing somewhere fails with the file to change.
func TestMailsMatchTheirGoldenFiles(t *testing.T) {
	for _, kind := range declaredKinds(t) {
		if problem := goldenProblem(t, kind); problem != "" {
			t.Errorf("mail kind %s: %s", kind, problem)
		}
	}
}

// goldenProblem returns what is wrong with the texts of a kind, the first thing to change only.
func goldenProblem(t *testing.T, kind mail.Kind) string {
	t.Helper()
	if !slices.Contains(mail.Kinds(), kind) {
		return "add it to Kinds() in internal/mail/message.go"
	}
	if mail.Subject(kind) == "" {
		return "add its subject and paragraphs to contentOf in internal/mail/texts.go"
	}
	secret := ""
	if kind.HasSecret() {
		secret = "upl_SECRET"
	}
	got, err := renderer().Render(message(kind), secret)
	if err != nil {
		return "internal/mail/texts.go: " + err.Error()
	}
	if got.Subject != mail.Subject(kind) || got.To != "j.doe@example.com" ||
		got.From != `"User Accounts" <no-reply@example.com>` {
		return fmt.Sprintf("subject %q, to %q, from %q", got.Subject, got.To, got.From)
	}
	linked := strings.Contains(got.Text, "https://accounts.example.com/set-password#upl_SECRET\n")
	if linked != (kind.HasSecret() && kind != mail.SignInCode) {
		return fmt.Sprintf("a link in its text: %v", linked)
	}
	var stale []string
	rendered := map[string]string{".txt": "Subject: " + got.Subject + "\n\n" + got.Text, ".html": got.HTML}
	for extension, have := range rendered {
		path := filepath.Join("testdata", string(kind)+extension)
		if *update {
			if err := os.WriteFile(path, []byte(have), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(path); err != nil || have != string(want) {
			stale = append(stale, "internal/mail/"+path)
		}
	}
	if len(stale) > 0 {
		slices.Sort(stale)
		return strings.Join(stale, " and ") +
			" missing or not what it says now; go test ./internal/mail -update writes them:\n" + got.Text
	}
	return ""
}

// declaredKinds returns the constants of type Kind, whether Kinds() has them or not.
func declaredKinds(t *testing.T) []mail.Kind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "message.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []mail.Kind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != "Kind" {
			return true
		}
		for _, value := range spec.Values {
			if literal, ok := value.(*ast.BasicLit); ok {
				out = append(out, mail.Kind(strings.Trim(literal.Value, `"`)))
			}
		}
		return true
	})
	if len(out) < len(mail.Kinds()) {
		t.Fatalf("found only %d kinds in message.go", len(out))
	}
	return out
}

// Typed text is escaped in HTML and stays on its line in plain text (C22).
func TestTypedTextIsEscaped(t *testing.T) {
	m := message(mail.PasswordChanged)
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

// A message without exactly one address is not rendered (C19).
func TestAddressIsOne(t *testing.T) {
	for _, to := range []string{
		"", "a", "a@example.com, b@example.com", "A <a@example.com>",
		"a@example.com\r\nBcc: b@example.com", "<a@example.com>",
	} {
		m := message(mail.PasswordChanged)
		m.To = to
		if got, err := renderer().Render(m, ""); err == nil {
			t.Errorf("%q became %q", to, got.To)
		}
	}
}

// FuzzHeaders: whatever people typed, a mail has one sender, one recipient, a constant subject and no further header
// (V79).
func FuzzHeaders(f *testing.F) {
	f.Add("Jane", "j@example.com", "User Accounts", "x")
	f.Add("a\r\nBcc: b@c", "j@example.com\r\nBcc: b@c", "\"x\r\nBcc: b@c\" <e@f>", "\x00\u2028")
	f.Add("=?utf-8?q?x?=", "=?utf-8?q?x?=@example.com", "=?utf-8?q?=0D=0ABcc:?=", "{{.Secret}}")
	f.Fuzz(func(t *testing.T, name, to, sender, detail string) {
		for _, kind := range []mail.Kind{mail.Welcome, mail.FactorAdded} {
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
			from, err := netmail.ParseAddressList(got.From)
			if err != nil || len(from) != 1 || from[0].Address != "no-reply@example.com" {
				t.Fatalf("from %q: %v", got.From, err)
			}
			if all, err := netmail.ParseAddressList(got.To); err != nil || len(all) != 1 || all[0].Address != to ||
				got.Subject != mail.Subject(kind) {
				t.Fatalf("to %q, %v, subject %q", got.To, err, got.Subject)
			}
			if kind == mail.FactorAdded && (strings.Contains(got.Text, "SECRET") || strings.Contains(got.HTML, "SECRET")) {
				t.Fatal("a template in what a person typed was run")
			}
		}
	})
}
