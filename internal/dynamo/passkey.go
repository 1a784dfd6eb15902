package dynamo

import (
	"cmp"
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/mfa"
)

// attrPasskey begins the attribute of a passkey on the item of the second factor; its id follows. An attribute of its
// own for each makes adding, using and removing one independent of the others.
const attrPasskey = "passkey#"

func passkeyItem(k mfa.Passkey) item {
	return item{
		"cred": bin(k.Credential), "key": bin(k.PublicKey), attrCounter: num(k.Counter), "synced": boolean(k.Synced),
		"via":  list(k.Transports),
		"name": str(k.Name), "first": timestamp(k.Created), "last": timestamp(k.LastUsed), "addr": str(k.Address),
	}
}

// passkeysOf returns the passkeys on the item of a second factor in the order of their ids, which is that of their
// making.
func passkeysOf(it item) []mfa.Passkey {
	var out []mfa.Passkey
	for name := range it {
		id, is := strings.CutPrefix(name, attrPasskey)
		if !is {
			continue
		}
		k := nestedMap(it, name)
		out = append(out, mfa.Passkey{
			ID: id, Credential: blob(k, "cred"), PublicKey: blob(k, "key"), Counter: number(k, attrCounter),
			Synced:     flag(k, "synced"),
			Transports: texts(k, "via"), Name: text(k, "name"), Created: instant(k, "first"), LastUsed: instant(k, "last"),
			Address: text(k, "addr"),
		})
	}
	slices.SortFunc(out, func(a, b mfa.Passkey) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// putFactor writes attributes of the second factor: over whatever there is of a former one, or beside what there is.
func (s Table) putFactor(p *transaction, accountID string, replace bool, it item) {
	k := factorKey(accountID)
	if replace {
		it["PK"], it["SK"] = str(k.pk), str(k.sk)
		*p = append(*p, op{types.TransactWriteItem{Put: &types.Put{TableName: &s.Name, Item: it}}, concurrentChange})
		return
	}
	set, names, values := []string{}, map[string]string{}, item{}
	for i, name := range slices.Sorted(maps.Keys(it)) {
		short := string(rune('a' + i))
		set = append(set, "#"+short+" = :"+short)
		names["#"+short], values[":"+short] = name, it[name]
	}
	*p = append(*p, op{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: k.attributes(), UpdateExpression: aws.String("SET " + strings.Join(set, ", ")),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	}}, concurrentChange})
}

// addPasskeyChange is what a change of one passkey writes.
func (s Table) addPasskeyChange(p *transaction, accountID string, c mfa.Change) {
	switch {
	case c.NewPasskey != nil:
		if c.ChallengeDigest != nil {
			*p = append(*p, op{types.TransactWriteItem{Delete: &types.Delete{
				TableName: &s.Name, Key: pendingPasskeyKey(accountID).attributes(),
				ConditionExpression:       aws.String("#hash = :hash"),
				ExpressionAttributeNames:  map[string]string{"#hash": "hash"},
				ExpressionAttributeValues: item{":hash": bin(c.ChallengeDigest)},
			}}, concurrentChange})
		}
		s.putFactor(p, accountID, c.FirstFactor, item{attrPasskey + c.NewPasskey.ID: mapValue(passkeyItem(*c.NewPasskey))})
	case c.RemovedPasskey != "":
		*p = append(*p, op{types.TransactWriteItem{Update: &types.Update{
			TableName: &s.Name, Key: factorKey(accountID).attributes(), UpdateExpression: aws.String("REMOVE #key"),
			ConditionExpression:      aws.String("attribute_exists(#key)"),
			ExpressionAttributeNames: map[string]string{"#key": attrPasskey + c.RemovedPasskey},
		}}, concurrentChange})
	default:
		*p = append(*p, op{types.TransactWriteItem{Update: s.passkeyUpdate(accountID, *c.ChangedPasskey)}, concurrentChange})
	}
}

// passkeyUpdate writes one use, or another name. It holds while the passkey is there and its counter is as it was read:
// of two answers with one counter the second is refused, as they cannot both be of the one authenticator.
func (s Table) passkeyUpdate(accountID string, u mfa.PasskeyChange) *types.Update {
	return &types.Update{
		TableName: &s.Name, Key: factorKey(accountID).attributes(),
		UpdateExpression: aws.String(
			"SET #key.#counter = :counter, #key.#last = :last, #key.addr = :addr, #key.#name = :name"),
		ConditionExpression: aws.String("#key.#counter = :was"),
		ExpressionAttributeNames: map[string]string{"#key": attrPasskey + u.Before.ID, "#counter": attrCounter,
			"#last": "last", "#name": "name"},
		ExpressionAttributeValues: item{
			":counter": num(u.After.Counter), ":last": timestamp(u.After.LastUsed), ":addr": str(u.After.Address),
			":name": str(u.After.Name), ":was": num(u.Before.Counter),
		},
	}
}

// RecordPasskeyUse implements signin.ChallengeStore.
func (s Factors) RecordPasskeyUse(ctx context.Context, accountID string, u mfa.PasskeyChange) (bool, error) {
	update := s.passkeyUpdate(accountID, u)
	_, err := s.updateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: update.TableName, Key: update.Key, UpdateExpression: update.UpdateExpression,
		ConditionExpression:       update.ConditionExpression,
		ExpressionAttributeNames:  update.ExpressionAttributeNames,
		ExpressionAttributeValues: update.ExpressionAttributeValues,
	})
	held, _, err := conditionHeld(err)
	return held, err
}

// SaveLoginChallenge implements signin.ChallengeStore.
func (s Factors) SaveLoginChallenge(ctx context.Context, env string, challenge []byte, expires time.Time) error {
	k := passkeyChallengeKey(env, challengeDigest(challenge))
	_, err := s.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.Name, Item: item{
		"PK": str(k.pk), "SK": str(k.sk), attrExpires: timestamp(expires), "ttl": num(expires.Unix()),
	}})
	return storeError("write", err)
}

// ConsumeLoginChallenge implements signin.ChallengeStore: a challenge is deleted by whoever answers it first (C31).
func (s Factors) ConsumeLoginChallenge(ctx context.Context, env string, challenge []byte, now time.Time) (bool, error) {
	_, err := s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: passkeyChallengeKey(env, challengeDigest(challenge)).attributes(),
		ConditionExpression: aws.String("expires > :now"), ExpressionAttributeValues: item{":now": timestamp(now)},
	})
	held, _, err := conditionHeld(err)
	return held, err
}

func challengeDigest(challenge []byte) []byte {
	sum := sha256.Sum256(challenge)
	return sum[:]
}

// SaveRegistrationChallenge implements factor.ChallengeStore. The anchor counts the write, so that a deletion sees it.
func (s Factors) SaveRegistrationChallenge(ctx context.Context, env, accountID string, digest []byte,
	expires time.Time) error {
	k := pendingPasskeyKey(accountID)
	return s.commitWithAnchor(ctx, env, accountID,
		transaction{{types.TransactWriteItem{Put: &types.Put{TableName: &s.Name, Item: item{
			"PK": str(k.pk), "SK": str(k.sk), "hash": bin(digest), attrExpires: timestamp(expires), "ttl": num(expires.Unix()),
		}}}, concurrentChange}})
}

// RegistrationChallenge implements factor.ChallengeStore.
func (s Factors) RegistrationChallenge(ctx context.Context, accountID string) ([]byte, time.Time, error) {
	it, err := s.get(ctx, pendingPasskeyKey(accountID))
	return blob(it, "hash"), instant(it, attrExpires), err
}
