package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
)

// PasswordHistory keeps the hashes of the passwords that accounts had.
type PasswordHistory struct {
	*table.Table
}

var _ account.PasswordHistoryReader = PasswordHistory{}

// attrPasswordHistory is the list of hashes.
const attrPasswordHistory = "pws"

// PreviousHashes implements account.PasswordHistoryReader.
func (s PasswordHistory) PreviousHashes(ctx context.Context, accountID string) ([]string, error) {
	it, err := s.Get(ctx, schema.PasswordHistoryKey(accountID))
	if err != nil {
		return nil, err
	}
	return table.Strings(it, attrPasswordHistory), nil
}

// passwordHistoryItem replaces an account's password history. It needs no condition: whoever writes it sets the
// password in the same transaction, which fails if the account changed since the history was read.
func passwordHistoryItem(t *table.Table, accountID string, hashes []string) table.Op {
	k := schema.PasswordHistoryKey(accountID)
	if len(hashes) == 0 {
		return table.Delete(&types.Delete{TableName: &t.Name, Key: k.Attributes()}, schema.ConcurrentChange)
	}
	return table.Put(&types.Put{TableName: &t.Name, Item: table.Item{
		"PK": table.S(k.PK), "SK": table.S(k.SK), attrPasswordHistory: table.L(hashes),
	}}, schema.ConcurrentChange)
}
