package boot

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// DynamoDB returns a client. One try may take 4 s, all of them a few seconds more: a sign-in is answered or refused
// within the gateway's 30 s.
func DynamoDB(a AWS) *dynamodb.Client {
	endpoint := a.endpoint(a.EndpointDynamoDB)
	return dynamodb.New(dynamodb.Options{
		Region: a.Region, Credentials: a, BaseEndpoint: endpoint,
		HTTPClient: httpClient(4 * time.Second), Retryer: retryer(4, 500*time.Millisecond),
		// DynamoDB Local's checksums are wrong for some answers; AWS's are checked.
		DisableValidateResponseChecksum: endpoint != nil,
	})
}
