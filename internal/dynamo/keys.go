package dynamo

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/catalogue"
)

// key is the primary key of one item. Every key of the table is made in this file; keys_test.go pins them as literals.
type key struct{ pk, sk string }

func (k key) attributes() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"PK": str(k.pk), "SK": str(k.sk)}
}

const (
	headSK    = "HEAD"
	anchorSK  = "A"
	loginSK   = "K"
	sessionSK = "S#"
	ticketSK  = "T#"
	eventSK   = "E#"
)

// headKey is the environment's settings and snapshot.
func headKey(env string) key { return key{"E#" + env, headSK} }

// cataloguePK holds all reference data of the environment.
func cataloguePK(env string) string { return "C#" + env }

// entryKey is one code of reference data; codes compare folded.
func entryKey(env string, kind catalogue.Kind, code string) key {
	return key{cataloguePK(env), string(kind) + "#" + catalogue.Fold(code)}
}

// directoryPK holds all accounts of the environment in the order of their usernames. It is one partition key because a
// page has to be read strongly and merged from as few as possible; without an index DynamoDB splits it by sort key.
func directoryPK(env string) string { return "D#" + env }

// rowKey is an account's place in the directory, by its normalised username.
func rowKey(env, username string) key { return key{directoryPK(env), username} }

// loginKey is the claim on an identifier that could be an email, normalised.
func loginKey(env, identifier string) key { return key{"L#" + env + "#" + identifier, loginSK} }

// accountPK holds what belongs to one account besides its directory row.
func accountPK(id string) string { return "U#" + id }

func anchorKey(id string) key { return key{accountPK(id), anchorSK} }

func sessionKey(account, id string) key { return key{accountPK(account), sessionSK + id} }

func ticketKey(account, id string) key { return key{accountPK(account), ticketSK + id} }

func eventKey(account, id string) key { return key{accountPK(account), eventSK + id} }

// jobPK holds the environment's imports and exports in the order of their ids, which is that of their creation.
func jobPK(env string) string { return "J#" + env }

func jobKey(env, id string) key { return key{jobPK(env), id} }

// decoyKey is where tries for unknown users are charged, spread so that a flood of them meets no hot item.
func decoyKey(env string, n int) key { return key{"X#" + env, fmt.Sprintf("%02d", n)} }

// idempotencyKey is the record of one Idempotency-Key; the digest is over environment, caller, route and the client's key.
func idempotencyKey(digest string) key { return key{"I#" + digest, loginSK} }
