package dynamo

import (
	"encoding/hex"
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
	headSK   = "HEAD"
	anchorSK = "A"
	// assignmentCounterSK is beside HEAD, with a number.
	assignmentCounterSK = "CODES#"
	loginSK             = "K"
	sessionSK           = "S#"
	ticketSK            = "T#"
	eventSK             = "E#"
	apiKeySK            = "P#"
	apiKeyCountSK       = "P"
	// resourceNumberSK is beside HEAD.
	resourceNumberSK = "RESOURCES"
	// overviewSK is beside HEAD.
	overviewSK        = "OVERVIEW"
	contactSK         = "C"
	delegationSK      = "G#"
	accountIdentitySK = "O#"
	factorSK          = "M#"
	trustedDeviceSK   = "D#"
	passwordLinkSK    = "L"
	passwordHistorySK = "H"
)

// headKey is the environment's settings and snapshot.
func headKey(env string) key { return key{"E#" + env, headSK} }

// cataloguePK holds all reference data of the environment.
func cataloguePK(env string) string { return "C#" + env }

// assignmentCounterKey is one of the counters at which writes that give codes meet changes of what may be given.
func assignmentCounterKey(env string, n int) key {
	return key{"E#" + env, fmt.Sprintf("%s%d", assignmentCounterSK, n)}
}

// seatAttribute is the attribute of such a counter that counts the seats in use of a licence, by its folded code.
func seatAttribute(licence string) string { return "seat:" + licence }

// environmentLogPK holds the environment's own log: what was changed of its settings and reference data.
func environmentLogPK(env string) string { return "G#" + env }

func environmentLogKey(env, id string) key { return key{environmentLogPK(env), eventSK + id} }

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

// factorKey is an account's second factor: the sealed seed, the last time step used, the tries. Set-ups that wait are
// beside it, and the recovery codes, which most sign-ins need not read.
func factorKey(account string) key { return key{accountPK(account), factorSK + "TOTP"} }

func pendingTOTPKey(account string) key { return key{accountPK(account), factorSK + "PENDING"} }

func recoveryCodesKey(account string) key { return key{accountPK(account), factorSK + "CODES"} }

// pendingPasskeyKey is a passkey that is asked for, mailCodeKey the code that was mailed last. Passkeys themselves are
// on the item of the second factor: who signs in reads it anyway.
func pendingPasskeyKey(account string) key { return key{accountPK(account), factorSK + "ASKED"} }

func mailCodeKey(account string) key { return key{accountPK(account), factorSK + "MAIL"} }

// passkeyChallengeKey is a challenge to sign in by a passkey, by its digest.
func passkeyChallengeKey(env string, digest []byte) key {
	return key{"H#" + env + "#" + hex.EncodeToString(digest), loginSK}
}

// trustedDeviceKey is a remembered device of an account.
func trustedDeviceKey(account, id string) key { return key{accountPK(account), trustedDeviceSK + id} }

// apiKeyKey is an API key of an account; the key's text holds both ids, so that one read finds it.
func apiKeyKey(account, id string) key { return key{accountPK(account), apiKeySK + id} }

// apiKeyCountKey counts the keys made for an account, so that of two made at once one looks again how many there are.
func apiKeyCountKey(account string) key { return key{accountPK(account), apiKeyCountSK} }

// contactKey is an account's contact, one item.
func contactKey(account string) key { return key{accountPK(account), contactSK} }

// delegationKey is one delegation of an account.
func delegationKey(account, id string) key { return key{accountPK(account), delegationSK + id} }

// delegationTargetPK holds, for each target in the environment, to whom it is delegated.
func delegationTargetPK(env string) string { return "V#" + env }

// delegationTargetKey is the claim of an account on a target, which it can have once; codes compare folded. Ids have
// one length, so that no code with a # in it can be taken for another with an account.
func delegationTargetKey(env, kind, code, account string) key {
	return key{delegationTargetPK(env), kind + "#" + catalogue.Fold(code) + "#" + account}
}

// providerPK holds the OpenID providers of the environment.
func providerPK(env string) string { return "O#" + env }

func providerKey(env, id string) key { return key{providerPK(env), id} }

// identityPK holds the identities at one provider that are linked to accounts: the item is the claim on the identity.
func identityPK(env, provider string) string { return "Y#" + env + "#" + provider }

func identityKey(env, provider, objectID string) key { return key{identityPK(env, provider), objectID} }

// accountIdentityKey is an account's link at a provider, of which it has at most one.
func accountIdentityKey(account, provider string) key {
	return key{accountPK(account), accountIdentitySK + provider}
}

// signOnAttemptKey is one way to a provider and back, by the digest of its state. A digest is not the state: a copy of
// the table lets nobody return.
func signOnAttemptKey(env string, state []byte) key {
	return key{"Z#" + env + "#" + hex.EncodeToString(state), loginSK}
}

func eventKey(account, id string) key { return key{accountPK(account), eventSK + id} }

// resourcePK holds all resources of the environment in the order of their codes, in one partition for the same reasons
// as the directory: a page is one strongly consistent query, and who names a resource as manager is found without an
// index.
func resourcePK(env string) string { return "R#" + env }

// resourceKey is a resource, by its code folded (resource.Resource.Key): the item is the claim on the code as well.
func resourceKey(env, folded string) key { return key{resourcePK(env), folded} }

// resourceNumberKey holds the last number given as a resource's code. It is beside HEAD, so that no code can be its
// key.
func resourceNumberKey(env string) key { return key{"E#" + env, resourceNumberSK} }

// overviewKey holds what the home page shows of the whole directory, and who is counting it.
func overviewKey(env string) key { return key{"E#" + env, overviewSK} }

// dailyCountPK holds one shard of the sign-ins by day; a partition for each shard keeps a busy day from being one hot
// partition.
func dailyCountPK(env string, shard int) string { return fmt.Sprintf("T#%s#%d", env, shard) }

// dailyCountKey counts a share of one day's sign-ins and failures.
func dailyCountKey(env string, shard int, date string) key {
	return key{dailyCountPK(env, shard), date}
}

// ownSetsPK holds the private Sets of one person and, beside them, the head with their number and the person's
// defaults.
func ownSetsPK(env, person string) string { return "Q#" + env + "#" + person }

// sharedSetsPK holds the Sets that all see, and a head with their number. No environment's id has a # in it.
func sharedSetsPK(env string) string { return "Q#" + env }

// setKey is a Set in one of these places; an id never reads HEAD.
func setKey(place, id string) key { return key{place, id} }

func setsHeadKey(place string) key { return key{place, headSK} }

// jobPK holds the environment's imports and exports in the order of their ids, which is that of their creation.
func jobPK(env string) string { return "J#" + env }

func jobKey(env, id string) key { return key{jobPK(env), id} }

// jobQueuePK holds the places of the jobs that were submitted and have not ended, in the order of their submits.
func jobQueuePK(env string) string { return "J#" + env + "#LINE" }

func jobQueueKey(env, submitted, id string) key { return key{jobQueuePK(env), submitted + "#" + id} }

// decoyKey is where tries for unknown users are charged, spread so that a flood of them meets no hot item.
func decoyKey(env string, n int) key { return key{"X#" + env, fmt.Sprintf("%02d", n)} }

// decoyEventKey is where the log line of a sign-in goes that is nobody's: over the one before.
func decoyEventKey(env string, n int) key { return key{"X#" + env, fmt.Sprintf("%s%02d", eventSK, n)} }

// requestCountKey counts what came from one network address in one window of time.
func requestCountKey(env, network, window string) key { return key{"B#" + env + "#" + network, window} }

// idempotencyKey is the record of one Idempotency-Key; the digest is over environment, caller, route and the client's
// key.
func idempotencyKey(digest string) key { return key{"I#" + digest, loginSK} }

// passwordLinkKey is the account's link to set a password. It stands outside the account's own partition: without the
// account it opens nothing, and need not be deleted with it.
func passwordLinkKey(account string) key { return key{"K#" + account, passwordLinkSK} }

// passwordLinkDecoyKey is what is written instead for an identifier that is nobody's, each time another, in both
// tables.
func passwordLinkDecoyKey(env, id string) key { return key{"X#" + env, passwordLinkSK + "#" + id} }

// resetRequestsKey counts the links asked for from one network address in one hour.
func resetRequestsKey(env, address, hour string) key { return key{"F#" + env + "#" + address, hour} }

// passwordHistoryKey holds the hashes of the passwords that an account had.
func passwordHistoryKey(account string) key { return key{accountPK(account), passwordHistorySK} }

// keyExpiryPK holds the environment's API keys in the order in which they expire.
func keyExpiryPK(env string) string { return "N#" + env }

func keyExpiryKey(env, stamp, account, id string) key {
	return key{keyExpiryPK(env), stamp + "#" + account + "#" + id}
}

// queuedMailPK is in the outbox, like mailLogPK: the mails that are to be sent, in the order of their ids.
func queuedMailPK(env string) string { return "W#" + env }

func queuedMailKey(env, id string) key { return key{queuedMailPK(env), id} }

// mailLogPK holds the log of the mails that were sent or given up.
func mailLogPK(env string) string { return "M#" + env }

func mailLogKey(env, id string) key { return key{mailLogPK(env), id} }
