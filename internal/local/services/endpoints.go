package services

import (
	"context"
	"os"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Endpoints says where the services are and how to sign for them.
type Endpoints struct {
	DynamoDB, SQS, S3 string
	// Mail is SES, empty where no mail service runs: mails then wait in the outbox.
	Mail                 string
	Region               string
	AccessKey, SecretKey string
}

// EndpointsFromEnvironment reads the endpoints that the environment gives; a service that it does not name is empty.
func EndpointsFromEnvironment() Endpoints {
	return Endpoints{
		DynamoDB:  os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"),
		SQS:       os.Getenv("AWS_ENDPOINT_URL_SQS"),
		S3:        os.Getenv("AWS_ENDPOINT_URL_S3"),
		Mail:      os.Getenv("AWS_ENDPOINT_URL_SESV2"),
		Region:    firstOf(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), "eu-central-1"),
		AccessKey: firstOf(os.Getenv("AWS_ACCESS_KEY_ID"), "LOCALACCESSKEY"),
		SecretKey: firstOf(os.Getenv("AWS_SECRET_ACCESS_KEY"), "local-secret-key"),
	}
}

// Environment is what a process needs in its environment to use these services through the SDK's own variables.
func (e Endpoints) Environment() []string {
	return []string{
		"AWS_ENDPOINT_URL_DYNAMODB=" + e.DynamoDB,
		"AWS_ENDPOINT_URL_SQS=" + e.SQS,
		"AWS_ENDPOINT_URL_S3=" + e.S3,
		// Without one, a port at which nothing listens: a run on this machine never reaches the real SES.
		"AWS_ENDPOINT_URL_SESV2=" + firstOf(e.Mail, "http://127.0.0.1:1"),
		"AWS_REGION=" + e.Region,
		"AWS_DEFAULT_REGION=" + e.Region,
		"AWS_ACCESS_KEY_ID=" + e.AccessKey,
		"AWS_SECRET_ACCESS_KEY=" + e.SecretKey,
	}
}

// AWS is the SDK's configuration for these services.
func (e Endpoints) AWS() aws.Config {
	return aws.Config{
		Region: e.Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: e.AccessKey, SecretAccessKey: e.SecretKey, Source: "local"}, nil
		}),
	}
}

// DynamoDBClient is a client of the local DynamoDB.
func (e Endpoints) DynamoDBClient() *dynamodb.Client {
	return dynamodb.NewFromConfig(e.AWS(), func(o *dynamodb.Options) {
		o.BaseEndpoint = aws.String(e.DynamoDB)
		// DynamoDB Local sends a wrong checksum with answers it compresses.
		o.DisableValidateResponseChecksum = true
	})
}

// StreamsClient is a client of the streams of the local DynamoDB.
func (e Endpoints) StreamsClient() *dynamodbstreams.Client {
	return dynamodbstreams.NewFromConfig(e.AWS(),
		func(o *dynamodbstreams.Options) { o.BaseEndpoint = aws.String(e.DynamoDB) })
}

// SQSClient is a client of the local SQS.
func (e Endpoints) SQSClient() *sqs.Client {
	return sqs.NewFromConfig(e.AWS(), func(o *sqs.Options) { o.BaseEndpoint = aws.String(e.SQS) })
}

// S3Client is a client of the local S3.
func (e Endpoints) S3Client() *s3.Client {
	return s3.NewFromConfig(e.AWS(), func(o *s3.Options) {
		o.BaseEndpoint = aws.String(e.S3)
		o.UsePathStyle = true
	})
}

func firstOf(candidates ...string) string {
	if i := slices.IndexFunc(candidates, func(s string) bool { return s != "" }); i >= 0 {
		return candidates[i]
	}
	return ""
}
