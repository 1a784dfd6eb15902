package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"useraccounts/internal/local/services"
	"useraccounts/internal/samtemplate"
)

// CreateBucket makes a bucket of the template under a name.
func CreateBucket(ctx context.Context, endpoints services.Endpoints, b samtemplate.Bucket, name string) error {
	client := endpoints.S3Client()
	input := &s3.CreateBucketInput{Bucket: &name}
	if endpoints.Region != "us-east-1" { // the one region that may not be named
		input.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(endpoints.Region),
		}
	}
	_, err := client.CreateBucket(ctx, input)
	if owned := new(types.BucketAlreadyOwnedByYou); err != nil && !errors.As(err, &owned) {
		return fmt.Errorf("creating the bucket %s: %w", name, err)
	}
	if !b.Versioned {
		return nil
	}
	_, err = client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket:                  &name,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		return fmt.Errorf("keeping the versions of the bucket %s: %w", name, err)
	}
	return nil
}

// AllowOrigins lets pages of the origins that the template names ask its buckets. It comes after Create, because an
// origin may be known only once the system has its address.
func (s Stack) AllowOrigins(ctx context.Context, r Resources) error {
	for _, b := range s.Template.Buckets {
		if len(b.CORSRules) == 0 {
			continue
		}
		rules, err := originRules(b.CORSRules, r.Values)
		if err != nil {
			return err
		}
		name := r.Values.Refs[b.LogicalID]
		_, err = s.Endpoints.S3Client().PutBucketCors(ctx,
			&s3.PutBucketCorsInput{Bucket: &name, CORSConfiguration: &types.CORSConfiguration{CORSRules: rules}})
		if err != nil {
			return fmt.Errorf("allowing origins to ask the bucket %s: %w", name, err)
		}
	}
	return nil
}

func originRules(of []samtemplate.CORSRule, values samtemplate.Values) ([]types.CORSRule, error) {
	var rules []types.CORSRule
	for _, r := range of {
		rule := types.CORSRule{AllowedMethods: r.Methods}
		if r.MaxAge > 0 {
			seconds := int32(r.MaxAge) //nolint:gosec // an hour or so
			rule.MaxAgeSeconds = &seconds
		}
		for _, origin := range r.Origins {
			text, err := origin.Resolve(values)
			if err != nil {
				return nil, err
			}
			rule.AllowedOrigins = append(rule.AllowedOrigins, text)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// DeleteBucket removes a bucket with every version of every object in it; one that is gone is no error.
func DeleteBucket(ctx context.Context, client *s3.Client, name string) error {
	pages := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{Bucket: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if gone := new(types.NoSuchBucket); errors.As(err, &gone) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("listing the bucket %s: %w", name, err)
		}
		var doomed []types.ObjectIdentifier
		for _, v := range page.Versions {
			doomed = append(doomed, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			doomed = append(doomed, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		for _, object := range doomed {
			if _, err := client.DeleteObject(ctx,
				&s3.DeleteObjectInput{Bucket: &name, Key: object.Key, VersionId: object.VersionId}); err != nil {
				return fmt.Errorf("emptying the bucket %s: %w", name, err)
			}
		}
	}
	if _, err := client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name}); err != nil {
		return fmt.Errorf("deleting the bucket %s: %w", name, err)
	}
	return nil
}
