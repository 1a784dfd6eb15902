package oauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// rotateAfter is how long a key signs before another follows it.
	rotateAfter = 30 * 24 * time.Hour
	// publishBefore is how long a new key is published before it signs, so that whoever keeps the key set has it by then.
	publishBefore = time.Hour
	// keepAfter is how long a key is published after the next one was made: longer than any token that it signed.
	keepAfter = 24 * time.Hour
)

// SigningKey is a key that signs tokens. The private half is sealed.
type SigningKey struct {
	ID      string    `dynamodbav:"id"`
	Created time.Time `dynamodbav:"created"`
	// Sealed is the private key in PKCS #8, Public the public key in the form of the X.509 SubjectPublicKeyInfo.
	Sealed []byte `dynamodbav:"sealed"`
	Public []byte `dynamodbav:"public"`
}

// KeySet is an environment's signing keys, oldest first. Version is 0 while there is none.
type KeySet struct {
	Version int64
	Keys    []SigningKey
}

// KeyStore keeps signing keys.
type KeyStore interface {
	SigningKeys(ctx context.Context, env string) (KeySet, error)
	// SaveSigningKeys replaces the set if it still has the version that next follows; ErrConcurrentChange if not.
	SaveSigningKeys(ctx context.Context, env string, next KeySet) error
}

// ErrConcurrentChange is what KeyStore.SaveSigningKeys returns if the set was changed since it was read.
var ErrConcurrentChange = errors.New("the signing keys changed since they were read")

// Sealer seals the private keys.
type Sealer interface {
	Seal(ctx context.Context, plain, bound []byte) ([]byte, error)
	Open(ctx context.Context, sealed, bound []byte) ([]byte, error)
}

// Keys makes, rotates and uses signing keys.
type Keys struct {
	EnvID  string
	Store  KeyStore
	Sealer Sealer
	Now    func() time.Time
	NewID  func() string
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
}

// Signing returns the key that signs at present, and its private half. It makes the first one, and the next where one
// is due.
func (k *Keys) Signing(ctx context.Context) (SigningKey, *ecdsa.PrivateKey, error) {
	set, err := k.Store.SigningKeys(ctx, k.EnvID)
	if err != nil {
		return SigningKey{}, nil, err
	}
	if len(set.Keys) == 0 || k.Now().Sub(set.Keys[len(set.Keys)-1].Created) >= rotateAfter {
		if set, err = k.rotate(ctx, set); err != nil {
			return SigningKey{}, nil, err
		}
	}
	key := set.signing(k.Now())
	plain, err := k.Sealer.Open(ctx, key.Sealed, sealContext(k.EnvID, key.ID))
	if err != nil {
		return SigningKey{}, nil, err
	}
	private, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return SigningKey{}, nil, fmt.Errorf("read a signing key: %w", err)
	}
	ec, ok := private.(*ecdsa.PrivateKey)
	if !ok {
		return SigningKey{}, nil, errors.New("read a signing key: it is of another kind")
	}
	return key, ec, nil
}

// Rotate makes a new key, which signs after it was published for an hour.
func (k *Keys) Rotate(ctx context.Context) error {
	set, err := k.Store.SigningKeys(ctx, k.EnvID)
	if err == nil {
		_, err = k.rotate(ctx, set)
	}
	return err
}

// rotate adds a key to the set and drops those that nothing was signed with for long. Of two at once, one is made.
func (k *Keys) rotate(ctx context.Context, set KeySet) (KeySet, error) {
	now := k.Now().UTC().Truncate(time.Millisecond)
	made, err := k.newKey(ctx, now)
	if err != nil {
		return KeySet{}, err
	}
	next := KeySet{Version: set.Version + 1, Keys: append(slices.Clone(set.Keys), made)}
	for len(next.Keys) > 2 && now.Sub(next.Keys[1].Created) > keepAfter {
		next.Keys = next.Keys[1:]
	}
	err = k.Store.SaveSigningKeys(ctx, k.EnvID, next)
	if errors.Is(err, ErrConcurrentChange) {
		return k.Store.SigningKeys(ctx, k.EnvID)
	}
	return next, err
}

func (k *Keys) newKey(ctx context.Context, now time.Time) (SigningKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), k.Random)
	if err != nil {
		return SigningKey{}, fmt.Errorf("make a signing key: %w", err)
	}
	plain, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return SigningKey{}, fmt.Errorf("make a signing key: %w", err)
	}
	defer clear(plain)
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return SigningKey{}, fmt.Errorf("make a signing key: %w", err)
	}
	made := SigningKey{ID: k.NewID(), Created: now, Public: public}
	made.Sealed, err = k.Sealer.Seal(ctx, plain, sealContext(k.EnvID, made.ID))
	return made, err
}

// signing returns the newest key that was published long enough, or the oldest if none was.
func (s KeySet) signing(now time.Time) SigningKey {
	for _, key := range slices.Backward(s.Keys) {
		if now.Sub(key.Created) >= publishBefore {
			return key
		}
	}
	return s.Keys[0]
}

// find returns the public key of an id.
func (s KeySet) find(id string) (*ecdsa.PublicKey, bool) {
	i := slices.IndexFunc(s.Keys, func(k SigningKey) bool { return k.ID == id })
	if i < 0 {
		return nil, false
	}
	parsed, err := x509.ParsePKIXPublicKey(s.Keys[i].Public)
	public, ok := parsed.(*ecdsa.PublicKey)
	return public, ok && err == nil
}

// JWKS returns the public keys (RFC 7517).
func (k *Keys) JWKS(ctx context.Context) (jose.JSONWebKeySet, error) {
	set, err := k.Store.SigningKeys(ctx, k.EnvID)
	out := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, key := range set.Keys {
		if public, ok := set.find(key.ID); ok {
			out.Keys = append(out.Keys, jose.JSONWebKey{Key: public, KeyID: key.ID, Algorithm: string(jose.ES256), Use: "sig"})
		}
	}
	return out, err
}

// sealContext binds a sealed key to its environment and its id.
func sealContext(env, id string) []byte { return []byte("signing-key\x00" + env + "\x00" + id) }
