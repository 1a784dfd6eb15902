package factors

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

	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/mfa"
)

// attrPasskey is the prefix of a passkey's attribute on the item of the second factor; the passkey's id follows. With
// an attribute for each, passkeys are added, used and removed independently.
const attrPasskey = "passkey#"

func passkeyItem(k mfa.Passkey) table.Item {
	return table.Item{
		"cred": table.B(k.Credential), "key": table.B(k.PublicKey), attrCounter: table.N(k.Counter),
		"synced": table.BOOL(k.Synced),
		"via":    table.L(k.Transports),
		"name":   table.S(k.Name), "first": table.Timestamp(k.Created), "last": table.Timestamp(k.LastUsed),
		"addr": table.S(k.Address),
	}
}

// passkeysOf returns the passkeys on the item of a second factor, in the order of their creation.
func passkeysOf(it table.Item) []mfa.Passkey {
	var out []mfa.Passkey
	for name := range it {
		id, is := strings.CutPrefix(name, attrPasskey)
		if !is {
			continue
		}
		k := table.Map(it, name)
		out = append(out, mfa.Passkey{
			ID: id, Credential: table.Bytes(k, "cred"), PublicKey: table.Bytes(k, "key"), Counter: table.Int(k, attrCounter),
			Synced:     table.Bool(k, "synced"),
			Transports: table.Strings(k, "via"), Name: table.String(k, "name"), Created: table.Time(k, "first"),
			LastUsed: table.Time(k, "last"),
			Address:  table.String(k, "addr"),
		})
	}
	slices.SortFunc(out, func(a, b mfa.Passkey) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// putFactor writes attributes of the second factor. It replaces the whole item, or only these attributes.
func putFactor(t *table.Table, tx *table.Transaction, accountID string, replace bool, it table.Item) {
	k := schema.FactorKey(accountID)
	if replace {
		it["PK"], it["SK"] = table.S(k.PK), table.S(k.SK)
		*tx = append(*tx, table.Put(&types.Put{TableName: &t.Name, Item: it}, schema.ConcurrentChange))
		return
	}
	set, names, values := []string{}, map[string]string{}, table.Item{}
	for i, name := range slices.Sorted(maps.Keys(it)) {
		short := string(rune('a' + i))
		set = append(set, "#"+short+" = :"+short)
		names["#"+short], values[":"+short] = name, it[name]
	}
	*tx = append(*tx, table.Update(&types.Update{
		TableName: &t.Name, Key: k.Attributes(), UpdateExpression: aws.String("SET " + strings.Join(set, ", ")),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	}, schema.ConcurrentChange))
}

// addPasskeyChange adds the items of a change of one passkey.
func addPasskeyChange(t *table.Table, tx *table.Transaction, accountID string, c mfa.Change) {
	switch {
	case c.NewPasskey != nil:
		if c.ChallengeDigest != nil {
			*tx = append(*tx, table.Delete(&types.Delete{
				TableName: &t.Name, Key: schema.PendingPasskeyKey(accountID).Attributes(),
				ConditionExpression:       aws.String("#hash = :hash"),
				ExpressionAttributeNames:  map[string]string{"#hash": "hash"},
				ExpressionAttributeValues: table.Item{":hash": table.B(c.ChallengeDigest)},
			}, schema.ConcurrentChange))
		}
		putFactor(t, tx, accountID, c.FirstFactor,
			table.Item{attrPasskey + c.NewPasskey.ID: table.M(passkeyItem(*c.NewPasskey))})
	case c.RemovedPasskey != "":
		*tx = append(*tx, table.Update(&types.Update{
			TableName: &t.Name, Key: schema.FactorKey(accountID).Attributes(), UpdateExpression: aws.String("REMOVE #key"),
			ConditionExpression:      aws.String("attribute_exists(#key)"),
			ExpressionAttributeNames: map[string]string{"#key": attrPasskey + c.RemovedPasskey},
		}, schema.ConcurrentChange))
	default:
		*tx = append(*tx, table.Update(passkeyUpdate(t, accountID, *c.ChangedPasskey), schema.ConcurrentChange))
	}
}

// passkeyUpdate writes one use, or a new name. Its condition is that the passkey exists with the counter that was
// read: of two assertions with one counter the second is refused, because they cannot both be of one authenticator.
func passkeyUpdate(t *table.Table, accountID string, u mfa.PasskeyChange) *types.Update {
	return &types.Update{
		TableName: &t.Name, Key: schema.FactorKey(accountID).Attributes(),
		UpdateExpression: aws.String(
			"SET #key.#counter = :counter, #key.#last = :last, #key.addr = :addr, #key.#name = :name"),
		ConditionExpression: aws.String("#key.#counter = :was"),
		ExpressionAttributeNames: map[string]string{"#key": attrPasskey + u.Before.ID, "#counter": attrCounter,
			"#last": "last", "#name": "name"},
		ExpressionAttributeValues: table.Item{
			":counter": table.N(u.After.Counter), ":last": table.Timestamp(u.After.LastUsed), ":addr": table.S(u.After.Address),
			":name": table.S(u.After.Name), ":was": table.N(u.Before.Counter),
		},
	}
}

// RecordPasskeyUse implements signin.ChallengeStore.
func (s Store) RecordPasskeyUse(ctx context.Context, accountID string, u mfa.PasskeyChange) (bool, error) {
	update := passkeyUpdate(s.Table, accountID, u)
	_, err := s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: update.TableName, Key: update.Key, UpdateExpression: update.UpdateExpression,
		ConditionExpression:       update.ConditionExpression,
		ExpressionAttributeNames:  update.ExpressionAttributeNames,
		ExpressionAttributeValues: update.ExpressionAttributeValues,
	})
	held, _, err := table.ConditionHeld(err)
	return held, err
}

// SaveLoginChallenge implements signin.ChallengeStore.
func (s Store) SaveLoginChallenge(ctx context.Context, env string, challenge []byte, expires time.Time) error {
	k := schema.PasskeyChallengeKey(env, challengeDigest(challenge))
	_, err := s.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.Name, Item: table.Item{
		"PK": table.S(k.PK), "SK": table.S(k.SK), schema.AttrExpires: table.Timestamp(expires),
		"ttl": table.N(expires.Unix()),
	}})
	return table.WrapError("write", err)
}

// ConsumeLoginChallenge implements signin.ChallengeStore. Whoever answers a challenge first deletes it (C31).
func (s Store) ConsumeLoginChallenge(ctx context.Context, env string, challenge []byte, now time.Time) (bool, error) {
	_, err := s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: schema.PasskeyChallengeKey(env, challengeDigest(challenge)).Attributes(),
		ConditionExpression:       aws.String("expires > :now"),
		ExpressionAttributeValues: table.Item{":now": table.Timestamp(now)},
	})
	held, _, err := table.ConditionHeld(err)
	return held, err
}

func challengeDigest(challenge []byte) []byte {
	sum := sha256.Sum256(challenge)
	return sum[:]
}

// SaveRegistrationChallenge implements factor.ChallengeStore. The anchor counts the write, so that a deletion notices
// it.
func (s Store) SaveRegistrationChallenge(
	ctx context.Context, env, accountID string, digest []byte, expires time.Time,
) error {
	k := schema.PendingPasskeyKey(accountID)
	return s.commitWithAnchor(ctx, env, accountID,
		table.Transaction{table.Put(&types.Put{TableName: &s.Name, Item: table.Item{
			"PK": table.S(k.PK), "SK": table.S(k.SK), "hash": table.B(digest), schema.AttrExpires: table.Timestamp(expires),
			"ttl": table.N(expires.Unix()),
		}}, schema.ConcurrentChange)})
}

// RegistrationChallenge implements factor.ChallengeStore.
func (s Store) RegistrationChallenge(ctx context.Context, accountID string) ([]byte, time.Time, error) {
	it, err := s.Get(ctx, schema.PendingPasskeyKey(accountID))
	return table.Bytes(it, "hash"), table.Time(it, schema.AttrExpires), err
}
