package mail

import (
	"bytes"
	"errors"
	htmltemplate "html/template"
	netmail "net/mail"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode"
)

// Email is a rendered mail.
type Email struct {
	// ID is that of the message, which is passed to the mail service as a tag.
	ID            string
	From, To      string
	Subject       string
	Text, HTML    string
	Kind          Kind
	EnvironmentID string
}

// content is the text of a kind of mail: paragraphs of template text, which become the plain mail and, escaped, the
// HTML one. The subject is a constant, so that nothing that a person typed can reach a header (V79).
type content struct {
	subject    string
	paragraphs []string
	// button is the label of the link in HTML.
	button string
}

const ignoreNotice = "If you did not request this, you need not do anything: nothing changes unless the link is used."

// notYouNotice is the last sentence of notices.
const notYouNotice = "If this was not you, tell your administrator at once."

func contentOf(k Kind) (content, bool) {
	t, ok := map[Kind]content{
		Welcome: {subject: "Your new account: set your password", button: "Set your password", paragraphs: []string{
			"An account was created for you. Your username is {{.Username}}.",
			"Set your password with the link below. It works once, until {{.Expires}}.",
			"You can sign in as soon as an administrator allows you login access.",
		}},
		PasswordLink: {subject: "Set your password", button: "Set your password", paragraphs: []string{
			"An administrator sent you this link to set a new password for the account {{.Username}}.",
			"It works once, until {{.Expires}}. A newer link replaces it.",
		}},
		ForgottenPasswordLink: {subject: "Set a new password", button: "Set a new password", paragraphs: []string{
			"Somebody, probably you, requested a new password for the account {{.Username}}.",
			"Set it with the link below. It works once, until {{.Expires}}. A newer link replaces it.",
			ignoreNotice,
		}},
		PasswordChanged: {subject: "Your password was changed", paragraphs: []string{
			"The password of your account {{.Username}} was changed at {{.At}}.{{with .Detail}} {{.}}{{end}}", notYouNotice,
		}},
		BlockedByTries: {subject: "Your account is blocked after failed tries", paragraphs: []string{
			"Too many wrong passwords were entered for your account {{.Username}}, the last one at {{.At}}. Login access is " +
				"blocked.",
			"You can still sign in where you did within the last 30 days, or with a passkey.",
			"{{with .Detail}}{{.}} {{end}}You can request a new password, or ask your administrator to reset the failed tries.",
			"If it was not you, tell your administrator.",
		}},
		FactorAdded: {subject: "A second factor was set up", paragraphs: []string{
			"A second factor was set up for your account {{.Username}} at {{.At}}.{{with .Detail}} {{.}}{{end}}", notYouNotice,
		}},
		FactorRemoved: {subject: "A second factor was removed", paragraphs: []string{
			"A second factor of your account {{.Username}} was removed at {{.At}}.{{with .Detail}} {{.}}{{end}}", notYouNotice,
		}},
		FactorExempt: {subject: "You are no longer required to use a second factor", paragraphs: []string{
			"At {{.At}} an administrator allowed your account {{.Username}} to sign in without a second factor. If you have " +
				"set one up, you are still asked for it.",
			"If you did not request this, tell your administrator at once.",
		}},
		DevicesRemoved: {subject: "Trusted devices were removed", paragraphs: []string{
			"Trusted devices of your account {{.Username}} were removed at {{.At}}.{{with .Detail}} {{.}}{{end}}",
			notYouNotice,
		}},
		IdentityLinked: {subject: "A way to sign in to your account was added", paragraphs: []string{
			"Your account {{.Username}} was linked to an identity at {{.Detail}} at {{.At}}. Whoever signs in there with " +
				"that identity can sign in to your account.", notYouNotice,
		}},
		IdentityUnlinked: {subject: "A way to sign in to your account was removed", paragraphs: []string{
			"The link of your account {{.Username}} to an identity at {{.Detail}} was removed at {{.At}}. You can no longer " +
				"sign in with it.", notYouNotice,
		}},
		EmailChanged: {subject: "The email of your account was changed", paragraphs: []string{
			"The email of the account {{.Username}} was changed at {{.At}}. Mails about the account come to the new address " +
				"from now on, and no longer to the former one.{{with .Detail}} {{.}}{{end}}", notYouNotice,
		}},
		UsernameChanged: {subject: "The username of your account was changed", paragraphs: []string{
			"Your account has the username {{.Username}} since {{.At}}.{{with .Detail}} {{.}}{{end}} Sign in with it, or " +
				"with your email.", notYouNotice,
		}},
		SignInCode: {subject: "Your sign-in code", paragraphs: []string{
			"Your code to sign in as {{.Username}} is", "{{.Secret}}",
			"It works once, until {{.Expires}}. We will never ask you for this code.",
		}},
		KeyExpires: {subject: "An API key is about to expire", paragraphs: []string{
			"The API key {{.Detail}} of the account {{.Username}} expires at {{.Expires}}.",
			"Have a new key created and configure the program with it before then; both keys work until then.",
		}},
		KeyCreated: {subject: "An API key was created", paragraphs: []string{
			"The API key {{.Detail}} was created for the account {{.Username}} at {{.At}}. Whoever has it can act as that " +
				"account.",
			"If you do not know of it, tell your administrator at once.",
		}},
		KeyLocked: {subject: "An API key was locked", paragraphs: []string{
			"The API key {{.Detail}} of the account {{.Username}} was locked at {{.At}}. Programs that use it no longer get in.",
			"If you do not know why, ask your administrator.",
		}},
	}[k]
	return t, ok
}

// Subject returns the subject of a kind of mail.
func Subject(k Kind) string {
	t, _ := contentOf(k)
	return t.subject
}

// Renderer renders messages as mails.
type Renderer struct {
	// PublicURL is the origin of all links, whatever a request's headers say (C18).
	PublicURL string
	// Sender is the address that mails come from.
	Sender string
}

// templateData is what the templates can use.
type templateData struct {
	Name, Username, Detail, At, Expires, Secret, Link, Button string
	SenderName                                                string
	Paragraphs                                                []htmltemplate.HTML
}

// ErrAddress is returned for a message without a valid address.
var ErrAddress = errors.New("mail: no address")

// linkPath is the page that a link opens. The token is in the fragment, which browsers send to no server (C18).
const linkPath = "/set-password#"

// Render returns the mail of a message; secret is its link's token or its code.
func (w Renderer) Render(m Message, secret string) (Email, error) {
	t, known := contentOf(m.Kind)
	to, err := parseAddress(m.To)
	if err != nil || !known {
		return Email{}, errors.Join(ErrAddress, err)
	}
	f := templateData{
		Name: singleLine(m.Name), Username: singleLine(m.Username), Detail: singleLine(m.Detail), At: formatTime(m.At),
		Expires:    formatTime(m.Expires),
		SenderName: singleLine(m.Sender),
	}
	if t.button != "" {
		f.Link, f.Button = strings.TrimSuffix(w.PublicURL, "/")+linkPath+secret, t.button
	} else {
		f.Secret = secret
	}
	out := Email{
		ID: m.ID, EnvironmentID: m.Env, Kind: m.Kind, To: to, Subject: t.subject,
		From: (&netmail.Address{Name: f.SenderName, Address: w.Sender}).String(),
	}
	if out.Text, err = renderText(t, f); err != nil {
		return Email{}, err
	}
	out.HTML, err = renderHTML(t, f)
	return out, err
}

// parseAddress returns text if it is one bare address.
func parseAddress(text string) (string, error) {
	a, err := netmail.ParseAddress(text)
	if err != nil || strings.ContainsFunc(a.Address, unicode.IsControl) || a.Name != "" || a.Address != text {
		return "", errors.Join(ErrAddress, err)
	}
	return a.Address, nil
}

// singleLine keeps what a person typed on one line, without control characters and line separators.
func singleLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 January 2006 15:04") + " UTC"
}

func renderText(t content, f templateData) (string, error) {
	var out bytes.Buffer
	if f.Name != "" {
		out.WriteString("Dear " + f.Name + ",\n\n")
	}
	for _, paragraph := range t.paragraphs {
		parsed, err := texttemplate.New("").Parse(paragraph + "\n\n")
		if err != nil {
			return "", err
		}
		if err := parsed.Execute(&out, f); err != nil {
			return "", err
		}
	}
	if f.Link != "" {
		out.WriteString(f.Link + "\n\n")
	}
	out.WriteString(f.SenderName + "\n")
	return out.String(), nil
}

const htmlPage = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Button}}</title></head>
<body style="font-family:sans-serif;line-height:1.5;color:#222;max-width:36em">
{{with .Name}}<p>Dear {{.}},</p>
{{end}}{{range .Paragraphs}}<p>{{.}}</p>
{{end}}{{with .Link}}<p><a href="{{.}}"
 style="background:#1a56a0;color:#fff;padding:.6em 1.2em;text-decoration:none">{{$.Button}}</a></p>
<p style="font-size:smaller">{{.}}</p>
{{end}}<p>{{.SenderName}}</p>
</body></html>
`

func renderHTML(t content, f templateData) (string, error) {
	for _, line := range t.paragraphs {
		parsed, err := htmltemplate.New("").Parse(line)
		if err != nil {
			return "", err
		}
		var paragraph bytes.Buffer
		if err := parsed.Execute(&paragraph, f); err != nil {
			return "", err
		}
		f.Paragraphs = append(f.Paragraphs,
			htmltemplate.HTML(paragraph.String())) //nolint:gosec // escaped by its own template a line above
	}
	if f.Button == "" {
		f.Button = t.subject
	}
	parsed, err := htmltemplate.New("").Parse(htmlPage)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, f)
	return out.String(), err
}
