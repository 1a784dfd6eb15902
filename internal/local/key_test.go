package local_test

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/local"
	"useraccounts/internal/local/localtest"
)

// A key that cannot open what a given table holds is told at the start, and not when a second factor fails.
func TestAKeyThatDoesNotFitTheTableIsToldAtTheStart(t *testing.T) {
	endpoints, stack := localtest.Services(t), "test-key-"+strings.ToLower(rand.Text()[:12])
	start := func(data string) (*local.System, error) {
		system, err := local.Start(context.Background(), local.Options{
			Root: "../..", Endpoints: &endpoints, Stack: stack, Data: data, Logs: filepath.Join(t.TempDir(), "logs"),
			Lazy: true, Built: map[string]string{},
		})
		if err == nil {
			system.Stop()
		}
		return system, err
	}
	right, other := t.TempDir(), t.TempDir()
	system, err := start(right)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.Remove(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if _, err := start(right); err != nil {
		t.Errorf("with its own key: %v", err)
	}
	refused := func(when, data string) {
		t.Helper()
		_, err := start(data)
		for _, part := range []string{
			"the key in " + filepath.Join(data, "seal-key.json"), "cannot open what the table " + system.TableName() + " holds",
		} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: no %q in %v", when, part, err)
			}
		}
	}
	refused("with a key made just now", other)
	refused("with that key again", other)

	// A table of an earlier version has no item to try the key on.
	name, table := system.TableName(), endpoints.DynamoDBClient()
	key := map[string]types.AttributeValue{
		"PK": &types.AttributeValueMemberS{Value: "LOCAL"}, "SK": &types.AttributeValueMemberS{Value: "KEY"},
	}
	if _, err := table.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &name, Key: key}); err != nil {
		t.Fatal(err)
	}
	key["PK"] = &types.AttributeValueMemberS{Value: "E#local"}
	if _, err := table.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: key}); err != nil {
		t.Fatal(err)
	}
	refused("with a new key for an old table", t.TempDir())
	if _, err := start(right); err != nil {
		t.Errorf("the old table with its key: %v", err)
	}
}
