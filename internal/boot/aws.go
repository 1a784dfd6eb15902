package boot

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// AWS is the part of a function's configuration that Lambda itself sets. Put it into the struct that Load fills.
type AWS struct {
	Region          string `env:"AWS_REGION"`
	AccessKeyID     string `env:"AWS_ACCESS_KEY_ID"`
	SecretAccessKey Secret `env:"AWS_SECRET_ACCESS_KEY,platform"`
	SessionToken    Secret `env:"AWS_SESSION_TOKEN,optional,platform"`
	// Endpoint and the three after it stand in for AWS's own addresses, as the SDKs agree on the names.
	Endpoint         string `env:"AWS_ENDPOINT_URL,optional"`
	EndpointDynamoDB string `env:"AWS_ENDPOINT_URL_DYNAMODB,optional"`
	EndpointSQS      string `env:"AWS_ENDPOINT_URL_SQS,optional"`
	EndpointS3       string `env:"AWS_ENDPOINT_URL_S3,optional"`
}

// Retrieve returns the credentials that Lambda put into the environment; they last as long as the process does.
func (a AWS) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{
		AccessKeyID: a.AccessKeyID, SecretAccessKey: a.SecretAccessKey.Reveal(), SessionToken: a.SessionToken.Reveal(),
		Source: "environment",
	}, nil
}

// endpoint returns the override for a service, nil for AWS's own.
func (a AWS) endpoint(ofService string) *string {
	switch {
	case ofService != "":
		return &ofService
	case a.Endpoint != "":
		return &a.Endpoint
	}
	return nil
}

// httpClient returns a client that keeps its connections between requests. attempt bounds one try with its answer read.
func httpClient(attempt time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTimeout(attempt).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = time.Second }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = 2 * time.Second
			t.MaxIdleConnsPerHost = 32 // an import writes in parallel; the default of 10 would close and reopen
			t.IdleConnTimeout = 5 * time.Minute
		})
}

// retryer tries an operation again when it was throttled or the line broke, with back-off and jitter, within a budget
// that stops a function from hammering a service in trouble. The client-side rate limit of the adaptive mode would slow
// every caller of the function for one hot key.
func retryer(attempts int, longest time.Duration) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = longest
	})
}
