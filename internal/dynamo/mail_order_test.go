package dynamo_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/field"
	"useraccounts/internal/signin"
)

// linkOwner is a person who resets a password: the link that works, and until when.
type linkOwner struct {
	account.Account
	link    string
	expires time.Time
}

// C17: in whatever order people ask for links, use them, theirs and others', old ones, cut ones and none, sign in, are
// given a password and let time pass, a password is set by the newest unused link of that account within its half hour,
// and by nothing else; all else hears the same. The order is of a seed, so that a failure can be repeated.
func TestResetsInAnyOrderNeedTheirOwnLink(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: the race detector has nothing to see")
	}
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed),
			func(t *testing.T) {
				resetsInOrder(t, rand.New(rand.NewPCG(seed, 17)))
			})
	}
}

func resetsInOrder(t *testing.T, r *rand.Rand) {
	p := newMailFixture(t)
	people := []*linkOwner{{Account: p.createAllowed(t, "one", nil)}, {Account: p.createAllowed(t, "two", nil)}}
	texts := []string{"", "upl_", "upl_x"} // every text that was ever a link, and some that never were
	wrong, right := wrongLink(t, p), 0
	for step := range 40 {
		who := people[r.IntN(len(people))]
		switch r.IntN(10) {
		case 0, 1:
			if link := p.requestLink(t, who.Username, who.Email); link != "" { // asked for too often, none is mailed
				who.link, who.expires = link, p.now.Add(30*time.Minute)
				texts = append(texts, link, link[:len(link)-1], "uat"+link[3:], link[:40])
			}
		case 2:
			p.now = p.now.Add(time.Duration(r.IntN(45)) * time.Minute)
		case 3:
			must(t, errOf(
				p.accounts.SetPassword(t.Context(), p.currentScope(t), who.ID, 0,
					account.NewPasswordRequest{Password: fmt.Sprintf("eleven quiet lamps %d", step)})))
			who.link = ""
		case 4:
			in, err := p.signin.Login(t.Context(), who.Username, "a guess", signin.ClientInfo{})
			if err == nil {
				t.Fatalf("step %d: a guess signs in: %+v", step, in)
			}
		default:
			text := texts[r.IntN(len(texts))]
			if r.IntN(3) == 0 {
				text = who.link
			}
			right += p.tryLink(t, fmt.Sprint("step ", step), text, wrong, people)
		}
	}
	for _, who := range people { // whatever happened, a link that is asked for now works, once
		p.now = p.now.Add(3 * time.Hour)
		who.link, who.expires = p.requestLink(t, who.Username, who.Email), p.now.Add(30*time.Minute)
		for range 2 {
			right += p.tryLink(t, "at the end", who.link, wrong, people)
			wrong = wrongLink(t, p)
		}
	}
	if right < 2 {
		t.Errorf("only %d links worked", right)
	}
}

// tryLink sets a password by a text and holds what happens against what is known; it returns 1 where it was a link that
// works.
func (p *mailFixture) tryLink(t *testing.T, step, text, wrong string, people []*linkOwner) int {
	t.Helper()
	var owner *linkOwner
	before := map[string]string{}
	for _, who := range people {
		before[who.ID] = p.read(t, who.ID).PasswordHash
		if text != "" && text == who.link && p.now.Before(who.expires) {
			owner = who
		}
	}
	p.requests++
	err := p.recovery.SetPassword(t.Context(), text, fmt.Sprintf("four quick grey otters %d", p.requests), "192.0.2.1")
	if (err == nil) != (owner != nil) || err != nil && err.Error() != wrong {
		t.Errorf("%s: %v, a link that works: %v", step, err, owner != nil)
	}
	for _, who := range people {
		if changed := p.read(t, who.ID).PasswordHash != before[who.ID]; changed != (who == owner) {
			t.Errorf("%s: the password of %s changed: %v", step, who.Username, changed)
		}
	}
	if owner == nil {
		return 0
	}
	owner.link = ""
	return 1
}

// C04, C03, C19: who forgot a password is found under every spelling that signs them in, and the mail goes to the
// address as it is stored.
func TestForgottenPasswordTakesEverySpelling(t *testing.T) {
	p := newMailFixture(t)
	a := p.createAllowed(t, "zoë", field.Patch{"email": "Zoe@example.com"})
	for _, spelling := range []string{"zoë", "ZOË", " zoë ", "zoe\u0308", "ｚｏë", "Zoe@example.com", "ZOE@EXAMPLE.COM",
		"zoe＠example.com\u00a0"} {
		p.now = p.now.Add(2 * time.Hour)
		if p.requestLink(t, spelling, a.Email) == "" {
			t.Errorf("%+q is mailed nothing", spelling)
		}
	}
}
