package sessions

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
	"useraccounts/internal/session"
)

// rowUpdate is what a sign-in changes of the account's row.
type rowUpdate struct {
	set, remove []string
	names       map[string]string
	values      table.Item
}

// expression is the update, "" for none.
func (u *rowUpdate) expression() string {
	var parts []string
	if len(u.set) > 0 {
		parts = append(parts, "SET "+strings.Join(u.set, ", "))
	}
	if len(u.remove) > 0 {
		parts = append(parts, "REMOVE "+strings.Join(u.remove, ", "))
	}
	return strings.Join(parts, " ")
}

// clearTries zeroes what the attempt was counted on. From a known network a block of the account by others' tries
// stays, for the others.
func (u *rowUpdate) clearTries(a account.Account) {
	network := a.Stored.Network
	switch {
	case network != "":
		u.setNetwork(network, account.NetworkUse{Day: a.Stored.Networks[network].Day})
		if a.Stored.BlockedAt.IsZero() {
			u.set = append(u.set, "tries = :none")
			u.values[":none"] = table.N(0)
		}
	case !a.Stored.SeparateTries:
		u.set, u.remove = append(u.set, "tries = :none"), append(u.remove, "blockedAt", "tried")
		u.values[":none"] = table.N(0)
	}
}

// signedInFrom makes the network of a sign-in one of the known ones.
func (u *rowUpdate) signedInFrom(a account.Account, opened session.Session) {
	network := session.SignInNetwork(opened.Address)
	switch after := a.Stored.Networks.SignedInFrom(network, opened.Start); {
	case network == "":
	case a.Stored.Networks == nil:
		u.set = append(u.set, "nets = :nets")
		u.values[":nets"] = schema.NetworksItem(after)
	default:
		u.setNetwork(network, after[network])
		for former := range a.Stored.Networks {
			if _, stays := after[former]; !stays {
				u.remove = append(u.remove, "nets."+u.name(former))
			}
		}
	}
}

// setNetwork sets one of the known networks; again for the same one is once.
func (u *rowUpdate) setNetwork(network string, use account.NetworkUse) {
	if u.values[":net"] == nil {
		u.set = append(u.set, "nets."+u.name(network)+" = :net")
	}
	u.values[":net"] = schema.NetworkItem(use)
}

func (u *rowUpdate) name(network string) string {
	if u.names == nil {
		u.names = map[string]string{}
	}
	name := fmt.Sprintf("#net%d", len(u.names))
	u.names[name] = network
	return name
}

// withNetworks runs the write of a sign-in. The first from a network on each day is noted at the account's login keys
// too, beside that, so that it adds no round trip. If a login key cannot be written, attempts that name the account by
// it count as from elsewhere until the next day.
func (s Store) withNetworks(
	ctx context.Context, env environment.Environment, a account.Account, opened session.Session, write func() error,
) error {
	network, today := session.SignInNetwork(opened.Address), field.DateOf(opened.Start)
	keys := a.LoginKeys()
	if network == "" || len(keys) == 0 || a.Stored.Networks[network].Day == today {
		return write()
	}
	within, cancel := context.WithTimeout(ctx, loginKeyTimeout)
	defer cancel()
	var beside errgroup.Group
	for _, identifier := range keys {
		beside.Go(func() error {
			_, err := s.Client.UpdateItem(within, &dynamodb.UpdateItemInput{
				TableName: &s.Name, Key: schema.LoginKey(env.ID, identifier).Attributes(),
				UpdateExpression:    aws.String("SET nets = :nets"),
				ConditionExpression: aws.String("id = :id AND attribute_not_exists(gone)"),
				ExpressionAttributeValues: table.Item{":id": table.S(a.ID),
					":nets": schema.NetworksItem(a.Stored.Networks.SignedInFrom(network, opened.Start).WithoutTries())},
			})
			return err
		})
	}
	err := write()
	_ = beside.Wait()
	return err
}

// loginKeyTimeout is for how long a sign-in waits for its login keys at most.
const loginKeyTimeout = time.Second

func update(u rowUpdate, in types.Update) types.TransactWriteItem {
	in.UpdateExpression, in.ExpressionAttributeNames = aws.String(u.expression()), u.names
	in.ExpressionAttributeValues = u.values
	return types.TransactWriteItem{Update: &in}
}
