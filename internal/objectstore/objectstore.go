// Package objectstore keeps workbooks and reports in an S3 bucket.
package objectstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"useraccounts/internal/fault"
	"useraccounts/internal/transfer"
)

// Bucket is one S3 bucket.
type Bucket struct {
	Client *s3.Client
	Name   string
}

// Open returns the bucket of a name.
func Open(cfg aws.Config, name string) Bucket {
	return Bucket{Name: name, Client: s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = cfg.BaseEndpoint != nil // the local S3 has no DNS name for each bucket
	})}
}

var (
	_ transfer.Uploads = Bucket{}
	_ transfer.Files   = Bucket{}
)

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// UploadForm implements transfer.Uploads with a presigned POST. Its policy fixes the key, the type and the size, which
// a presigned PUT cannot (V68).
func (b Bucket) UploadForm(ctx context.Context, key string, maxBytes int64, expires time.Duration) (string,
	map[string]string, error) {
	signed, err := s3.NewPresignClient(b.Client).PresignPostObject(ctx, &s3.PutObjectInput{Bucket: &b.Name, Key: &key},
		func(o *s3.PresignPostOptions) {
			o.Expires = expires
			o.Conditions = []any{
				[]any{"content-length-range", 1, maxBytes},
				[]any{"eq", "$Content-Type", workbookType},
			}
		})
	if err != nil {
		return "", nil, fmt.Errorf("sign form: %w", err)
	}
	fields := signed.Values
	fields["Content-Type"] = workbookType
	return signed.URL, fields, nil
}

// Head implements transfer.Uploads.
func (b Bucket) Head(ctx context.Context, key string) (transfer.File, error) {
	out, err := b.Client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.Name, Key: &key})
	if err != nil {
		return transfer.File{}, wrapError("find file", err)
	}
	return transfer.File{
		Key: key, Version: aws.ToString(out.VersionId), ETag: aws.ToString(out.ETag), Size: aws.ToInt64(out.ContentLength),
	}, nil
}

// maxGetBytes bounds what is read into memory. No file of this product is larger.
const maxGetBytes = 64 << 20

// Get implements transfer.Files and transfer.Uploads: exactly the version named, or NotFound.
func (b Bucket) Get(ctx context.Context, f transfer.File) ([]byte, error) {
	in := &s3.GetObjectInput{Bucket: &b.Name, Key: &f.Key}
	if f.Version != "" && f.Version != "null" {
		in.VersionId = &f.Version
	}
	if f.ETag != "" {
		in.IfMatch = &f.ETag
	}
	out, err := b.Client.GetObject(ctx, in)
	if err != nil {
		return nil, wrapError("read file", err)
	}
	defer out.Body.Close() //nolint:errcheck // read only
	size := aws.ToInt64(out.ContentLength)
	if size < 0 || size > maxGetBytes {
		return nil, errors.New("read file: too large")
	}
	data := make([]byte, size) // of the known size: a growing buffer would need twice the memory
	if _, err := io.ReadFull(out.Body, data); err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	return data, nil
}

// Put implements transfer.Files.
func (b Bucket) Put(ctx context.Context, key, contentType string, body []byte) error {
	_, err := b.Client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.Name, Key: &key, ContentType: &contentType, Body: bytes.NewReader(body),
	})
	if err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	return nil
}

// DownloadURL implements transfer.Uploads with a presigned GET that makes browsers save the file under name.
func (b Bucket) DownloadURL(ctx context.Context, key, name string, expires time.Duration) (string, error) {
	signed, err := s3.NewPresignClient(b.Client).PresignGetObject(ctx, &s3.GetObjectInput{
		Bucket: &b.Name, Key: &key, ResponseContentType: aws.String(workbookType),
		ResponseContentDisposition: aws.String(mime.FormatMediaType("attachment", map[string]string{"filename": name})),
	}, s3.WithPresignExpires(expires))
	if err != nil {
		return "", fmt.Errorf("sign link: %w", err)
	}
	return signed.URL, nil
}

// wrapError returns NotFound for a missing file or version, else the error with the operation.
func wrapError(operation string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "NotFound", "NoSuchKey", "NoSuchVersion", "PreconditionFailed":
			return fault.New(fault.NotFound, "notFound", "There is no such file.").WithCause(err)
		}
	}
	return fmt.Errorf("%s: %w", operation, err)
}
