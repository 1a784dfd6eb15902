package dynamo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
)

// Environments reads environments and their reference data, and seeds new ones.
type Environments struct {
	*Table

	mu         sync.Mutex
	catalogues map[string]cached
}

type cached struct {
	version   int64
	catalogue *catalogue.Catalogue
}

// NewEnvironments returns Environments over the table. Keep one for the life of the process: it holds the reference
// data last read, for as long as the environment's version of it stays the same.
func NewEnvironments(t *Table) *Environments {
	return &Environments{Table: t, catalogues: map[string]cached{}}
}

// Environment reads the environment's settings and snapshot.
func (e *Environments) Environment(ctx context.Context, env string) (environment.Environment, error) {
	it, err := e.get(ctx, headKey(env))
	if err != nil {
		return environment.Environment{}, err
	}
	return headOf(env, it)
}

func headOf(env string, it item) (environment.Environment, error) {
	if it == nil {
		return environment.Environment{},
			fault.New(fault.Unavailable, "noEnvironment", "The environment is not set up yet; seed it first.")
	}
	out := environment.Environment{
		ID: env, SettingsVersion: number(it, "settingsVersion"), CatalogueVersion: number(it, "catalogueVersion"),
	}
	out.Settings = environment.Defaults() // for what an older release did not store
	if err := attributevalue.Unmarshal(it["settings"], &out.Settings); err != nil {
		return environment.Environment{}, fmt.Errorf("read settings: %w", err)
	}
	if err := attributevalue.Unmarshal(it["cursorKey"], &out.CursorKey); err != nil {
		return environment.Environment{}, fmt.Errorf("read cursor key: %w", err)
	}
	out.Imports.Last = number(it, "lastImport")
	for n := range nestedMap(it, "pending") {
		importID, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			return environment.Environment{}, fmt.Errorf("read pending imports: %w", err)
		}
		out.Imports.Pending = append(out.Imports.Pending, importID)
	}
	slices.Sort(out.Imports.Pending)
	return out, nil
}

// Catalogue returns the environment's reference data at the version env names, from memory where that is known.
func (e *Environments) Catalogue(ctx context.Context, env environment.Environment) (*catalogue.Catalogue, error) {
	e.mu.Lock()
	have, ok := e.catalogues[env.ID]
	e.mu.Unlock()
	if ok && have.version == env.CatalogueVersion {
		return have.catalogue, nil
	}
	items, err := e.queryAll(ctx, pageQuery{pk: cataloguePK(env.ID)})
	if err != nil {
		return nil, err
	}
	var entries []catalogue.Entry
	if err := attributevalue.UnmarshalListOfMaps(items, &entries); err != nil {
		return nil, fmt.Errorf("read reference data: %w", err)
	}
	made := catalogue.New(entries)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.catalogues[env.ID] = cached{version: env.CatalogueVersion, catalogue: made}
	return made, nil
}

// Seed writes a new environment's reference data and then its head, so that nobody reads it half made. An environment
// that exists is left as it is; the answer says whether it was made now.
func (e *Environments) Seed(ctx context.Context, env environment.Environment, entries []catalogue.Entry) (bool, error) {
	there, err := e.get(ctx, headKey(env.ID))
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
			return false, storeError("write", err)
		}
	}
	settings, err := attributevalue.Marshal(env.Settings)
	if err != nil {
		return false, fmt.Errorf("write settings: %w", err)
	}
	head := headKey(env.ID)
	_, err = e.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &e.Name, ConditionExpression: aws.String("attribute_not_exists(PK)"),
		Item: item{
			"PK": str(head.pk), "SK": str(head.sk), "settings": settings, "settingsVersion": num(1),
			"catalogueVersion": num(1), "cursorKey": bin(env.CursorKey), "lastImport": num(0), "pending": mapValue(item{}),
		},
	})
	made, _, err := conditionHeld(err)
	return made, err
}

// abortImport marks a pending import as overtaken by somebody's edit: its commit then fails and it is rolled back. The
// condition fails if the import has ended meanwhile.
func (t *Table) abortImport(env string, importID int64, by string) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{
		TableName: &t.Name, Key: headKey(env).attributes(),
		UpdateExpression:          aws.String("SET pending.#n.doomedBy = :by"),
		ConditionExpression:       aws.String("attribute_exists(pending.#n)"),
		ExpressionAttributeNames:  map[string]string{"#n": strconv.FormatInt(importID, 10)},
		ExpressionAttributeValues: item{":by": str(by)},
	}}
}
