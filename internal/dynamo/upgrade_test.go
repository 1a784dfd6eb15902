package dynamo_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/account"
	"useraccounts/internal/directory"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/field"
)

// storeAsBefore takes the kind of its block from an account's row, as releases before it stored accounts.
func (f *fixture) storeAsBefore(t *testing.T, username string) {
	t.Helper()
	if _, err := f.table.Client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &f.table.Name, Key: schema.RowKey(env, username).Attributes(),
		UpdateExpression: aws.String("REMOVE v." + schema.AttrBlockKind),
	}); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) storedBlockKind(t *testing.T, username string) string {
	t.Helper()
	it, err := f.table.Get(t.Context(), schema.RowKey(env, username))
	if err != nil {
		t.Fatal(err)
	}
	return table.String(table.Map(it, schema.AttrImage), schema.AttrBlockKind)
}

func (f *fixture) countStatus(t *testing.T, status account.Status) int {
	t.Helper()
	filter, faults := directory.ParseFilter(map[string]string{"status": string(status)})
	if faults != nil {
		t.Fatal(faults)
	}
	n, err := f.lister().Count(t.Context(), f.currentScope(t), filter)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Blocks that an earlier release stored without their kind are read by what that release stored: the text of a new
// account counts only where nobody blocked it since. The upgrade stores the kind, and can be repeated.
func TestABlockStoredWithoutItsKindIsReadAndUpgraded(t *testing.T) {
	f := newFixture(t)
	want := map[string]account.BlockKind{
		"new": account.NotYetAllowed, "changed": account.NotYetAllowed,
		"blocked": account.BlockedByAdministrator, "sameText": account.BlockedByAdministrator, "allowed": "",
	}
	must := func(_ account.Account, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ids := map[string]string{}
	for name := range want {
		ids[name] = f.create(t, name, nil).ID
	}
	must(f.accounts.Change(t.Context(), f.currentScope(t), ids["changed"], 1, field.Patch{"name": "Another"}))
	must(f.accounts.Block(t.Context(), f.currentScope(t), ids["blocked"], 0, "Left"))
	must(f.accounts.Block(t.Context(), f.currentScope(t), ids["sameText"], 0, account.ReasonNotYetAllowed))
	must(f.accounts.Allow(t.Context(), f.currentScope(t), ids["allowed"], 0))
	check := func(when string) {
		t.Helper()
		for name, kind := range want {
			if a, err := f.accounts.Get(t.Context(), f.currentScope(t), ids[name]); err != nil || a.BlockKind != kind {
				t.Errorf("%s: %s is blocked as %q, %v; want %q", when, name, a.BlockKind, err, kind)
			}
		}
		if waiting, blocked := f.countStatus(t, account.StatusNotYetAllowed),
			f.countStatus(t, account.StatusBlocked); waiting != 2 || blocked != 2 {
			t.Errorf("%s: %d not yet allowed, %d blocked", when, waiting, blocked)
		}
	}
	check("as stored now")
	for name := range want {
		f.storeAsBefore(t, account.Fold(name))
	}
	check("as stored before")
	for range 2 {
		if err := (dynamo.Upgrades{Table: f.table}).Upgrade(t.Context(), env); err != nil {
			t.Fatal(err)
		}
		check("upgraded")
		for name, kind := range want {
			if got := f.storedBlockKind(t, account.Fold(name)); got != string(kind) {
				t.Errorf("%s is stored as %q, want %q", name, got, kind)
			}
		}
	}
}
