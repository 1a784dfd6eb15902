package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
)

// Contacts keeps contacts, one item for each account. A contact is read and written whole, so it is one JSON text.
type Contacts struct {
	*table.Table
}

var _ account.ContactStore = Contacts{}

// Contact implements account.ContactStore.
func (s Contacts) Contact(ctx context.Context, accountID string) (account.Contact, error) {
	it, err := s.Get(ctx, schema.ContactKey(accountID))
	if err != nil || it == nil {
		return account.Contact{Version: 1}, err
	}
	var c account.Contact
	if err := json.Unmarshal([]byte(table.String(it, "contact")), &c); err != nil {
		return account.Contact{}, fmt.Errorf("read contact: %w", err)
	}
	c.Version = table.Int(it, "version")
	return c, nil
}

// SaveContact implements account.ContactStore.
func (s Contacts) SaveContact(
	ctx context.Context, env environment.Environment, accountID string, c account.Contact, e auditlog.Event,
) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write contact: %w", err)
	}
	k := schema.ContactKey(accountID)
	put := &types.Put{
		TableName: &s.Name, ConditionExpression: aws.String("attribute_not_exists(PK)"),
		Item: table.Item{"PK": table.S(k.PK), "SK": table.S(k.SK), "version": table.N(c.Version),
			"contact": table.S(string(raw))},
	}
	if c.Version > 2 {
		put.ConditionExpression = aws.String("version = :before")
		put.ExpressionAttributeValues = table.Item{":before": table.N(c.Version - 1)}
	}
	return commitWithEvent(ctx, s.Table, env, accountID, table.Transaction{table.Put(put, schema.ConcurrentChange)}, e)
}

// ContactEventsSince implements account.ContactStore.
func (s Contacts) ContactEventsSince(ctx context.Context, accountID string, version int64) ([]auditlog.Event, error) {
	return subjectEventsSince(ctx, s.Table, accountID, account.ContactSubject, version)
}
