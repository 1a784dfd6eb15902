package archtest

import "testing"

// allowedComparisons says of a comparison that SecretComparisons finds, by file and text, why its time tells nobody
// anything.
var allowedComparisons = map[string]string{
	"internal/access/key.go: p == AccountPassword":                                             "the name of a permission",
	"internal/dynamo/sessions/ticket.go: slices.Contains(m.Ticket.Proved, session.ByPassword)": "the name of a proof",
	"internal/breach/breach.go: strings.EqualFold(digest, rest)": "against a public list of " +
		"breached passwords; the range that was asked for is told to the service anyway",
	"internal/dynamo/account_write.go: after.PasswordHash != before.PasswordHash": "two states of one account, " +
		"neither of them sent by anybody",
	"internal/mfa/passkey.go: string(p.Credential) == string(credential)": "a passkey's id is public; its " +
		"signature is the proof",
	"internal/transfer/rollback.go: r.job.FileHash == r.fileHash": "the hash of a file, kept to see " +
		"whether it is the same one",
	"internal/transfer/importrun.go: r.job.FileHash != r.fileHash": "the hash of a file, kept to see " +
		"whether it is the same one",
	"internal/transfer/importrun.go: sha256Hex(data) != r.fileHash": "the hash of a file, kept to see " +
		"whether it is the same one",
}

// C26: no function, row, adapter or edge compares a secret, or a hash of one, but in constant time. What is here for
// people is looked at, and nothing that only tests or runs on a developer's machine.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	layout, packages, sources := project(t)
	seen := map[string]bool{}
	looked := 0
	for _, p := range packages {
		if place, _ := layout.place(p.Path()); place.Group == "tools" {
			continue
		}
		for _, s := range sources[p.ImportPath] {
			looked++
			for _, c := range SecretComparisons(s) {
				key := c.File + ": " + c.Text
				if seen[key] = true; allowedComparisons[key] == "" {
					t.Error(c.What)
				}
			}
		}
	}
	if looked < 100 {
		t.Errorf("only %d files were looked at", looked)
	}
	for key := range allowedComparisons {
		if !seen[key] {
			t.Errorf("%s is excused, and not there", key)
		}
	}
}

func TestSecretComparisonsFindsEveryWayToCompare(t *testing.T) {
	for text, count := range map[string]int{
		"a.Hash == b.Hash": 1, "a.Hash != wanted": 1, "bytes.Equal(t.Hash(), hash)": 1,
		"strings.EqualFold(given.Secret, x)": 1, "string(x) == string(token)": 1,
		"[]byte(x)[3] == secret[3]": 1, "slices.Contains(hashes, x)": 1, "slices.Contains(all, hash)": 1,
		"reflect.DeepEqual(nonce, x)": 1, "digest(x) == y": 1,
		"*token == x": 1, "hex.EncodeToString(mac) == x": 1, "strings.HasPrefix(x, secret)": 1,
		"a.Hash == nil": 0, `token == ""`: 0, "len(a.Hash) == len(b.Hash)": 0,
		"subtle.ConstantTimeCompare(a.Hash, b.Hash) == 1": 0, "hmac.Equal(mac, x)": 0,
		"answer.StatusCode == http.StatusOK": 0, "a.Code == b.Code": 0, "known[hash]": 0, "t == (Token{})": 0,
	} {
		find := func(s Source) []string { return make([]string, len(SecretComparisons(s))) }
		expectFindings(t, find, count, "internal/account/a.go", "package a\nvar v = "+text+"\n")
	}
	find := func(s Source) []string { return make([]string, len(SecretComparisons(s))) }
	expectFindings(t, find, 1, "internal/mfa/a.go", "package a\nvar v = a.Code == b.Code\n")
	expectFindings(t, find, 2, "internal/mfa/a.go", "package a\nfunc f() { switch token { case x, y, \"\": } }\n")
}
