package boot

import (
	"log/slog"
	"strings"
)

// Secret is a text that is printed, logged and marshalled as [secret].
type Secret struct{ text string }

// minSecret is the minimum length of a secret in bytes: 128 bits in hexadecimal.
const minSecret = 32

// Reveal returns the secret's text, for the call that needs it.
func (s Secret) Reveal() string { return s.text }

// String keeps a secret out of logs and error texts.
func (s Secret) String() string { return "[secret]" }

// GoString keeps a secret out of %#v.
func (s Secret) GoString() string { return "[secret]" }

// LogValue keeps a secret out of slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText keeps a secret out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// placeholders are words that people leave in examples and templates (C45).
const placeholders = "change default example placeholder insert replace secret password dummy sample todo xxxx " +
	"your_ your- <"

// rejectReason returns why the secret is rejected, or "" (V88).
func (s Secret) rejectReason() string {
	folded := strings.ToLower(s.text)
	for word := range strings.FieldsSeq(placeholders) {
		if strings.Contains(folded, word) {
			return "is a placeholder, not a secret; make a random one"
		}
	}
	if len(s.text) < minSecret {
		return "is shorter than 32 characters; make a random one"
	}
	distinct := map[byte]bool{}
	for i := range len(s.text) {
		distinct[s.text[i]] = true
	}
	if len(distinct) < 8 {
		return "repeats a few characters; make a random one"
	}
	return ""
}
