package systemtest_test

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"useraccounts/internal/local/issuertest"
)

// V95: strangers' guesses block the account. Its owner still signs in from the network that they signed in from before,
// by every identifier, and confirms who they are there; from elsewhere nobody does. Their own wrong passwords are
// counted there, without touching the account, and when they are used up the network is like any other.
func TestStrangersCannotLockOutOfAKnownNetwork(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	id := admin.createUser(t, "neighbour", userPassword, nil).text(t, "id")
	own := admin.signedInAs(t, "neighbour", userPassword)
	admin.attemptSignIns(t, "neighbour@example.com", "wrong", 20)
	for _, who := range []string{"neighbour", "Neighbour@example.com"} {
		admin.signedInAs(t, who, userPassword)
		admin.attemptSignIns(t, who, userPassword, 1).expectProblem(t, 401, "signInRefused")
	}
	own.do(t, "POST", "/api/me/proof", map[string]any{"password": userPassword}).expect(t, 200)
	shown := admin.do(t, "GET", "/api/accounts/"+id, nil).expect(t, 200).members(t)
	if shown["failedTries"] != 5.0 || shown["status"] != "tooManyTries" {
		t.Errorf("%v failed tries, %v", shown["failedTries"], shown["status"])
	}
	at := func(password string) response {
		return (&client{url: admin.url}).do(t, "POST", "/api/login",
			map[string]any{"identifier": "neighbour", "password": password})
	}
	for range 5 {
		at("wrong").expectProblem(t, 401, "signInRefused")
	}
	at(userPassword).expectProblem(t, 401, "signInRefused")
	admin.do(t, "POST", "/api/accounts/"+id+"/reset-tries", nil).expect(t, 200)
	at(userPassword).expect(t, 200)
}

// V95, measured: strangers guess twice a second, for 130 seconds, at four accounts. The owners come in each time that
// they try, 32 times each: from a known network, and from a network of their own by passkey, by a provider, and with a
// trusted device.
func TestStrangersWhoGuessForLongKeepNobodyOut(t *testing.T) {
	if os.Getenv("LONG") == "" {
		t.Skip("make long runs it: it takes 130 seconds")
	}
	t.Parallel()
	s := startSSO(t, map[string]string{"PublicUrl": publicURL})
	s.admin.createUser(t, "at-home", userPassword, nil)
	s.admin.signedInAs(t, "at-home", userPassword)
	_, key, _ := s.admin.createUserWithPasskey(t, "with-passkey")
	s.createLinkedUser(t, "by-provider", "sub-besieged")
	_, _, codes, _ := s.admin.createUserWithTOTP(t, "with-device")
	device := s.admin.trustDevice(t, "with-device", codes[0])

	away := &client{url: s.admin.url, from: "127.0.2.1"}
	var turn int
	owners := map[string]func() response{
		"at-home": func() response {
			turn++
			return s.anonymous().do(t, "POST", "/api/login", map[string]any{
				"identifier": []string{"at-home", "at-home@example.com"}[turn%2], "password": userPassword})
		},
		"with-passkey": func() response {
			asked := away.do(t, "POST", "/api/login/passkey/begin", nil).expect(t, 200)
			return away.do(t, "POST", "/api/login/passkey", map[string]any{"credential": key.assert(t, asked)})
		},
		"by-provider": func() response {
			return away.do(t, "POST", "/api/sso/return", away.authorizeAt(t, "/api/sso/providers/"+s.oidcID+"/depart",
				s.issuer, issuertest.Claims{"sub": "sub-besieged"}))
		},
		"with-device": func() response {
			got := away.do(t, "POST", "/api/login",
				map[string]any{"identifier": "with-device", "password": userPassword, "device": device})
			if got.Status == 200 {
				device = got.text(t, "deviceToken")
			}
			return got
		},
	}
	const lasts, pause, tries = 130 * time.Second, 500 * time.Millisecond, 32
	over := time.Now().Add(lasts)
	var guesses atomic.Int64
	var strangers sync.WaitGroup
	for i, who := range []string{"at-home", "with-passkey", "by-provider", "with-device"} {
		guesser := &client{url: s.admin.url, from: []string{elsewhere, "127.0.1.2", "127.0.1.3", "127.0.1.4"}[i]}
		strangers.Go(func() {
			for tick := time.NewTicker(pause); time.Now().Before(over); <-tick.C {
				guesser.do(t, "POST", "/api/login", map[string]any{"identifier": who, "password": "a wrong guess"})
				guesses.Add(1)
			}
		})
	}
	time.Sleep(3 * time.Second) // the accounts are blocked by now
	in := map[string]int{}
	for n := range tries {
		for who, try := range owners {
			if got := try(); got.Status == 200 && got.text(t, "next") == "done" {
				in[who]++
			} else {
				t.Errorf("%s, try %d: %d %s", who, n+1, got.Status, got.Body)
			}
		}
		time.Sleep(time.Until(over.Add(-time.Duration(tries-1-n) * (lasts - 4*time.Second) / tries)))
	}
	strangers.Wait()
	s.admin.attemptSignIns(t, "at-home", userPassword, 1).expectProblem(t, 401, "signInRefused")
	t.Logf("%d guesses in %s; of %d tries each the owners came in: %v", guesses.Load(), lasts, tries, in)
	if guesses.Load() < 4*2*130*9/10 {
		t.Errorf("%d guesses only", guesses.Load())
	}
}
