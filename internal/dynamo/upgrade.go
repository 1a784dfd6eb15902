package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
)

// Upgrades brings what earlier releases stored into the form of this one. Everything can be read in its earlier form
// meanwhile, others can write, and each upgrade can be repeated.
type Upgrades struct {
	*table.Table
}

// Upgrade does all upgrades of an environment.
func (s Upgrades) Upgrade(ctx context.Context, env string) error {
	for _, upgrade := range []func(context.Context, string) error{
		Accounts(s).RecountSeats,
		s.addBlockKinds,
		s.addOwnJobs,
	} {
		if err := upgrade(ctx, env); err != nil {
			return err
		}
	}
	return nil
}

// addBlockKinds stores the kind of each block that was stored without one.
func (s Upgrades) addBlockKinds(ctx context.Context, env string) error {
	return s.each(ctx, schema.DirectoryPK(env), func(it table.Item) error {
		image := table.Map(it, schema.AttrImage)
		if !table.Bool(image, "accessLocked") || table.String(image, schema.AttrBlockKind) != "" {
			return nil
		}
		var a account.Account
		account.Fields().SetImage(&a, table.ToPlain(image))
		_, err := s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
			TableName: &s.Name, Key: table.NewKey(table.String(it, "PK"), table.String(it, "SK")).Attributes(),
			UpdateExpression: aws.String("SET v.blockKind = :kind"),
			// Whoever changed it meanwhile stored the kind.
			ConditionExpression: aws.String("v.version = :version AND attribute_not_exists(v.blockKind)"),
			ExpressionAttributeValues: table.Item{":kind": table.S(string(a.LegacyBlockKind())),
				":version": table.N(table.Int(image, "version"))},
		})
		_, _, err = table.ConditionHeld(err)
		return err
	})
}

// addOwnJobs stores the entry of each job among those of its owner.
func (s Upgrades) addOwnJobs(ctx context.Context, env string) error {
	ready := schema.OwnJobsReadyKey(env)
	if it, err := s.Get(ctx, ready); err != nil || it != nil {
		return err
	}
	err := s.each(ctx, schema.JobPK(env), func(it table.Item) error {
		j, err := jobOf(env, it)
		if err != nil {
			return err
		}
		_, err = s.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.Name, Item: ownJobItem(j)})
		return table.WrapError("write", err)
	})
	if err != nil {
		return err
	}
	_, err = s.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.Name, Item: ready.Attributes()})
	return table.WrapError("write", err)
}

// each calls do with every item of a partition.
func (s Upgrades) each(ctx context.Context, pk string, do func(table.Item) error) error {
	for after, more := "", true; more; {
		var items []table.Item
		var err error
		if items, more, err = s.Query(ctx, table.Query{PK: pk, After: after, Limit: upgradePageSize}); err != nil {
			return err
		}
		for _, it := range items {
			after = table.String(it, "SK")
			if err := do(it); err != nil {
				return err
			}
		}
	}
	return nil
}

// upgradePageSize is how many items an upgrade reads at once.
const upgradePageSize = 500
