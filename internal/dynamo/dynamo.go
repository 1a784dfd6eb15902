// Package dynamo keeps the product's data in one DynamoDB table: accounts, resources and what shares transactions
// with them (imports, undos, seats, reference data, delegations), and jobs, mails, Sets and settings.
//
// Each kind of thing has a small type that shares a Table. All reads are strongly consistent: a reader takes the
// environment's snapshot first and must then see everything that was written before.
//
// Below this package, table asks DynamoDB (items, queries, transactions) and schema says what is stored (every key,
// and the items that several stores read or write). The stores of a sign-in are packages of their own: sessions,
// factors, attempts, passwordlinks, authrequests and accountlog.
package dynamo

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"useraccounts/internal/dynamo/table"
)

// Table is the table that all stores share.
type Table = table.Table

// Open returns the table of a name.
func Open(cfg aws.Config, name string) *Table { return table.Open(cfg, name) }
