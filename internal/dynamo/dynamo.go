// Package dynamo keeps the product's data in one DynamoDB table: accounts, resources and what shares transactions with
// them (imports, undos, seats, reference data, delegations), jobs, mails and settings.
//
// Each kind of thing has a small type here that shares a Table. Reads are strongly consistent throughout: a reader
// takes the environment's snapshot first and must then see everything written before it.
//
// The packages below this one are its ground and its neighbours. Package table is how DynamoDB is asked: items,
// queries, transactions. Package schema is what is stored: every key, and the items that several stores read or write.
// The others keep what a sign-in needs: sessions, factors, attempts, passwordlinks, authrequests, accountlog.
package dynamo

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"useraccounts/internal/dynamo/table"
)

// Table is the table that all stores share.
type Table = table.Table

// Open returns the table of a name.
func Open(cfg aws.Config, name string) *Table { return table.Open(cfg, name) }
