package account

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
)

// Reader reads the account of a tab.
type Reader interface {
	// Get returns one account; NotFound if the caller's environment has no account with the id (V58).
	Get(ctx context.Context, sc access.Scope, id string) (Account, error)
}

// Editor is what the tabs of an account have in common: contact, delegations, notes. Each has its own version, so that
// people can edit different tabs of an account at the same time.
type Editor struct {
	Accounts Reader
	Now      func() time.Time
	NewID    func() string
}

// accountToChange returns the account of the tab, if the caller may change it.
func (d Editor) accountToChange(ctx context.Context, sc access.Scope, id string) (Account, error) {
	a, err := d.Accounts.Get(ctx, sc, id)
	if err != nil {
		return Account{}, err
	}
	return a, GuardAdministrator(sc, a)
}

func (d Editor) newEvent(sc access.Scope, kind auditlog.Kind) auditlog.Event {
	e := newEvent(sc, kind, d.Now().UTC().Truncate(time.Millisecond))
	e.ID = d.NewID()
	return e
}

// MaxNote is the longest note, in characters.
const MaxNote = 2000

// NoteStore keeps notes.
type NoteStore interface {
	// Note appends a note to the account's log; NotFound if the environment has no such account.
	Note(ctx context.Context, env environment.Environment, accountID string, e auditlog.Event) error
}

// Notes writes notes into the logs of accounts. Notes cannot be changed or deleted.
type Notes struct {
	Editor
	Store NoteStore
}

// Add appends a note.
func (n *Notes) Add(ctx context.Context, sc access.Scope, id, text string) (auditlog.Event, error) {
	text, invalid := cleanMultiline("text", "The note", text, MaxNote)
	if invalid == nil && text == "" {
		invalid = &fault.Field{Field: "text", Code: "required", Message: "Write something."}
	}
	if invalid != nil {
		return auditlog.Event{}, fault.InvalidFields([]fault.Field{*invalid})
	}
	a, err := n.accountToChange(ctx, sc, id)
	if err != nil {
		return auditlog.Event{}, err
	}
	e := n.newEvent(sc, auditlog.NoteAdded)
	e.Note = text
	return e, n.Store.Note(ctx, sc.Env, a.ID, e)
}

// cleanMultiline returns a text of several lines as it is stored, or what is wrong with it. All line breaks become \n.
func cleanMultiline(name, label, text string, maxLength int) (string, *fault.Field) {
	invalid := func(code, message string) (string, *fault.Field) {
		return "", &fault.Field{Field: name, Code: code, Message: message}
	}
	if !utf8.ValidString(text) {
		return invalid("notText", label+" contains bytes that are not text.")
	}
	lineBreaks := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n")
	clean := lineBreaks.Replace(norm.NFC.String(text))
	clean = strings.TrimFunc(clean, func(r rune) bool {
		return unicode.IsSpace(r) || r >= 0x200B && r <= 0x200F || r == 0x2060 || r == 0xFEFF
	})
	if strings.ContainsFunc(clean,
		func(r rune) bool { return r != '\n' && unicode.Is(unicode.Cc, r) || r == utf8.RuneError }) {
		return invalid("controlCharacter",
			label+" contains a tab or another control character; remove it. Line breaks are allowed.")
	}
	if utf8.RuneCountInString(clean) > maxLength {
		return invalid("tooLong", label+" is longer than "+strconv.Itoa(maxLength)+" characters; shorten it.")
	}
	return clean, nil
}
