// Package tokens reads what tokens for applications came from, and keeps the keys that sign them.
package tokens

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/oauth"
	"useraccounts/internal/signin"
)

// Store reads subjects and keeps signing keys.
type Store struct {
	*table.Table
	*dynamo.Environments
}

var (
	_ oauth.SubjectStore = Store{}
	_ oauth.KeyStore     = Store{}
)

// New returns a Store over the table. Keep it for the life of the process; see dynamo.NewEnvironments.
func New(t *table.Table) Store { return Store{Table: t, Environments: dynamo.NewEnvironments(t)} }

// FindSubject implements oauth.SubjectStore: one round trip, of at most five items.
func (s Store) FindSubject(ctx context.Context, env string, from oauth.Origin) (oauth.Subject, error) {
	keys := []table.Key{schema.HeadKey(env), schema.SigningKeysKey(env)}
	if from.AccountID != "" {
		keys = append(keys, schema.AnchorKey(from.AccountID))
	}
	if from.SessionID != "" {
		keys = append(keys, schema.SessionKey(from.AccountID, from.SessionID))
	}
	if from.KeyID != "" {
		keys = append(keys, schema.APIKeyKey(from.AccountID, from.KeyID))
	}
	items, err := s.Table.BatchGet(ctx, keys)
	if err != nil {
		return oauth.Subject{}, err
	}
	out := oauth.Subject{}
	if out.Env, err = schema.EnvironmentOf(env, items[0]); err != nil {
		return oauth.Subject{}, err
	}
	if out.Keys, err = keySetOf(items[1]); err != nil || from.AccountID == "" {
		return out, err
	}
	for _, it := range items[2:] {
		if it == nil {
			return out, nil
		}
	}
	if table.String(items[2], "env") != env {
		return out, nil
	}
	anchor, ok := schema.AnchorOf(items[2], schema.VisibleAt(out.Env.Imports, items[2]))
	if !ok {
		return out, nil
	}
	if anchor, err = s.complete(ctx, out.Env, anchor); err != nil {
		return oauth.Subject{}, err
	}
	out.Found = true
	out.Session = signin.SessionContext{Anchor: anchor, Env: out.Env}
	if from.SessionID != "" {
		out.Session.Session = schema.SessionOf(from.AccountID, items[3])
	}
	if from.KeyID != "" {
		out.Key = signin.KeyContext{Key: schema.APIKeyOf(from.AccountID, items[len(items)-1]), Anchor: anchor, Env: out.Env,
			Session: out.Session.Session}
	}
	return out, nil
}

// complete adds what an anchor does not hold that was written before names were kept there.
func (s Store) complete(ctx context.Context, env environment.Environment, anchor account.Anchor) (account.Anchor,
	error,
) {
	if anchor.Name != "" {
		return anchor, nil
	}
	a, err := dynamo.Accounts{Table: s.Table}.Account(ctx, env, anchor.ID)
	if fault.Is(err, fault.NotFound) {
		return anchor, nil
	}
	anchor.Name, anchor.DACGroups, anchor.Resource = a.Name, a.DACGroups, a.Resource
	return anchor, err
}

const attrKeys = "keys"

func keySetOf(it table.Item) (oauth.KeySet, error) {
	set := oauth.KeySet{Version: table.Int(it, "version")}
	if err := attributevalue.Unmarshal(it[attrKeys], &set.Keys); err != nil {
		return oauth.KeySet{}, fmt.Errorf("read signing keys: %w", err)
	}
	return set, nil
}

// SigningKeys implements oauth.KeyStore.
func (s Store) SigningKeys(ctx context.Context, env string) (oauth.KeySet, error) {
	it, err := s.Get(ctx, schema.SigningKeysKey(env))
	if err != nil {
		return oauth.KeySet{}, err
	}
	return keySetOf(it)
}

// SaveSigningKeys implements oauth.KeyStore.
func (s Store) SaveSigningKeys(ctx context.Context, env string, next oauth.KeySet) error {
	keys, err := attributevalue.Marshal(next.Keys)
	if err != nil {
		return fmt.Errorf("write signing keys: %w", err)
	}
	condition, values := "attribute_not_exists(PK)", table.Item{":keys": keys, ":next": table.N(next.Version)}
	if next.Version > 1 {
		condition, values[":was"] = "version = :was", table.N(next.Version-1)
	}
	_, err = s.Table.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Table.Name, Key: schema.SigningKeysKey(env).Attributes(),
		UpdateExpression:          aws.String("SET #keys = :keys, version = :next"),
		ExpressionAttributeNames:  map[string]string{"#keys": attrKeys},
		ConditionExpression:       &condition,
		ExpressionAttributeValues: values,
	})
	held, _, err := table.ConditionHeld(err)
	if err == nil && !held {
		return oauth.ErrConcurrentChange
	}
	return err
}
