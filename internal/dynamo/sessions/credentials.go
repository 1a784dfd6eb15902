package sessions

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// Credentials reads what every request needs.
type Credentials struct {
	Store
	*dynamo.Environments
}

// NewCredentials returns Credentials over the table. Keep it for the life of the process; see dynamo.NewEnvironments.
func NewCredentials(t *table.Table) Credentials {
	return Credentials{Store: Store{Table: t}, Environments: dynamo.NewEnvironments(t)}
}

// FindSession implements signin.CredentialStore: one round trip for session, anchor and environment.
func (c Credentials) FindSession(ctx context.Context, env, accountID, sessionID string) (signin.SessionContext, error) {
	items, err := c.Store.BatchGet(ctx,
		[]table.Key{schema.SessionKey(accountID, sessionID), schema.AnchorKey(accountID), schema.HeadKey(env)})
	if err != nil {
		return signin.SessionContext{}, err
	}
	if items[0] == nil || items[1] == nil || table.String(items[1], "env") != env {
		return signin.SessionContext{}, fault.New(fault.NotFound, "session", "There is no such session.")
	}
	head, err := schema.EnvironmentOf(env, items[2])
	if err != nil {
		return signin.SessionContext{}, err
	}
	anchor, ok := schema.AnchorOf(items[1], schema.VisibleAt(head.Imports, items[1]))
	if !ok {
		return signin.SessionContext{}, fault.New(fault.NotFound, "session", "There is no such session.")
	}
	return signin.SessionContext{Session: schema.SessionOf(accountID, items[0]), Anchor: anchor, Env: head}, nil
}

// FindKey implements signin.CredentialStore: one round trip for key, anchor, environment and the session, if there is
// one.
func (c Credentials) FindKey(ctx context.Context, env, accountID, keyID, sessionID string) (signin.KeyContext, error) {
	keys := []table.Key{schema.APIKeyKey(accountID, keyID), schema.AnchorKey(accountID), schema.HeadKey(env)}
	if sessionID != "" {
		keys = append(keys, schema.SessionKey(accountID, sessionID))
	}
	items, err := c.Store.BatchGet(ctx, keys)
	if err != nil {
		return signin.KeyContext{}, err
	}
	missing := fault.New(fault.NotFound, "session", "There is no such key.")
	if items[0] == nil || items[1] == nil || table.String(items[1], "env") != env {
		return signin.KeyContext{}, missing
	}
	head, err := schema.EnvironmentOf(env, items[2])
	if err != nil {
		return signin.KeyContext{}, err
	}
	anchor, ok := schema.AnchorOf(items[1], schema.VisibleAt(head.Imports, items[1]))
	if !ok {
		return signin.KeyContext{}, missing
	}
	out := signin.KeyContext{Key: schema.APIKeyOf(accountID, items[0]), Anchor: anchor, Env: head}
	if sessionID != "" {
		if items[3] == nil {
			return signin.KeyContext{}, missing
		}
		out.Session = schema.SessionOf(accountID, items[3])
	}
	return out, nil
}

// RecordKeyUse implements signin.CredentialStore.
func (c Credentials) RecordKeyUse(ctx context.Context, accountID, keyID string, at time.Time) error {
	_, err := c.Store.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &c.Store.Name, Key: schema.APIKeyKey(accountID, keyID).Attributes(),
		UpdateExpression:    aws.String("SET used = :at"),
		ConditionExpression: aws.String("attribute_exists(PK) AND (attribute_not_exists(used) OR used <= :before)"),
		ExpressionAttributeValues: table.Item{":at": table.Timestamp(at),
			":before": table.Timestamp(at.Add(-session.KeyUseInterval))},
	})
	_, _, err = table.ConditionHeld(err)
	return err
}
