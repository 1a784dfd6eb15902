package account_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/credential"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// fieldAct is a change of fields that comes to a credential act.
type fieldAct struct {
	before account.Account
	patch  field.Patch
	// codes names a field of codes that bulk and copies change too.
	codes string
}

func fieldActs() map[credential.Act]fieldAct {
	required, own := testAccount("1"), testAccount("9", "ADMIN")
	required.MFARequired = true
	return map[credential.Act]fieldAct{
		credential.ChangeIdentity: {testAccount("1"), field.Patch{"email": "new@example.com"}, ""},
		credential.ChangeOwnEmail: {own, field.Patch{"email": "new@example.com"}, ""},
		credential.WaiveFactor:    {required, field.Patch{"mfaRequired": false}, ""},
		credential.GrantAccess:    {testAccount("1"), field.Patch{"roles": []string{"ADMIN"}}, "roles"},
		credential.SwitchAPIOnly:  {unusedAccount("1"), field.Patch{"userType": "API", "email": nil}, ""},
	}
}

// routeActs are the acts that no field does: each has routes of its own, which ask the rule by name.
func routeActs() map[credential.Act]bool {
	return map[credential.Act]bool{
		credential.SetPassword: true, credential.ResetPassword: true, credential.MailPassword: true,
		credential.RemoveFactor: true, credential.RemoveDevices: true, credential.ChangeOwn: true,
		credential.LinkIdentity: true, credential.UnlinkIdentity: true, credential.CreateKey: true,
		credential.LockKey: true, credential.CloseSessions: true, credential.WeakenSignIn: true,
	}
}

// doors are the ways in which fields of an account are changed. A door that a field act cannot come through returns
// false.
func doors() map[string]func(access.Scope, fieldAct) (error, bool) {
	rules := account.Rules{E164: func(string, string) string { return "" }}
	return map[string]func(access.Scope, fieldAct) (error, bool){
		"PATCH": func(sc access.Scope, a fieldAct) (error, bool) {
			s, _ := newService(a.before)
			_, err := s.Change(context.Background(), sc, a.before.ID, 0, a.patch)
			return err, true
		},
		"bulk": func(sc access.Scope, a fieldAct) (error, bool) {
			s, _ := newService(a.before)
			codes, _ := a.patch[a.codes].([]string)
			_, err := s.ChangeCodes(context.Background(), sc, a.before.ID, a.codes, codes, nil)
			return err, a.codes != ""
		},
		"copy": func(sc access.Scope, a fieldAct) (error, bool) {
			const from = "01JZ0000000000000000000002"
			codes, _ := a.patch[a.codes].([]string)
			s, _ := newService(a.before, testAccount(from, codes...))
			_, err := s.CopyAccess(context.Background(), sc, a.before.ID, 0, account.CopyAccessRequest{From: from})
			return err, a.codes != ""
		},
		"import": func(sc access.Scope, a fieldAct) (error, bool) {
			sc.Caller.RequestedAt = now
			_, err := rules.Change(sc, a.before, a.patch, now.Add(time.Hour))
			return err, true
		},
		"undo": func(sc access.Scope, a fieldAct) (error, bool) {
			w, err := rules.Change(scope(a.before.ID, "ADMIN"), a.before, a.patch, now)
			previous := w.After
			if err != nil { // what nobody does to themselves
				w, _ = rules.Change(scope("8", "ADMIN"), a.before, a.patch, now)
				previous = w.After
			}
			_, err = rules.Restore(sc, a.before, previous, now)
			return err, true
		},
	}
}

// V91: every door holds every act to its rule: permission, proof, guard and key. An act without a line, of fields or of
// routes, fails here.
func TestEveryDoorHoldsEveryAct(t *testing.T) {
	acts := fieldActs()
	for act := range credential.Rules() {
		if _, byField := acts[act]; byField == routeActs()[act] {
			t.Errorf("%s needs one line: in fieldActs or in routeActs", act)
		}
	}
	all := access.Permissions(testCatalogue(), []string{"ADMIN"}, nil)
	for act, a := range acts {
		rule := credential.Rules()[act]
		for name, door := range doors() {
			try := func(what, want string, change func(*access.Scope)) {
				t.Helper()
				sc := scope("9", "ADMIN")
				change(&sc)
				err, applies := door(sc, a)
				if applies && (want == "" && err != nil || want != "" && !fault.HasCode(err, want)) {
					t.Errorf("%s by %s, %s: %v, want %q", act, name, what, err, want)
				}
			}
			try("as it should be", "", func(*access.Scope) {})
			if rule.Permission != "" && rule.Permission != access.AccountUpdate { // which the routes ask for
				try("without "+string(rule.Permission), "forbidden", func(sc *access.Scope) {
					sc.Caller.Permissions = maps.Clone(all)
					delete(sc.Caller.Permissions, rule.Permission)
				})
			}
			if rule.Proof != credential.NoProof {
				try("from an old session", credential.CodeProofNeeded, func(sc *access.Scope) {
					sc.Caller.AuthenticatedAt = now.Add(-environmentProofLimit - time.Second)
				})
			}
			if rule.Keys == credential.KeysNever {
				try("by a key", "keyNotAllowed", func(sc *access.Scope) { sc.Caller.KeyID = "K" })
			}
		}
	}
}

// environmentProofLimit is how old a proof may be in an environment that never set it.
const environmentProofLimit = 5 * time.Minute

// V91: account.update alone takes nothing from somebody's sign-in, and nobody exempts themselves.
func TestNoFieldStripsASignIn(t *testing.T) {
	editor := scope("9", "EDITOR")
	required, self := testAccount("1"), testAccount("9", "ADMIN")
	required.MFARequired, self.MFARequired = true, true
	for name, c := range map[string]struct {
		sc     access.Scope
		before account.Account
		patch  field.Patch
		want   string
	}{
		"a licence for API clients":     {editor, testAccount("1"), field.Patch{"userType": "API"}, "used"},
		"no second factor required":     {editor, required, field.Patch{"mfaRequired": false}, "forbidden"},
		"no second factor of one's own": {scope("9", "ADMIN"), self, field.Patch{"mfaRequired": false}, "self"},
		"a DAC group for oneself": {
			dacScope("9"), testAccount("9", "ADMIN"), field.Patch{"dacGroups": []string{"DAC1"}}, "self",
		},
		"a higher colleague's email": {
			editor, testAccount("1", "DESK"), field.Patch{"email": "x@example.com"}, "aboveOwnRights",
		},
		"an administrator's email by a key": {
			keyScope(), testAccount("1", "ADMIN"), field.Patch{"email": "x@example.com"}, "keyNotAllowed",
		},
	} {
		s, m := newService(c.before)
		_, err := s.Change(context.Background(), c.sc, c.before.ID, 0, c.patch)
		if !fault.HasCode(err, c.want) || len(m.writes) != 0 {
			t.Errorf("%s: %v, %d writes; want %s", name, err, len(m.writes), c.want)
		}
	}
}

func dacScope(id string) access.Scope {
	sc := scope(id, "ADMIN")
	sc.Env.Settings.DACEnabled = true
	return sc
}

func keyScope() access.Scope {
	sc := scope("9", "ADMIN")
	sc.Caller = sc.Caller.AsAPIKey("K")
	sc.Caller.Permissions[access.AccountAdmin] = struct{}{} // so that no other guard answers first
	return sc
}
