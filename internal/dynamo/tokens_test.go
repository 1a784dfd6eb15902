package dynamo_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/schema"
	tokenstore "useraccounts/internal/dynamo/tokens"
	"useraccounts/internal/field"
	"useraccounts/internal/oauth"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// What a token came from is read in one round trip and at most 5 R, with the name and the DAC groups that were changed
// last. An anchor from before they were kept there is completed from the directory.
func TestTheSubjectOfATokenIsOneRead(t *testing.T) {
	f := newFixture(t)
	m := &meter{plain: f.table.Client, table: &f.table.Name}
	store := tokenstore.New(&dynamo.Table{Client: m.client(t), Name: f.table.Name})
	keys := &oauth.Keys{EnvID: env, Store: store, Sealer: plainSealer{}, Now: time.Now, NewID: token.NewIDString,
		Random: rand.Reader}
	for range 3 {
		if err := keys.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	person, err := f.signin.Login(t.Context(), "admin", "a long enough secret", signin.ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	from := oauth.Origin{AccountID: person.Session.AccountID, SessionID: person.Session.ID}
	var got oauth.Subject
	read := func(name string, calls int, units float64) {
		t.Helper()
		m.within(t, name, calls, units, 0, func() { got, err = store.FindSubject(t.Context(), env, from) })
		if err != nil || !got.Found || len(got.Keys.Keys) == 0 || got.Session.Session.ID != from.SessionID {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	a, err := f.accounts.Get(t.Context(), f.currentScope(t), from.AccountID)
	if err != nil {
		t.Fatal(err)
	}
	another := f.currentScope(t) // nobody gives themselves a DAC group
	another.Caller.AccountID = token.NewIDString()
	if _, err := f.accounts.Change(t.Context(), another, a.ID, a.Version,
		field.Patch{"name": "Another Name", "dacGroups": []string{"DAC1"}}); err != nil {
		t.Fatal(err)
	}
	read("subject of a token", 1, 5)
	if got.Session.Anchor.Name != "Another Name" || !slices.Equal(got.Session.Anchor.DACGroups, []string{"DAC1"}) {
		t.Errorf("%+v", got.Session.Anchor)
	}
	_, err = f.table.Client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &f.table.Name, Key: schema.AnchorKey(a.ID).Attributes(),
		UpdateExpression:         aws.String("REMOVE v.#name, v.dacGroups"),
		ExpressionAttributeNames: map[string]string{"#name": "name"},
	})
	if err != nil {
		t.Fatal(err)
	}
	read("subject of a token, an old anchor", 3, 8)
	if got.Session.Anchor.Name != "Another Name" || !slices.Equal(got.Session.Anchor.DACGroups, []string{"DAC1"}) {
		t.Errorf("an old anchor: %+v", got.Session.Anchor)
	}
	if set, err := store.SigningKeys(t.Context(), env); err != nil || set.Version != 3 {
		t.Errorf("%+v, %v", set, err)
	}
	if err := store.SaveSigningKeys(t.Context(), env, oauth.KeySet{Version: 3}); !errors.Is(err,
		oauth.ErrConcurrentChange) {
		t.Errorf("an overtaken write: %v", err)
	}
}
