package dynamo_test

import (
	"fmt"
	"slices"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// V62: of edits that read the same version one is written, and the others are told what changed; and of many who read,
// add something and send it with what they read, again when it is stale, nobody's is lost.
func TestNoEditIsLost(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "shared", nil)
	scope := f.currentScope(t)
	var same []func() error
	for i := range 20 {
		same = append(same, func() error {
			_, err := f.accounts.Change(t.Context(), scope, a.ID, a.Version, field.Patch{"name": fmt.Sprintf("Name %d", i)})
			return err
		})
	}
	won := 0
	for _, err := range inParallel(same...) {
		switch {
		case err == nil:
			won++
		case !fault.Is(err, fault.Stale) || len(fault.As(err).Fields) != 1 || fault.As(err).Fields[0].Field != "name" ||
			fault.As(err).Fields[0].By != "admin":
			t.Errorf("%v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of 20 edits of one version were written", won)
	}

	const many = 12
	var adding []func() error
	for i := range many {
		code := fmt.Sprintf("R%02d", i)
		if _, err := f.referenceService().Create(t.Context(), f.scopeWithCatalogue(t), catalogue.Role,
			field.Patch{"code": code}); err != nil {
			t.Fatal(err)
		}
		adding = append(adding, func() error {
			sc := f.scopeWithCatalogue(t)
			for {
				now, err := f.accounts.Get(t.Context(), sc, a.ID)
				if err != nil {
					return err
				}
				_, err = f.accounts.Change(t.Context(), sc, a.ID, now.Version,
					field.Patch{"roles": append(slices.Clone(now.Roles), code)})
				if !fault.Is(err, fault.Stale) {
					return err
				}
			}
		})
	}
	for _, err := range inParallel(adding...) {
		if err != nil {
			t.Error(err)
		}
	}
	if now, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID); err != nil || len(now.Roles) != many ||
		now.Version != a.Version+1+many {
		t.Errorf("%v at version %d, %v", now.Roles, now.Version, err)
	}
}

// V65, C42: whoever gets the username and the email of a deleted account gets nothing else of it: another id, no key,
// no contact, no log, and what it was signed in or let in by opens nothing.
func TestARecreatedUsernameGetsNothingOld(t *testing.T) {
	k := newKeyFixture(t)
	old := k.create(t, "again", field.Patch{"userType": "API", "roles": []string{"EDITOR"}})
	if _, err := k.accounts.Allow(t.Context(), k.currentScope(t), old.ID, 0); err != nil {
		t.Fatal(err)
	}
	k.client = old
	_, secret := k.key(t, "never used")
	if _, err := k.tabServices().contacts.Replace(t.Context(), k.currentScope(t), old.ID, 1,
		account.Contact{Title: "Dr"}); err != nil {
		t.Fatal(err)
	}
	if err := k.accounts.Delete(t.Context(), k.currentScope(t), old.ID, 0); err != nil {
		t.Fatal(err)
	}
	anew := k.create(t, "AGAIN", field.Patch{"email": "again@example.com", "userType": "API"})
	if _, err := k.accounts.Allow(t.Context(), k.currentScope(t), anew.ID, 0); err != nil {
		t.Fatal(err)
	}
	k.client = anew
	if anew.ID == old.ID || k.opens(t, secret) {
		t.Error("the new account has the old one's id, or its key opens something")
	}
	if c, err := k.tabServices().contacts.Get(t.Context(), k.currentScope(t), anew.ID); err != nil || c.Title != "" {
		t.Errorf("its contact is %+v, %v", c, err)
	}
	if kept, _, err := k.service.List(t.Context(), k.currentScope(t), anew.ID, "", 10); err != nil || len(kept) != 0 {
		t.Errorf("its keys are %v, %v", kept, err)
	}
	for _, it := range k.items(t) {
		if by := stringOf(it, "kind"); by != "" && by != "accessAllowed" && by != "created" {
			t.Errorf("its log tells of %s", by)
		}
	}
}
