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

// attrPasskey begins the attribute of a passkey on the item of the second factor; its id follows. An attribute of its own for
// each makes adding, using and removing one independent of the others.
const attrPasskey = "passkey#"

func passkeyItem(k mfa.Passkey) item {
	return item{
		"cred": bin(k.Credential), "key": bin(k.PublicKey), attrCounter: num(k.Counter), "synced": yes(k.Synced), "via": list(k.Transports),
		"name": str(k.Name), "first": when(k.First), "last": when(k.Last), "addr": str(k.Address),
	}
}

// passkeysOf returns the passkeys on the item of a second factor in the order of their ids, which is that of their making.
func passkeysOf(it item) []mfa.Passkey {
	var out []mfa.Passkey
	for name := range it {
		id, is := strings.CutPrefix(name, attrPasskey)
		if !is {
			continue
		}
		k := within(it, name)
		out = append(out, mfa.Passkey{
			ID: id, Credential: blob(k, "cred"), PublicKey: blob(k, "key"), Counter: number(k, attrCounter), Synced: flag(k, "synced"),
			Transports: texts(k, "via"), Name: text(k, "name"), First: instant(k, "first"), Last: instant(k, "last"), Address: text(k, "addr"),
		})
	}
	slices.SortFunc(out, func(a, b mfa.Passkey) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// putFactor writes attributes of the second factor: over whatever there is of a former one, or beside what there is.
func (s Table) putFactor(p *parts, accountID string, anew bool, it item) {
	k := factorKey(accountID)
	if anew {
		it["PK"], it["SK"] = str(k.pk), str(k.sk)
		*p = append(*p, part{types.TransactWriteItem{Put: &types.Put{TableName: &s.Name, Item: it}}, raced})
		return
	}
	set, names, values := []string{}, map[string]string{}, item{}
	for i, name := range slices.Sorted(maps.Keys(it)) {
		short := string(rune('a' + i))
		set = append(set, "#"+short+" = :"+short)
		names["#"+short], values[":"+short] = name, it[name]
	}
	*p = append(*p, part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: k.attributes(), UpdateExpression: aws.String("SET " + strings.Join(set, ", ")),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	}}, raced})
}

// planPasskey is what a change of one passkey writes.
func (s Table) planPasskey(p *parts, accountID string, c mfa.Change) {
	switch {
	case c.Passkey != nil:
		if c.PasskeyAsked != nil {
			*p = append(*p, part{types.TransactWriteItem{Delete: &types.Delete{
				TableName: &s.Name, Key: passkeyPendingKey(accountID).attributes(), ConditionExpression: aws.String("#hash = :hash"),
				ExpressionAttributeNames: map[string]string{"#hash": "hash"}, ExpressionAttributeValues: item{":hash": bin(c.PasskeyAsked)},
			}}, raced})
		}
		s.putFactor(p, accountID, c.Anew, item{attrPasskey + c.Passkey.ID: nested(passkeyItem(*c.Passkey))})
	case c.NoPasskey != "":
		*p = append(*p, part{types.TransactWriteItem{Update: &types.Update{
			TableName: &s.Name, Key: factorKey(accountID).attributes(), UpdateExpression: aws.String("REMOVE #key"),
			ConditionExpression: aws.String("attribute_exists(#key)"), ExpressionAttributeNames: map[string]string{"#key": attrPasskey + c.NoPasskey},
		}}, raced})
	default:
		*p = append(*p, part{types.TransactWriteItem{Update: s.passkeyUpdate(accountID, *c.PasskeyUsed)}, raced})
	}
}

// passkeyUpdate writes one use, or another name. It holds while the passkey is there and its counter is as it was read: of two
// answers with one counter the second is refused, as they cannot both be of the one authenticator.
func (s Table) passkeyUpdate(accountID string, u mfa.PasskeyUse) *types.Update {
	return &types.Update{
		TableName: &s.Name, Key: factorKey(accountID).attributes(),
		UpdateExpression:         aws.String("SET #key.#counter = :counter, #key.#last = :last, #key.addr = :addr, #key.#name = :name"),
		ConditionExpression:      aws.String("#key.#counter = :was"),
		ExpressionAttributeNames: map[string]string{"#key": attrPasskey + u.Was.ID, "#counter": attrCounter, "#last": "last", "#name": "name"},
		ExpressionAttributeValues: item{
			":counter": num(u.Now.Counter), ":last": when(u.Now.Last), ":addr": str(u.Now.Address), ":name": str(u.Now.Name), ":was": num(u.Was.Counter),
		},
	}
}

// UsePasskey implements signin.Passkeys.
func (s Factors) UsePasskey(ctx context.Context, accountID string, u mfa.PasskeyUse) (bool, error) {
	update := s.passkeyUpdate(accountID, u)
	_, err := s.updateUnlessConflicting(ctx, &dynamodb.UpdateItemInput{
		TableName: update.TableName, Key: update.Key, UpdateExpression: update.UpdateExpression, ConditionExpression: update.ConditionExpression,
		ExpressionAttributeNames: update.ExpressionAttributeNames, ExpressionAttributeValues: update.ExpressionAttributeValues,
	})
	held, _, err := conditionHeld(err)
	return held, err
}

// Ask implements signin.Passkeys.
func (s Factors) Ask(ctx context.Context, env string, challenge []byte, expires time.Time) error {
	k := challengeKey(env, digestOf(challenge))
	_, err := s.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.Name, Item: item{
		"PK": str(k.pk), "SK": str(k.sk), attrExpires: when(expires), "ttl": num(expires.Unix()),
	}})
	return store("write", err)
}

// Answered implements signin.Passkeys: a challenge is deleted by whoever answers it first (C31).
func (s Factors) Answered(ctx context.Context, env string, challenge []byte, now time.Time) (bool, error) {
	_, err := s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: challengeKey(env, digestOf(challenge)).attributes(),
		ConditionExpression: aws.String("expires > :now"), ExpressionAttributeValues: item{":now": when(now)},
	})
	held, _, err := conditionHeld(err)
	return held, err
}

func digestOf(challenge []byte) []byte {
	sum := sha256.Sum256(challenge)
	return sum[:]
}

// AskOwn implements factor.Passkeys. The anchor counts the write, so that a deletion sees it.
func (s Factors) AskOwn(ctx context.Context, env, accountID string, digest []byte, expires time.Time) error {
	k := passkeyPendingKey(accountID)
	return s.writtenWithAnchor(ctx, env, accountID, parts{{types.TransactWriteItem{Put: &types.Put{TableName: &s.Name, Item: item{
		"PK": str(k.pk), "SK": str(k.sk), "hash": bin(digest), attrExpires: when(expires), "ttl": num(expires.Unix()),
	}}}, raced}})
}

// AskedOwn implements factor.Passkeys.
func (s Factors) AskedOwn(ctx context.Context, accountID string) ([]byte, time.Time, error) {
	it, err := s.get(ctx, passkeyPendingKey(accountID))
	return blob(it, "hash"), instant(it, attrExpires), err
}
