package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/settings"
)

// Settings keeps the environment's settings, which live in its head.
type Settings struct {
	*Environments
	EnvironmentLog
}

var _ settings.Store = Settings{}

// NewSettings returns Settings over the table.
func NewSettings(t *Table) Settings { return Settings{NewEnvironments(t), EnvironmentLog{t}} }

// WriteSettings implements settings.Store.
func (s Settings) WriteSettings(ctx context.Context, w settings.Write) error {
	document, err := attributevalue.Marshal(w.After)
	if err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	event, err := eventAt(environmentLogKey(w.Env, w.Event.ID), w.Event)
	if err != nil {
		return err
	}
	t, old := s.EnvironmentLog.Table, func(item) error { return settings.ErrConcurrentChange }
	p := transaction{{types.TransactWriteItem{Update: &types.Update{
		TableName: &t.Name, Key: headKey(w.Env).attributes(),
		UpdateExpression:    aws.String("SET settings = :settings, settingsVersion = :next"),
		ConditionExpression: aws.String("settingsVersion = :from"),
		ExpressionAttributeValues: item{
			":settings": document, ":from": num(w.From), ":next": num(w.From + 1),
		},
	}}, old}}
	p.put(t, event, old)
	return t.commit(ctx, p)
}
