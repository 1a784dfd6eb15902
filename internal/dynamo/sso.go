package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/factor"
	"useraccounts/internal/fault"
	"useraccounts/internal/sso"
)

// SignOn keeps OpenID providers and the links of accounts to identities there.
type SignOn struct {
	EnvironmentLog
}

var (
	_ sso.ProviderStore    = SignOn{}
	_ sso.IdentityStore    = SignOn{}
	_ sso.AuthRequestStore = SignOn{}
	_ factor.Providers     = SignOn{}
)

// NewSignOn returns SignOn over the table.
func NewSignOn(t *Table) SignOn { return SignOn{EnvironmentLog{t}} }

func identityChanged(item) error { return sso.ErrConcurrentChange }

// Providers implements sso.ProviderStore.
func (s SignOn) Providers(ctx context.Context, env string) ([]sso.Provider, error) {
	items, err := s.queryAll(ctx, pageQuery{pk: providerPK(env)})
	if err != nil {
		return nil, err
	}
	out := make([]sso.Provider, len(items))
	for i, it := range items {
		p := sso.Provider{
			ID: text(it, "SK"), Version: number(it, "version"), Secret: blob(it, "secret"), CreatedAt: instant(it, "created"),
			UpdatedAt: instant(it, "updated"),
		}
		sso.Fields().SetImage(&p, toPlain(nestedMap(it, attrImage)))
		out[i] = p
	}
	return out, nil
}

// SignInProviders implements factor.Providers.
func (s SignOn) SignInProviders(ctx context.Context, env string) ([]string, error) {
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
func (s SignOn) WriteProvider(ctx context.Context, w sso.ProviderWrite) error {
	event, err := eventAt(environmentLogKey(w.Env, w.Event.ID), w.Event)
	if err != nil {
		return err
	}
	k := providerKey(w.Env, w.Provider.ID)
	condition, values := "attribute_not_exists(PK)", item(nil)
	if w.ExpectedVersion > 0 {
		condition, values = "version = :from", item{":from": num(w.ExpectedVersion)}
	}
	var write types.TransactWriteItem
	if w.Delete {
		write.Delete = &types.Delete{TableName: &s.Name, Key: k.attributes(), ConditionExpression: &condition,
			ExpressionAttributeValues: values}
	} else {
		it := item{
			"PK": str(k.pk), "SK": str(k.sk), "version": num(w.Provider.Version),
			attrImage: mapValue(fromPlain(sso.Fields().Image(&w.Provider))),
			"created": timestamp(w.Provider.CreatedAt), "updated": timestamp(w.Provider.UpdatedAt),
		}
		if len(w.Provider.Secret) > 0 {
			it["secret"] = bin(w.Provider.Secret)
		}
		write.Put = &types.Put{TableName: &s.Name, Item: it, ConditionExpression: &condition,
			ExpressionAttributeValues: values}
	}
	p := transaction{{write, identityChanged}}
	p.put(s.Table, event, identityChanged)
	if w.CallerEpoch != 0 {
		p = append(p, Accounts{s.Table}.callerUnchanged(w.Event.ByID, w.CallerEpoch))
	}
	return s.commit(ctx, p)
}

// HasIdentities implements sso.ProviderStore.
func (s SignOn) HasIdentities(ctx context.Context, env, providerID string) (bool, error) {
	items, _, err := s.query(ctx, pageQuery{pk: identityPK(env, providerID), limit: 1})
	return len(items) > 0, err
}

func identityOf(it item) sso.FederatedIdentity {
	return sso.FederatedIdentity{
		ProviderID: text(it, "provider"), ObjectID: text(it, "object"), AccountID: text(it, attrID), Email: text(it, "email"),
		At: instant(it, "at"), By: text(it, "by"),
	}
}

func identityItem(k key, l sso.FederatedIdentity) item {
	return item{
		"PK": str(k.pk), "SK": str(k.sk), "provider": str(l.ProviderID), "object": str(l.ObjectID), attrID: str(l.AccountID),
		"email": str(l.Email), "at": timestamp(l.At), "by": str(l.By),
	}
}

// IdentitiesOf implements sso.IdentityStore.
func (s SignOn) IdentitiesOf(ctx context.Context, accountID string) ([]sso.FederatedIdentity, error) {
	items, err := s.queryAll(ctx, pageQuery{pk: accountPK(accountID), prefix: accountIdentitySK})
	out := make([]sso.FederatedIdentity, len(items))
	for i, it := range items {
		out[i] = identityOf(it)
	}
	return out, err
}

// IdentitiesByObjectID implements sso.IdentityStore.
func (s SignOn) IdentitiesByObjectID(ctx context.Context, env, providerID string,
	objectIDs []string) (map[string]sso.FederatedIdentity, error) {
	keys := make([]key, len(objectIDs))
	for i, id := range objectIDs {
		keys[i] = identityKey(env, providerID, id)
	}
	items, err := s.batchGet(ctx, keys)
	out := map[string]sso.FederatedIdentity{}
	for _, it := range items {
		if it != nil {
			out[text(it, "SK")] = identityOf(it)
		}
	}
	return out, err
}

// AccountsByEmail implements sso.IdentityStore. The snapshot in env must have been taken before.
func (s SignOn) AccountsByEmail(ctx context.Context, env environment.Environment,
	emails []string) (map[string]account.Account, error) {
	keys := make([]key, len(emails))
	for i, email := range emails {
		keys[i] = loginKey(env.ID, email)
	}
	items, err := s.batchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	var rows []string
	for _, it := range items {
		if it != nil {
			if row, _ := loginKeyTarget(it, env.Imports.Sees(number(it, attrImportID))); row != "" {
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
		// The key may be of a username that looks like an email; that is nobody's address.
		if email, ok := account.Normalise(a.Email); ok && a.Email != "" {
			out[email] = a
		}
	}
	return out, nil
}

// WriteIdentities implements sso.IdentityStore. A link is two items, so that an identity is one account's and an
// account has one identity at a provider; the row shows it in lists, and the anchor counts it, so that a deletion sees
// it.
func (s SignOn) WriteIdentities(ctx context.Context, ws []sso.IdentityWrite) error {
	var p transaction
	for _, w := range ws {
		event, err := eventItem(w.Identity.AccountID, w.Event)
		if err != nil {
			return err
		}
		p.put(s.Table, event, identityChanged)
		s.addIdentity(&p, w)
		mails, err := s.mailItems(w.Mails)
		if err != nil {
			return err
		}
		p = append(p, mails...)
		if w.CallerEpoch != 0 {
			p = append(p, Accounts{s.Table}.callerUnchanged(w.Event.ByID, w.CallerEpoch))
		}
	}
	return s.commit(ctx, p)
}

func (s SignOn) addIdentity(p *transaction, w sso.IdentityWrite) {
	l := w.Identity
	verb := "ADD"
	for _, k := range []key{identityKey(w.Env, l.ProviderID, l.ObjectID), accountIdentityKey(l.AccountID, l.ProviderID)} {
		if !w.Delete {
			p.put(s.Table, identityItem(k, l), identityChanged)
			continue
		}
		verb = "DELETE"
		*p = append(*p, op{types.TransactWriteItem{Delete: &types.Delete{
			TableName: &s.Name, Key: k.attributes(), ConditionExpression: aws.String("id = :id AND #object = :object"),
			ExpressionAttributeNames:  map[string]string{"#object": "object"},
			ExpressionAttributeValues: item{":id": str(l.AccountID), ":object": str(l.ObjectID)},
		}}, identityChanged})
	}
	condition, values := "id = :id",
		item{":id": str(l.AccountID), ":provider": &types.AttributeValueMemberSS{Value: []string{l.ProviderID}}}
	if w.ExpectedAccount != nil {
		condition += " AND " + rowUnchanged(w.ExpectedAccount, values) + providersUnchanged(w.ExpectedAccount, values)
	}
	*p = append(*p, op{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: rowKey(w.Env, w.DirectoryKey).attributes(),
		UpdateExpression:    aws.String(verb + " signOn :provider"),
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	}}, identityChanged}, op{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: anchorKey(l.AccountID).attributes(), UpdateExpression: aws.String("ADD tabs :one"),
		ConditionExpression:       aws.String("env = :env AND attribute_not_exists(gone)"),
		ExpressionAttributeValues: item{":env": str(w.Env), ":one": num(1)},
	}}, identityChanged})
}

// SaveAuthRequest implements sso.AuthRequestStore.
func (s SignOn) SaveAuthRequest(ctx context.Context, env string, a sso.AuthRequest) error {
	k := signOnAttemptKey(env, a.StateHash)
	it := item{
		"PK": str(k.pk), "SK": str(k.sk), "browser": bin(a.BrowserHash), "nonce": str(a.Params.Nonce),
		"verifier": str(a.Params.Verifier),
		"scopes":   list(a.Params.Scopes), "purpose": str(string(a.Purpose)), "provider": str(a.ProviderID),
		"account": str(a.AccountID),
		"epoch":   num(a.Epoch), "client": str(a.Client), "expires": timestamp(a.Expires), "ttl": num(a.Expires.Unix()),
	}
	_, err := s.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.Name, Item: it, ConditionExpression: aws.String("attribute_not_exists(PK)"),
	})
	return storeError("write", err)
}

// ConsumeAuthRequest implements sso.AuthRequestStore: it is the condition that lets only one have it.
func (s SignOn) ConsumeAuthRequest(ctx context.Context, env string, state []byte) (sso.AuthRequest, error) {
	out, err := s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: signOnAttemptKey(env, state).attributes(),
		ConditionExpression: aws.String("attribute_exists(PK)"),
		ReturnValues:        types.ReturnValueAllOld,
	})
	there, _, err := conditionHeld(err)
	if err != nil {
		return sso.AuthRequest{}, err
	}
	if !there {
		return sso.AuthRequest{}, fault.New(fault.NotFound, "notFound", "There is no such attempt.")
	}
	it := out.Attributes
	return sso.AuthRequest{
		StateHash: state, BrowserHash: blob(it, "browser"), Purpose: sso.Purpose(text(it, "purpose")),
		ProviderID: text(it, "provider"),
		Params:     sso.AuthParams{Nonce: text(it, "nonce"), Verifier: text(it, "verifier"), Scopes: texts(it, "scopes")},
		AccountID:  text(it, "account"), Epoch: number(it, "epoch"), Client: text(it, "client"),
		Expires: instant(it, "expires"),
	}, nil
}
