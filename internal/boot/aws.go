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

// AWS is the part of a function's configuration that Lambda sets. Embed it in the struct that Load fills.
type AWS struct {
	Region          string `env:"AWS_REGION"`
	AccessKeyID     string `env:"AWS_ACCESS_KEY_ID"`
	SecretAccessKey Secret `env:"AWS_SECRET_ACCESS_KEY,platform"`
	SessionToken    Secret `env:"AWS_SESSION_TOKEN,optional,platform"`
	// Endpoint and the endpoints after it replace AWS's own addresses, by the variables that all AWS SDKs know.
	Endpoint         string `env:"AWS_ENDPOINT_URL,optional"`
	EndpointDynamoDB string `env:"AWS_ENDPOINT_URL_DYNAMODB,optional"`
	EndpointSQS      string `env:"AWS_ENDPOINT_URL_SQS,optional"`
	EndpointS3       string `env:"AWS_ENDPOINT_URL_S3,optional"`
	EndpointKMS      string `env:"AWS_ENDPOINT_URL_KMS,optional"`
	EndpointSES      string `env:"AWS_ENDPOINT_URL_SESV2,optional"`
}

// Retrieve returns the credentials that Lambda put into the environment. They last as long as the process.
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

// Config returns the configuration of a service's client. Each adapter makes its own client, so that a function links
// only the services that it uses.
func (a AWS) Config(service Service) aws.Config {
	endpoint, attemptTimeout, maxAttempts, maxBackoff := a.EndpointDynamoDB, 4*time.Second, 4, 500*time.Millisecond
	switch service {
	case DynamoDB: // four attempts of at most 4 s fit into the gateway's 30 s
	case SQS:
		endpoint, attemptTimeout, maxAttempts, maxBackoff = a.EndpointSQS, 5*time.Second, 3, time.Second
	case KMS:
		endpoint, attemptTimeout, maxAttempts, maxBackoff = a.EndpointKMS, 3*time.Second, 3, 500*time.Millisecond
	case S3: // a workbook is read as a stream, within the attempt's time-out
		endpoint, attemptTimeout, maxAttempts, maxBackoff = a.EndpointS3, time.Minute, 3, time.Second
	// one attempt: the outbox retries, and a lost response may belong to a mail that was sent
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

// Local reports whether the function runs on a developer's machine, which it tells by a table that is not at AWS. The
// variables that Lambda sets are set there too, but no Lambda function could reach such a table.
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

// httpClient returns a client that keeps its connections open between requests. attemptTimeout bounds one attempt,
// reading the response included.
func httpClient(attemptTimeout time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTimeout(attemptTimeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = time.Second }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = 2 * time.Second
			t.MaxIdleConnsPerHost = 32 // an import writes in parallel; the default of 10 would close and reopen connections
			t.IdleConnTimeout = 5 * time.Minute
		})
}

// retryer retries throttled and failed requests with back-off and jitter, within the SDK's retry quota, so that a
// function does not overload a failing service. Adaptive mode is not used: its client-side rate limit would slow down
// all callers of the function for one hot key.
func retryer(maxAttempts int, maxBackoff time.Duration) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.MaxBackoff = maxBackoff
	})
}
