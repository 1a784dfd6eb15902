package dynamo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
)

// Environments reads environments and their reference data, and seeds new ones.
type Environments struct {
	*table.Table

	mu         sync.Mutex
	catalogues map[string]cached
}

type cached struct {
	version   int64
	catalogue *catalogue.Catalogue
}

// NewEnvironments returns Environments over the table. Keep it for the life of the process: it caches the reference
// data until the environment has another version of it.
func NewEnvironments(t *table.Table) *Environments {
	return &Environments{Table: t, catalogues: map[string]cached{}}
}

// Environment reads an environment's settings and snapshot.
func (e *Environments) Environment(ctx context.Context, env string) (environment.Environment, error) {
	it, err := e.Get(ctx, schema.HeadKey(env))
	if err != nil {
		return environment.Environment{}, err
	}
	return schema.EnvironmentOf(env, it)
}

// IDs implements setup.Environments. No index knows them, so it scans the table: for a person who waits, and for no
// request.
func (e *Environments) IDs(ctx context.Context) ([]string, error) {
	var ids []string
	scan := &dynamodb.ScanInput{
		TableName: &e.Name, ConsistentRead: aws.Bool(true), ProjectionExpression: aws.String("PK"),
		FilterExpression: aws.String("SK = :head AND begins_with(PK, :prefix)"),
		ExpressionAttributeValues: table.Item{
			":head": table.S(schema.HeadSK), ":prefix": table.S(schema.HeadKey("").PK),
		},
	}
	for {
		page, err := e.Client.Scan(ctx, scan)
		if err != nil {
			return nil, table.WrapError("scan", err)
		}
		for _, it := range page.Items {
			ids = append(ids, strings.TrimPrefix(table.String(it, "PK"), schema.HeadKey("").PK))
		}
		if len(page.LastEvaluatedKey) == 0 {
			slices.Sort(ids)
			return ids, nil
		}
		scan.ExclusiveStartKey = page.LastEvaluatedKey
	}
}

// Catalogue returns the environment's reference data at the version that env names, from the cache if it has that
// one.
func (e *Environments) Catalogue(ctx context.Context, env environment.Environment) (*catalogue.Catalogue, error) {
	e.mu.Lock()
	have, ok := e.catalogues[env.ID]
	e.mu.Unlock()
	if ok && have.version == env.CatalogueVersion {
		return have.catalogue, nil
	}
	items, err := e.QueryAll(ctx, table.Query{PK: schema.CataloguePK(env.ID)})
	if err != nil {
		return nil, err
	}
	var entries []catalogue.Entry
	if err := attributevalue.UnmarshalListOfMaps(items, &entries); err != nil {
		return nil, fmt.Errorf("read reference data: %w", err)
	}
	for i, it := range items {
		if table.Int(it, attrRoleFormat) < roleFormat {
			entries[i].Permissions = access.UpgradePermissions(entries[i].Permissions)
		}
	}
	made := catalogue.New(entries)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.catalogues[env.ID] = cached{version: env.CatalogueVersion, catalogue: made}
	return made, nil
}

// Seed writes a new environment's reference data and then its head, so that nobody reads it half written. It leaves
// an environment that exists as it is, and reports whether it wrote one.
func (e *Environments) Seed(ctx context.Context, env environment.Environment, entries []catalogue.Entry) (bool, error) {
	there, err := e.Get(ctx, schema.HeadKey(env.ID))
	if err != nil || there != nil {
		return false, err
	}
	for _, entry := range entries {
		entry.Version = 1
		it, err := entryItem(env.ID, entry)
		if err != nil {
			return false, err
		}
		if _, err := e.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &e.Name, Item: it}); err != nil {
			return false, table.WrapError("write", err)
		}
	}
	settings, err := schema.Settings(env.Settings)
	if err != nil {
		return false, err
	}
	head := schema.HeadKey(env.ID)
	_, err = e.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &e.Name, ConditionExpression: aws.String("attribute_not_exists(PK)"),
		Item: table.Item{
			"PK": table.S(head.PK), "SK": table.S(head.SK), "settings": settings, "settingsVersion": table.N(1),
			"catalogueVersion": table.N(1), "cursorKey": table.B(env.CursorKey), "lastImport": table.N(0),
			"pending": table.M(table.Item{}),
		},
	})
	made, _, err := table.ConditionHeld(err)
	return made, err
}

// abortImport marks a pending import as overtaken by a person's edit. Its commit then fails, and it is rolled back.
// The condition fails if the import has ended meanwhile.
func abortImport(t *table.Table, env string, importID int64, by string) *types.Update {
	return &types.Update{
		TableName: &t.Name, Key: schema.HeadKey(env).Attributes(),
		UpdateExpression:          aws.String("SET pending.#n.doomedBy = :by"),
		ConditionExpression:       aws.String("attribute_exists(pending.#n)"),
		ExpressionAttributeNames:  map[string]string{"#n": strconv.FormatInt(importID, 10)},
		ExpressionAttributeValues: table.Item{":by": table.S(by)},
	}
}
