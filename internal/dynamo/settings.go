package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/settings"
)

// Settings keeps the environment's settings, which are in its head item.
type Settings struct {
	*Environments
	EnvironmentLog
}

var _ settings.Store = Settings{}

// NewSettings returns Settings over the table.
func NewSettings(t *table.Table) Settings { return Settings{NewEnvironments(t), EnvironmentLog{t}} }

// WriteSettings implements settings.Store.
func (s Settings) WriteSettings(ctx context.Context, w settings.Write) error {
	document, err := schema.Settings(w.After)
	if err != nil {
		return err
	}
	event, err := schema.EventAt(schema.EnvironmentLogKey(w.Env, w.Event.ID), w.Event)
	if err != nil {
		return err
	}
	t, old := s.EnvironmentLog.Table, func(table.Item) error { return settings.ErrConcurrentChange }
	tx := table.Transaction{table.Update(&types.Update{
		TableName: &t.Name, Key: schema.HeadKey(w.Env).Attributes(),
		UpdateExpression:    aws.String("SET settings = :settings, settingsVersion = :next"),
		ConditionExpression: aws.String("settingsVersion = :from"),
		ExpressionAttributeValues: table.Item{
			":settings": document, ":from": table.N(w.BaseVersion), ":next": table.N(w.BaseVersion + 1),
		},
	}, old)}
	tx.Put(t, event, old)
	return t.Commit(ctx, tx)
}
