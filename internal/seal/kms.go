package seal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// filePrefix is the prefix of the name of a key that is a file.
const filePrefix = "file:"

// New returns a Sealer that uses the key with that name: a KMS key's ARN, or "file:" and a path. A file is accepted
// only where local says that the other services are local too. A Lambda function that is given a file can neither seal
// nor open.
func New(cfg aws.Config, name string, local bool, now func() time.Time) *Sealer {
	path, isFile := strings.CutPrefix(name, filePrefix)
	switch {
	case isFile && !local:
		return &Sealer{Keys: unavailableKeys{errors.New("a key file is for local runs only; name a KMS key")}, Now: now}
	case isFile:
		return &Sealer{Keys: &fileKeys{path: path}, Now: now}
	}
	return &Sealer{Keys: kmsKeys{client: kms.NewFromConfig(cfg), key: name}, Now: now}
}

// unavailableKeys refuses whatever needs a key (V84).
type unavailableKeys struct{ err error }

func (r unavailableKeys) Generate(context.Context) ([]byte, []byte, error) { return nil, nil, r.err }
func (r unavailableKeys) Unwrap(context.Context, []byte) ([]byte, error)   { return nil, r.err }

// kmsKeys wraps data keys with a KMS key. KMS keeps the key material of earlier rotations, so what it wrapped still
// unwraps.
type kmsKeys struct {
	client *kms.Client
	key    string
}

// encryptionContext is the KMS encryption context. KMS logs it, and needs the same to decrypt.
func encryptionContext() map[string]string { return map[string]string{"purpose": "useraccounts/seal"} }

func (k kmsKeys) Generate(ctx context.Context) (plain, wrapped []byte, err error) {
	out, err := k.client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: &k.key, KeySpec: types.DataKeySpecAes256, EncryptionContext: encryptionContext(),
	})
	if err != nil {
		return nil, nil, err
	}
	return out.Plaintext, out.CiphertextBlob, nil
}

func (k kmsKeys) Unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	out, err := k.client.Decrypt(ctx,
		&kms.DecryptInput{CiphertextBlob: wrapped, KeyId: &k.key, EncryptionContext: encryptionContext()})
	var bad *types.InvalidCiphertextException
	if errors.As(err, &bad) {
		return nil, fmt.Errorf("%w: %w", ErrCannotOpen, err)
	}
	if err != nil {
		return nil, err
	}
	return out.Plaintext, nil
}
