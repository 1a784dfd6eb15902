package dynamo_test

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// V24, V36, V37: each secret that is handed out is of 256 bits, another one each time, and in the table as its hash
// alone: of a sign-in's steps, its tokens, the device that is remembered, and a link.
func TestOfSecretsTheTableHasTheHash(t *testing.T) {
	p := newMailFixture(t)
	o := newOwner(t, p.fixture, "owner", nil)
	seed, codes := o.enrol(t)
	seen := map[string]bool{}
	expectStored := func(what string, given token.Token, prefix string, secrets int) {
		t.Helper()
		text := given.Reveal()
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, prefix))
		if err != nil || !strings.HasPrefix(text, prefix) || len(raw) != 32+32*secrets { // two ids and the secrets
			t.Fatalf("%s is no such token, or has less than 256 bits: %d bytes, %v", what, len(raw), err)
		}
		for n := range secrets {
			secret := raw[32+32*n:][:32]
			if seen[string(secret)] || slices.Max(secret) == slices.Min(secret) {
				t.Errorf("%s has a secret that was handed out before, or is none", what)
			}
			seen[string(secret)] = true
			for _, form := range []string{string(secret), base64.RawURLEncoding.EncodeToString(secret),
				base64.StdEncoding.EncodeToString(secret)} {
				if at := scanFor(t, p.table.Client, p.table.Name, form); at != "" {
					t.Errorf("%s stands in %s", what, at)
				}
			}
		}
		if scanFor(t, p.table.Client, p.table.Name, string(given.Hash())) == "" || len(given.Hash()) != sha256.Size {
			t.Errorf("%s: its hash is not found either, so this test sees nothing", what)
		}
	}
	for range 3 {
		o.now = o.now.Add(time.Hour)
		ticket := o.login(t, "").Ticket
		expectStored("the ticket", ticket, "uat_", 1)
		got, err := o.prove(ticket, mfa.TOTP, codeOf(t, seed, o.now), true)
		if err != nil || got.Next != session.Done {
			t.Fatalf("%+v, %v", got, err)
		}
		expectStored("the access token", got.Access, "uas_", 1)
		expectStored("the refresh token", got.Refresh, "uar_", 2)
		expectStored("the device", got.DeviceToken, "uad_", 1)
	}
	a := p.createAllowed(t, "mailed", nil)
	link, err := token.Parse(token.PasswordLink, p.requestLink(t, a.Username, a.Email))
	must(t, err)
	expectStored("the link", link, "upl_", 1)
	for _, plain := range append(codes, strings.ReplaceAll(codes[0], "-", ""), seed, ownPassword) { // V30, V32
		if at := scanFor(t, p.table.Client, p.table.Name, plain); at != "" {
			t.Errorf("%q stands in %s", plain, at)
		}
	}
}

// V35: whoever's second factor is removed or not enforced any more by an administrator, and whose devices are
// forgotten, is told, once for each, and not of what was so already.
func TestWeakenedSignInsAreTold(t *testing.T) {
	p := newMailFixture(t)
	a := p.createAllowed(t, "told", nil)
	scope := p.currentScope(t)
	scope.Env.Settings.EmailCodeAllowed = true // so that there is something to remove
	for range 2 {
		must(t, errOf(p.accounts.DoNotEnforceMFA(t.Context(), p.currentScope(t), a.ID, 0)))
	}
	must(t, errOf(p.accounts.RemoveMFA(t.Context(), scope, a.ID, 0)))
	must(t, errOf(p.accounts.ForgetDevices(t.Context(), p.currentScope(t), a.ID, 0)))
	var kinds []mail.Kind
	for _, m := range p.mails(t, a.Email) {
		kinds = append(kinds, m.Kind)
		if m.AccountID != a.ID || len(m.Sealed) > 0 {
			t.Errorf("%+v", m)
		}
	}
	if want := []mail.Kind{mail.FactorExempt, mail.FactorRemoved, mail.DevicesRemoved}; !slices.Equal(kinds, want) {
		t.Errorf("told of %v, want %v", kinds, want)
	}
	// One device alone, by its owner here as by an administrator: told once, as it is gone the second time.
	o := newOwner(t, p.fixture, "rid", field.Patch{"email": "rid@example.com"})
	seed, _ := o.enrol(t)
	o.selfService.Mail, o.now = p.accounts.Mail, o.now.Add(time.Minute)
	_, err := o.prove(o.login(t, "").Ticket, mfa.TOTP, codeOf(t, seed, o.now), true)
	must(t, err)
	have, err := o.selfService.Status(t.Context(), p.currentScope(t), o.id)
	must(t, err)
	must(t, o.selfService.ForgetDevice(t.Context(), p.currentScope(t), o.id, have.Devices[0].ID))
	if err := o.selfService.ForgetDevice(t.Context(), p.currentScope(t), o.id, have.Devices[0].ID); !fault.Is(err,
		fault.NotFound) {
		t.Error(err)
	}
	told := p.mails(t, "rid@example.com")
	if told = slices.DeleteFunc(told, func(m openedMail) bool { return m.Kind != mail.DevicesRemoved }); len(told) != 1 ||
		told[0].AccountID != o.id {
		t.Errorf("%+v", told)
	}
	if after := p.read(t, a.ID); !after.MFAExempt || after.Epoch == a.Epoch || after.DeviceEpoch == a.DeviceEpoch {
		t.Errorf("%+v", account.Account{MFAExempt: after.MFAExempt, Epoch: after.Epoch, DeviceEpoch: after.DeviceEpoch})
	}
}
