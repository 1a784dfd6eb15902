package account

import (
	"context"
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

// Reader reads the account that a tab belongs to.
type Reader interface {
	// Get returns one account; NotFound if the caller's environment has none of that id (V58).
	Get(ctx context.Context, sc access.Scope, id string) (Account, error)
}

// Editor is what the tabs of an account have in common: contact, delegations, notes. What they keep has versions of its
// own, so that two people working on two tabs do not get into each other's way.
type Editor struct {
	Accounts Reader
	Now      func() time.Time
	NewID    func() string
}

// accountToChange returns the account whose tab the caller is about to change, if they may.
func (d Editor) accountToChange(ctx context.Context, sc access.Scope, id string) (Account, error) {
	a, err := d.Accounts.Get(ctx, sc, id)
	if err != nil {
		return Account{}, err
	}
	return a, GuardAdministrator(sc, a)
}

func (d Editor) newEvent(sc access.Scope, kind auditlog.Kind) auditlog.Event {
	return auditlog.Event{
		ID: d.NewID(), At: d.Now().UTC().Truncate(time.Millisecond), Kind: kind, By: sc.Caller.Username,
		ByID: sc.Caller.AccountID,
		Key:  sc.Caller.KeyID, RetentionDays: sc.Env.Settings.LogRetentionDays,
	}
}

// busyFault is the fault of a tab that others change faster than one can look.
func busyFault() error {
	return fault.New(fault.Conflict, "busy",
		"This is being changed by others just now; try again.").WithRetryAfter(time.Second)
}

// MaxNote is the longest note, in characters.
const MaxNote = 2000

// NoteStore keeps notes.
type NoteStore interface {
	// Note appends a note to the account's log; NotFound if the environment has no such account.
	Note(ctx context.Context, env environment.Environment, accountID string, e auditlog.Event) error
}

// Notes writes notes into the logs of accounts. Nobody changes or deletes them.
type Notes struct {
	Editor
	Store NoteStore
}

// Add appends a note.
func (n *Notes) Add(ctx context.Context, sc access.Scope, id, text string) (auditlog.Event, error) {
	text, bad := cleanMultiline("text", "The note", text, MaxNote)
	if bad == nil && text == "" {
		bad = &fault.Field{Field: "text", Code: "required", Message: "Write something."}
	}
	if bad != nil {
		return auditlog.Event{}, fault.InvalidFields([]fault.Field{*bad})
	}
	a, err := n.accountToChange(ctx, sc, id)
	if err != nil {
		return auditlog.Event{}, err
	}
	e := n.newEvent(sc, auditlog.NoteAdded)
	e.Note = text
	return e, n.Store.Note(ctx, sc.Env, a.ID, e)
}

// cleanMultiline returns text of several lines as it is kept, or what is wrong with it. Line breaks of every system
// become \n.
func cleanMultiline(name, label, text string, maxLength int) (string, *fault.Field) {
	wrong := func(code, message string) (string, *fault.Field) {
		return "", &fault.Field{Field: name, Code: code, Message: message}
	}
	if !utf8.ValidString(text) {
		return wrong("notText", label+" holds bytes that are not text.")
	}
	clean := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085",
		"\n").Replace(norm.NFC.String(text))
	clean = strings.TrimFunc(clean, func(r rune) bool {
		return unicode.IsSpace(r) || r >= 0x200B && r <= 0x200F || r == 0x2060 || r == 0xFEFF
	})
	if strings.ContainsFunc(clean,
		func(r rune) bool { return r != '\n' && unicode.Is(unicode.Cc, r) || r == utf8.RuneError }) {
		return wrong("controlCharacter",
			label+" holds a tab or another control character; take it out. Line breaks are fine.")
	}
	if utf8.RuneCountInString(clean) > maxLength {
		return wrong("tooLong", label+" is longer than the "+count(maxLength)+" characters there may be; shorten it.")
	}
	return clean, nil
}
