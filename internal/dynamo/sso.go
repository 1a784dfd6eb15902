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
	_ sso.ProviderStore = SignOn{}
	_ sso.LinkStore     = SignOn{}
	_ sso.Attempts      = SignOn{}
	_ factor.Providers  = SignOn{}
)

// NewSignOn returns SignOn over the table.
func NewSignOn(t *Table) SignOn { return SignOn{EnvironmentLog{t}} }

func moved(item) error { return sso.ErrRaced }

// Providers implements sso.ProviderStore.
func (s SignOn) Providers(ctx context.Context, env string) ([]sso.Provider, error) {
	items, err := s.queryAll(ctx, page{pk: providerPK(env)})
	if err != nil {
		return nil, err
	}
	out := make([]sso.Provider, len(items))
	for i, it := range items {
		p := sso.Provider{
			ID: text(it, "SK"), Version: number(it, "version"), Secret: blob(it, "secret"), CreatedAt: instant(it, "created"), UpdatedAt: instant(it, "updated"),
		}
		sso.Fields().SetImage(&p, toPlain(within(it, attrImage)))
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
	event, err := eventAt(logKey(w.Env, w.Event.ID), w.Event)
	if err != nil {
		return err
	}
	k := providerKey(w.Env, w.After.ID)
	condition, values := "attribute_not_exists(PK)", item(nil)
	if w.From > 0 {
		condition, values = "version = :from", item{":from": num(w.From)}
	}
	var write types.TransactWriteItem
	if w.Gone {
		write.Delete = &types.Delete{TableName: &s.Name, Key: k.attributes(), ConditionExpression: &condition, ExpressionAttributeValues: values}
	} else {
		it := item{
			"PK": str(k.pk), "SK": str(k.sk), "version": num(w.After.Version), attrImage: nested(fromPlain(sso.Fields().Image(&w.After))),
			"created": when(w.After.CreatedAt), "updated": when(w.After.UpdatedAt),
		}
		if len(w.After.Secret) > 0 {
			it["secret"] = bin(w.After.Secret)
		}
		write.Put = &types.Put{TableName: &s.Name, Item: it, ConditionExpression: &condition, ExpressionAttributeValues: values}
	}
	p := parts{{write, moved}}
	p.put(s.Table, event, moved)
	if w.CallerEpoch != 0 {
		p = append(p, Accounts{s.Table}.callerUnchanged(w.Event.ByID, w.CallerEpoch))
	}
	return s.transactParts(ctx, p)
}

// Linked implements sso.ProviderStore.
func (s SignOn) Linked(ctx context.Context, env, providerID string) (bool, error) {
	items, _, err := s.query(ctx, page{pk: identityPK(env, providerID), limit: 1})
	return len(items) > 0, err
}

func linkOf(it item) sso.Link {
	return sso.Link{
		ProviderID: text(it, "provider"), ObjectID: text(it, "object"), AccountID: text(it, attrID), Email: text(it, "email"),
		At: instant(it, "at"), By: text(it, "by"),
	}
}

func linkItem(k key, l sso.Link) item {
	return item{
		"PK": str(k.pk), "SK": str(k.sk), "provider": str(l.ProviderID), "object": str(l.ObjectID), attrID: str(l.AccountID),
		"email": str(l.Email), "at": when(l.At), "by": str(l.By),
	}
}

// LinksOf implements sso.LinkStore.
func (s SignOn) LinksOf(ctx context.Context, accountID string) ([]sso.Link, error) {
	items, err := s.queryAll(ctx, page{pk: accountPK(accountID), prefix: signOnSK})
	out := make([]sso.Link, len(items))
	for i, it := range items {
		out[i] = linkOf(it)
	}
	return out, err
}

// Whose implements sso.LinkStore.
func (s SignOn) Whose(ctx context.Context, env, providerID string, objectIDs []string) (map[string]sso.Link, error) {
	keys := make([]key, len(objectIDs))
	for i, id := range objectIDs {
		keys[i] = identityKey(env, providerID, id)
	}
	items, err := s.getAll(ctx, keys)
	out := map[string]sso.Link{}
	for _, it := range items {
		if it != nil {
			out[text(it, "SK")] = linkOf(it)
		}
	}
	return out, err
}

// ByEmail implements sso.LinkStore. The snapshot in env must have been taken before.
func (s SignOn) ByEmail(ctx context.Context, env environment.Environment, emails []string) (map[string]account.Account, error) {
	keys := make([]key, len(emails))
	for i, email := range emails {
		keys[i] = loginKey(env.ID, email)
	}
	items, err := s.getAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	var rows []string
	for _, it := range items {
		if it != nil {
			if row, _ := leadsTo(it, env.Imports.Sees(number(it, attrImport))); row != "" {
				rows = append(rows, row)
			}
		}
	}
	found, err := Accounts{s.Table}.At(ctx, env, rows)
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

// WriteLinks implements sso.LinkStore. A link is two items, so that an identity is one account's and an account has one
// identity at a provider; the row shows it in lists, and the anchor counts it, so that a deletion sees it.
func (s SignOn) WriteLinks(ctx context.Context, ws []sso.LinkWrite) error {
	var p parts
	for _, w := range ws {
		event, err := eventItem(w.Link.AccountID, w.Event)
		if err != nil {
			return err
		}
		p.put(s.Table, event, moved)
		s.planLink(&p, w)
		mails, err := s.mailParts(w.Mails)
		if err != nil {
			return err
		}
		p = append(p, mails...)
		if w.CallerEpoch != 0 {
			p = append(p, Accounts{s.Table}.callerUnchanged(w.Event.ByID, w.CallerEpoch))
		}
	}
	return s.transactParts(ctx, p)
}

func (s SignOn) planLink(p *parts, w sso.LinkWrite) {
	l := w.Link
	verb := "ADD"
	for _, k := range []key{identityKey(w.Env, l.ProviderID, l.ObjectID), signOnKey(l.AccountID, l.ProviderID)} {
		if !w.Gone {
			p.put(s.Table, linkItem(k, l), moved)
			continue
		}
		verb = "DELETE"
		*p = append(*p, part{types.TransactWriteItem{Delete: &types.Delete{
			TableName: &s.Name, Key: k.attributes(), ConditionExpression: aws.String("id = :id AND #object = :object"),
			ExpressionAttributeNames:  map[string]string{"#object": "object"},
			ExpressionAttributeValues: item{":id": str(l.AccountID), ":object": str(l.ObjectID)},
		}}, moved})
	}
	condition, values := "id = :id", item{":id": str(l.AccountID), ":provider": &types.AttributeValueMemberSS{Value: []string{l.ProviderID}}}
	if w.Of != nil {
		condition += " AND " + asRead(w.Of, values) + asLinked(w.Of, values)
	}
	*p = append(*p, part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: rowKey(w.Env, w.Row).attributes(), UpdateExpression: aws.String(verb + " signOn :provider"),
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	}}, moved}, part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: anchorKey(l.AccountID).attributes(), UpdateExpression: aws.String("ADD tabs :one"),
		ConditionExpression: aws.String("env = :env AND attribute_not_exists(gone)"), ExpressionAttributeValues: item{":env": str(w.Env), ":one": num(1)},
	}}, moved})
}

// Keep implements sso.Attempts.
func (s SignOn) Keep(ctx context.Context, env string, a sso.Attempt) error {
	k := attemptKey(env, a.State)
	it := item{
		"PK": str(k.pk), "SK": str(k.sk), "browser": bin(a.Browser), "nonce": str(a.Asking.Nonce), "verifier": str(a.Asking.Verifier),
		"scopes": list(a.Asking.Scopes), "purpose": str(string(a.Purpose)), "provider": str(a.ProviderID), "account": str(a.AccountID),
		"epoch": num(a.Epoch), "client": str(a.Client), "expires": when(a.Expires), "ttl": num(a.Expires.Unix()),
	}
	_, err := s.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.Name, Item: it, ConditionExpression: aws.String("attribute_not_exists(PK)"),
	})
	return store("write", err)
}

// Take implements sso.Attempts: it is the condition that lets only one have it.
func (s SignOn) Take(ctx context.Context, env string, state []byte) (sso.Attempt, error) {
	out, err := s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: attemptKey(env, state).attributes(), ConditionExpression: aws.String("attribute_exists(PK)"),
		ReturnValues: types.ReturnValueAllOld,
	})
	there, _, err := conditionHeld(err)
	if err != nil {
		return sso.Attempt{}, err
	}
	if !there {
		return sso.Attempt{}, fault.New(fault.NotFound, "notFound", "There is no such attempt.")
	}
	it := out.Attributes
	return sso.Attempt{
		State: state, Browser: blob(it, "browser"), Purpose: sso.Purpose(text(it, "purpose")), ProviderID: text(it, "provider"),
		Asking:    sso.Asking{Nonce: text(it, "nonce"), Verifier: text(it, "verifier"), Scopes: texts(it, "scopes")},
		AccountID: text(it, "account"), Epoch: number(it, "epoch"), Client: text(it, "client"), Expires: instant(it, "expires"),
	}, nil
}
