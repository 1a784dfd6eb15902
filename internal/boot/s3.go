package boot

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// S3 returns a client. One try may take 60 s, because a workbook is read from it as a stream.
func S3(a AWS) *s3.Client {
	endpoint := a.endpoint(a.EndpointS3)
	return s3.New(s3.Options{
		Region: a.Region, Credentials: a, BaseEndpoint: endpoint,
		HTTPClient: httpClient(time.Minute), Retryer: retryer(3, time.Second),
		// A stand-in has no DNS name for each bucket.
		UsePathStyle: endpoint != nil,
	})
}
