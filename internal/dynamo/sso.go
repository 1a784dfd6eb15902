package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/factor"
	"useraccounts/internal/sso"
)

// SSO keeps OpenID providers and the identities of accounts there.
type SSO struct {
	EnvironmentLog
}

var (
	_ sso.ProviderStore = SSO{}
	_ sso.IdentityStore = SSO{}
	_ factor.Providers  = SSO{}
)

// NewSSO returns SSO over the table.
func NewSSO(t *table.Table) SSO { return SSO{EnvironmentLog{t}} }

func identityChanged(table.Item) error { return sso.ErrConcurrentChange }

// Providers implements sso.ProviderStore.
func (s SSO) Providers(ctx context.Context, env string) ([]sso.Provider, error) {
	items, err := s.QueryAll(ctx, table.Query{PK: schema.ProviderPK(env)})
	if err != nil {
		return nil, err
	}
	out := make([]sso.Provider, len(items))
	for i, it := range items {
		p := sso.Provider{
			ID: table.String(it, "SK"), Version: table.Int(it, "version"), Secret: table.Bytes(it, "secret"),
			CreatedAt: table.Time(it, "created"),
			UpdatedAt: table.Time(it, "updated"),
		}
		sso.Fields().SetImage(&p, table.ToPlain(table.Map(it, schema.AttrImage)))
		out[i] = p
	}
	return out, nil
}

// SignInProviders implements factor.Providers.
func (s SSO) SignInProviders(ctx context.Context, env string) ([]string, error) {
	all, err := s.Providers(ctx, env)
	var out []string
	for _, p := range all {
		if p.Enabled {
			out = append(out, p.ID)
		}
	}
	return out, err
}

// WriteProvider implements sso.ProviderStore.
func (s SSO) WriteProvider(ctx context.Context, w sso.ProviderWrite) error {
	event, err := schema.EventAt(schema.EnvironmentLogKey(w.Env, w.Event.ID), w.Event)
	if err != nil {
		return err
	}
	k := schema.ProviderKey(w.Env, w.Provider.ID)
	condition, values := "attribute_not_exists(PK)", table.Item(nil)
	if w.ExpectedVersion > 0 {
		condition, values = "version = :from", table.Item{":from": table.N(w.ExpectedVersion)}
	}
	var write types.TransactWriteItem
	if w.Delete {
		write.Delete = &types.Delete{TableName: &s.Name, Key: k.Attributes(), ConditionExpression: &condition,
			ExpressionAttributeValues: values}
	} else {
		it := table.Item{
			"PK": table.S(k.PK), "SK": table.S(k.SK), "version": table.N(w.Provider.Version),
			schema.AttrImage: table.M(table.FromPlain(sso.Fields().Image(&w.Provider))),
			"created":        table.Timestamp(w.Provider.CreatedAt), "updated": table.Timestamp(w.Provider.UpdatedAt),
		}
		if len(w.Provider.Secret) > 0 {
			it["secret"] = table.B(w.Provider.Secret)
		}
		write.Put = &types.Put{TableName: &s.Name, Item: it, ConditionExpression: &condition,
			ExpressionAttributeValues: values}
	}
	tx := table.Transaction{{Write: write, Conflict: identityChanged}}
	tx.Put(s.Table, event, identityChanged)
	if w.CallerEpoch != 0 {
		tx = append(tx, Accounts{s.Table}.callerUnchanged(w.Event.ByID, w.CallerEpoch))
	}
	return s.Commit(ctx, tx)
}

// HasIdentities implements sso.ProviderStore.
func (s SSO) HasIdentities(ctx context.Context, env, providerID string) (bool, error) {
	items, _, err := s.Query(ctx, table.Query{PK: schema.IdentityPK(env, providerID), Limit: 1})
	return len(items) > 0, err
}

func identityOf(it table.Item) sso.FederatedIdentity {
	return sso.FederatedIdentity{
		ProviderID: table.String(it, "provider"), ObjectID: table.String(it, "object"),
		AccountID: table.String(it, schema.AttrID), Email: table.String(it, "email"),
		At: table.Time(it, "at"), By: table.String(it, "by"),
	}
}

func identityItem(k table.Key, l sso.FederatedIdentity) table.Item {
	return table.Item{
		"PK": table.S(k.PK), "SK": table.S(k.SK), "provider": table.S(l.ProviderID), "object": table.S(l.ObjectID),
		schema.AttrID: table.S(l.AccountID),
		"email":       table.S(l.Email), "at": table.Timestamp(l.At), "by": table.S(l.By),
	}
}

// IdentitiesOf implements sso.IdentityStore.
func (s SSO) IdentitiesOf(ctx context.Context, accountID string) ([]sso.FederatedIdentity, error) {
	items, err := s.QueryAll(ctx, table.Query{PK: schema.AccountPK(accountID), Prefix: schema.AccountIdentitySK})
	out := make([]sso.FederatedIdentity, len(items))
	for i, it := range items {
		out[i] = identityOf(it)
	}
	return out, err
}

// IdentitiesByObjectID implements sso.IdentityStore.
func (s SSO) IdentitiesByObjectID(
	ctx context.Context, env, providerID string, objectIDs []string,
) (map[string]sso.FederatedIdentity, error) {
	keys := make([]table.Key, len(objectIDs))
	for i, id := range objectIDs {
		keys[i] = schema.IdentityKey(env, providerID, id)
	}
	items, err := s.BatchGet(ctx, keys)
	out := map[string]sso.FederatedIdentity{}
	for _, it := range items {
		if it != nil {
			out[table.String(it, "SK")] = identityOf(it)
		}
	}
	return out, err
}

// AccountsByEmail implements sso.IdentityStore. The snapshot in env must have been taken before.
func (s SSO) AccountsByEmail(
	ctx context.Context, env environment.Environment, emails []string,
) (map[string]account.Account, error) {
	keys := make([]table.Key, len(emails))
	for i, email := range emails {
		keys[i] = schema.LoginKey(env.ID, email)
	}
	items, err := s.BatchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	var rows []string
	for _, it := range items {
		if it != nil {
			if row, _ := schema.LoginKeyTarget(it, env.Imports.Sees(table.Int(it, schema.AttrImportID))); row != "" {
				rows = append(rows, row)
			}
		}
	}
	found, err := Accounts{s.Table}.ByKeys(ctx, env, rows)
	if err != nil {
		return nil, err
	}
	out := map[string]account.Account{}
	for _, a := range found {
		// The key may be of a username that looks like an email, which is nobody's address.
		if email, ok := account.Normalise(a.Email); ok && a.Email != "" {
			out[email] = a
		}
	}
	return out, nil
}

// WriteIdentities implements sso.IdentityStore. An identity is two items, so that it belongs to one account, and an
// account has one identity at a provider. The row has the set of providers for lists, and the anchor counts the
// write, so that a deletion notices it.
func (s SSO) WriteIdentities(ctx context.Context, ws []sso.IdentityWrite) error {
	var tx table.Transaction
	for _, w := range ws {
		event, err := schema.Event(w.Identity.AccountID, w.Event)
		if err != nil {
			return err
		}
		tx.Put(s.Table, event, identityChanged)
		s.addIdentity(&tx, w)
		mails, err := schema.Mails(s.Table, w.Mails)
		if err != nil {
			return err
		}
		tx = append(tx, mails...)
		if w.CallerEpoch != 0 {
			tx = append(tx, Accounts{s.Table}.callerUnchanged(w.Event.ByID, w.CallerEpoch))
		}
	}
	return s.Commit(ctx, tx)
}

func (s SSO) addIdentity(tx *table.Transaction, w sso.IdentityWrite) {
	l := w.Identity
	verb := "ADD"
	for _, k := range []table.Key{schema.IdentityKey(w.Env, l.ProviderID, l.ObjectID),
		schema.AccountIdentityKey(l.AccountID, l.ProviderID)} {
		if !w.Delete {
			tx.Put(s.Table, identityItem(k, l), identityChanged)
			continue
		}
		verb = "DELETE"
		*tx = append(*tx, table.Delete(&types.Delete{
			TableName: &s.Name, Key: k.Attributes(), ConditionExpression: aws.String("id = :id AND #object = :object"),
			ExpressionAttributeNames:  map[string]string{"#object": "object"},
			ExpressionAttributeValues: table.Item{":id": table.S(l.AccountID), ":object": table.S(l.ObjectID)},
		}, identityChanged))
	}
	condition, values := "id = :id",
		table.Item{":id": table.S(l.AccountID), ":provider": table.SS([]string{l.ProviderID})}
	if w.ExpectedAccount != nil {
		condition += " AND " + rowUnchanged(w.ExpectedAccount, values) + providersUnchanged(w.ExpectedAccount, values)
	}
	*tx = append(*tx, table.Update(&types.Update{
		TableName: &s.Name, Key: schema.RowKey(w.Env, w.DirectoryKey).Attributes(),
		UpdateExpression:    aws.String(verb + " signOn :provider"),
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	}, identityChanged), table.Update(&types.Update{
		TableName: &s.Name, Key: schema.AnchorKey(l.AccountID).Attributes(), UpdateExpression: aws.String("ADD tabs :one"),
		ConditionExpression:       aws.String("env = :env AND attribute_not_exists(gone)"),
		ExpressionAttributeValues: table.Item{":env": table.S(w.Env), ":one": table.N(1)},
	}, identityChanged))
}
