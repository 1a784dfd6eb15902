package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
)

// Contacts keeps contacts, one item for an account. It is read and written whole, so it is one JSON text.
type Contacts struct {
	*Table
}

var _ account.ContactStore = Contacts{}

// Contact implements account.ContactStore.
func (s Contacts) Contact(ctx context.Context, accountID string) (account.Contact, error) {
	it, err := s.get(ctx, contactKey(accountID))
	if err != nil || it == nil {
		return account.Contact{Version: 1}, err
	}
	var c account.Contact
	if err := json.Unmarshal([]byte(text(it, "contact")), &c); err != nil {
		return account.Contact{}, fmt.Errorf("read contact: %w", err)
	}
	c.Version = number(it, "version")
	return c, nil
}

// SaveContact implements account.ContactStore.
func (s Contacts) SaveContact(ctx context.Context, env environment.Environment, accountID string, c account.Contact,
	e auditlog.Event) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write contact: %w", err)
	}
	k := contactKey(accountID)
	put := &types.Put{
		TableName: &s.Name, ConditionExpression: aws.String("attribute_not_exists(PK)"),
		Item: item{"PK": str(k.pk), "SK": str(k.sk), "version": num(c.Version), "contact": str(string(raw))},
	}
	if c.Version > 2 {
		put.ConditionExpression = aws.String("version = :before")
		put.ExpressionAttributeValues = item{":before": num(c.Version - 1)}
	}
	return s.commitWithEvent(ctx, env, accountID, transaction{{types.TransactWriteItem{Put: put}, concurrentChange}}, e)
}

// ContactEventsSince implements account.ContactStore.
func (s Contacts) ContactEventsSince(ctx context.Context, accountID string, version int64) ([]auditlog.Event, error) {
	return s.subjectEventsSince(ctx, accountID, account.ContactSubject, version)
}
