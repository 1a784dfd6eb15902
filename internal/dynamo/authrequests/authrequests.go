// Package authrequests keeps the authorization requests to identity providers until the browser comes back.
package authrequests

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/fault"
	"useraccounts/internal/sso"
)

// Store keeps authorization requests.
type Store struct {
	*table.Table
}

var _ sso.AuthRequestStore = Store{}

// SaveAuthRequest implements sso.AuthRequestStore.
func (s Store) SaveAuthRequest(ctx context.Context, env string, a sso.AuthRequest) error {
	k := schema.AuthRequestKey(env, a.StateHash)
	it := table.Item{
		"PK": table.S(k.PK), "SK": table.S(k.SK), "browser": table.B(a.BrowserHash), "nonce": table.S(a.Params.Nonce),
		"verifier": table.S(a.Params.Verifier),
		"scopes":   table.L(a.Params.Scopes), "purpose": table.S(string(a.Purpose)), "provider": table.S(a.ProviderID),
		"account": table.S(a.AccountID),
		"epoch":   table.N(a.Epoch), "client": table.S(a.Client), "expires": table.Timestamp(a.Expires),
		"ttl": table.N(a.Expires.Unix()),
	}
	_, err := s.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.Name, Item: it, ConditionExpression: aws.String("attribute_not_exists(PK)"),
	})
	return table.WrapError("write", err)
}

// ConsumeAuthRequest implements sso.AuthRequestStore. The condition of the deletion lets only one caller have the
// request.
func (s Store) ConsumeAuthRequest(ctx context.Context, env string, state []byte) (sso.AuthRequest, error) {
	out, err := s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: schema.AuthRequestKey(env, state).Attributes(),
		ConditionExpression: aws.String("attribute_exists(PK)"),
		ReturnValues:        types.ReturnValueAllOld,
	})
	there, _, err := table.ConditionHeld(err)
	if err != nil {
		return sso.AuthRequest{}, err
	}
	if !there {
		return sso.AuthRequest{}, fault.New(fault.NotFound, "notFound", "There is no such request.")
	}
	it := out.Attributes
	return sso.AuthRequest{
		StateHash: state, BrowserHash: table.Bytes(it, "browser"), Purpose: sso.Purpose(table.String(it, "purpose")),
		ProviderID: table.String(it, "provider"),
		Params: sso.AuthParams{Nonce: table.String(it, "nonce"), Verifier: table.String(it, "verifier"),
			Scopes: table.Strings(it, "scopes")},
		AccountID: table.String(it, "account"), Epoch: table.Int(it, "epoch"), Client: table.String(it, "client"),
		Expires: table.Time(it, "expires"),
	}, nil
}
