package boot

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
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
	// Endpoint and those after it stand in for AWS's own addresses, as the SDKs agree on the names.
	Endpoint         string `env:"AWS_ENDPOINT_URL,optional"`
	EndpointDynamoDB string `env:"AWS_ENDPOINT_URL_DYNAMODB,optional"`
	EndpointSQS      string `env:"AWS_ENDPOINT_URL_SQS,optional"`
	EndpointS3       string `env:"AWS_ENDPOINT_URL_S3,optional"`
	EndpointKMS      string `env:"AWS_ENDPOINT_URL_KMS,optional"`
	EndpointSES      string `env:"AWS_ENDPOINT_URL_SESV2,optional"`
}

// Retrieve returns the credentials that Lambda put into the environment; they last as long as the process does.
func (a AWS) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{
		AccessKeyID: a.AccessKeyID, SecretAccessKey: a.SecretAccessKey.Reveal(), SessionToken: a.SessionToken.Reveal(),
		Source: "environment",
	}, nil
}

// Service is an AWS service that a function may use.
type Service int

// The services.
const (
	DynamoDB Service = iota
	SQS
	S3
	SES
	KMS
)

// Config returns what the adapter of a service makes its client from. Each adapter makes its own, so that a function
// links the services it uses and no other.
func (a AWS) Config(service Service) aws.Config {
	endpoint, attemptTimeout, maxAttempts, maxBackoff := a.EndpointDynamoDB, 4*time.Second, 4, 500*time.Millisecond
	switch service {
	case DynamoDB: // one try may take 4 s, all of them a few more: a sign-in is answered within the gateway's 30 s
	case SQS:
		endpoint, attemptTimeout, maxAttempts, maxBackoff = a.EndpointSQS, 5*time.Second, 3, time.Second
	case KMS:
		endpoint, attemptTimeout, maxAttempts, maxBackoff = a.EndpointKMS, 3*time.Second, 3, 500*time.Millisecond
	case S3: // a workbook is read as a stream
		endpoint, attemptTimeout, maxAttempts, maxBackoff = a.EndpointS3, time.Minute, 3, time.Second
	// one try: a mail that is tried again is tried by the outbox, and an answer that was lost may be of one that left
	case SES:
		endpoint, attemptTimeout, maxAttempts, maxBackoff = a.EndpointSES, 10*time.Second, 1, time.Second
	}
	if endpoint == "" {
		endpoint = a.Endpoint
	}
	cfg := aws.Config{
		Region: a.Region, Credentials: a, HTTPClient: httpClient(attemptTimeout),
		Retryer: func() aws.Retryer { return retryer(maxAttempts, maxBackoff) },
	}
	if endpoint != "" {
		cfg.BaseEndpoint = &endpoint
	}
	return cfg
}

// Local reports whether the table is not AWS's own, which is how a run on a developer's machine is told from Lambda:
// the variables that Lambda sets are set there too, but no Lambda could reach a table anywhere but at AWS.
func (a AWS) Local() bool {
	endpoint := a.EndpointDynamoDB
	if endpoint == "" {
		endpoint = a.Endpoint
	}
	at, err := url.Parse(endpoint)
	if endpoint == "" || err != nil || at.Hostname() == "" {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(at.Hostname(), "."))
	for _, domain := range []string{"amazonaws.com", "amazonaws.com.cn", "api.aws", "amazonaws.eu"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return false
		}
	}
	return true
}

// httpClient returns a client that keeps its connections between requests. attempt bounds one try with its answer read.
func httpClient(attemptTimeout time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTimeout(attemptTimeout).
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
func retryer(maxAttempts int, maxBackoff time.Duration) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.MaxBackoff = maxBackoff
	})
}
