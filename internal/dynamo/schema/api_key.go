package schema

import (
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/session"
)

// APIKey is the item of an API key.
func APIKey(k session.APIKey) table.Item {
	at := APIKeyKey(k.AccountID, k.ID)
	return table.Item{
		"PK": table.S(at.PK), "SK": table.S(at.SK), AttrID: table.S(k.ID), "hash": table.B(k.Hash),
		"description": table.S(k.Description),
		"created":     table.Timestamp(k.Created), "by": table.S(k.CreatedBy), "byId": table.S(k.CreatedByID),
		"expires": table.Timestamp(k.Expires),
	}
}

// APIKeyOf reads an API key.
func APIKeyOf(accountID string, it table.Item) session.APIKey {
	return session.APIKey{
		AccountID: accountID, ID: table.String(it, AttrID), Hash: table.Bytes(it, "hash"),
		Description: table.String(it, "description"),
		Created:     table.Time(it, "created"), CreatedBy: table.String(it, "by"),
		CreatedByID: table.String(it, "byId"), Expires: table.Time(it, "expires"),
		LastUsed: table.Time(it, "used"), Locked: table.Time(it, "locked"), LockedBy: table.String(it, "lockedBy"),
	}
}
