package boot

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// SQS returns a client.
func SQS(a AWS) *sqs.Client {
	return sqs.New(sqs.Options{
		Region: a.Region, Credentials: a, BaseEndpoint: a.endpoint(a.EndpointSQS),
		HTTPClient: httpClient(5 * time.Second), Retryer: retryer(3, time.Second),
	})
}
