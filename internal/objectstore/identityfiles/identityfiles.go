// Package identityfiles keeps the CSV files of linked identities in an S3 bucket. It is a package of its own so that
// the single sign-on function does not contain what workbooks need.
package identityfiles

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"useraccounts/internal/fault"
	"useraccounts/internal/sso"
)

// Bucket is one S3 bucket.
type Bucket struct {
	client *s3.Client
	name   string
}

var _ sso.FileStore = Bucket{}

// Open returns the bucket of a name.
func Open(cfg aws.Config, name string) Bucket {
	return Bucket{name: name, client: s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = cfg.BaseEndpoint != nil // the local S3 has no DNS name for each bucket
	})}
}

const csvType = "text/csv"

// UploadForm implements sso.FileStore with a presigned POST, whose policy fixes the key, the type and the size (V68).
func (b Bucket) UploadForm(ctx context.Context, key string, maxBytes int64, expires time.Duration) (string,
	map[string]string, error) {
	signed, err := s3.NewPresignClient(b.client).PresignPostObject(ctx, &s3.PutObjectInput{Bucket: &b.name, Key: &key},
		func(o *s3.PresignPostOptions) {
			o.Expires = expires
			o.Conditions = []any{[]any{"content-length-range", 1, maxBytes}, []any{"eq", "$Content-Type", csvType}}
		})
	if err != nil {
		return "", nil, fmt.Errorf("sign form: %w", err)
	}
	signed.Values["Content-Type"] = csvType
	return signed.URL, signed.Values, nil
}

// LatestVersion implements sso.FileStore.
func (b Bucket) LatestVersion(ctx context.Context, key string) (string, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		return "", wrapError("find file", err)
	}
	return aws.ToString(out.VersionId), nil
}

// Open implements sso.FileStore.
func (b Bucket) Open(ctx context.Context, key, version string) (io.ReadCloser, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key, VersionId: &version})
	if err != nil {
		return nil, wrapError("read file", err)
	}
	return out.Body, nil
}

// wrapError returns NotFound for a missing file or version, else the error with the operation.
func wrapError(operation string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		// InvalidArgument stands for a version that is malformed.
		case "NotFound", "NoSuchKey", "NoSuchVersion", "InvalidArgument":
			return fault.New(fault.NotFound, "notFound", "There is no such file.").WithCause(err)
		}
	}
	return fmt.Errorf("%s: %w", operation, err)
}
