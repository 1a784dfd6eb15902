// Command table is the least that answers from a DynamoDB table on Lambda: what functions are measured against.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func credentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
	}, nil
}

func main() {
	client := dynamodb.New(
		dynamodb.Options{Region: os.Getenv("AWS_REGION"), Credentials: aws.CredentialsProviderFunc(credentials)})
	table := os.Getenv("TABLE_NAME")
	lambda.Start(func(ctx context.Context, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		out, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: map[string]types.AttributeValue{
			"PK": &types.AttributeValueMemberS{Value: "a"}, "SK": &types.AttributeValueMemberS{Value: "b"},
		}})
		if err != nil || out.Item == nil {
			return events.APIGatewayV2HTTPResponse{StatusCode: 404}, err
		}
		return events.APIGatewayV2HTTPResponse{StatusCode: 200}, nil
	})
}
