// Package seal encrypts small secrets for the table (envelope encryption): AES-256-GCM under data keys that a key
// outside the table wraps. On AWS that key is in KMS; on a developer's machine it is a file.
//
// Sealed data carries its wrapped data key, so it still opens after a rotation. It is bound to a context (associated
// data) without which it does not open: a seed that is moved to another account's item is useless (V30).
package seal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
)

// KeyWrapper makes and unwraps data keys.
type KeyWrapper interface {
	// Generate returns a new data key of 32 bytes, plain and wrapped.
	Generate(ctx context.Context) (plain, wrapped []byte, err error)
	// Unwrap returns the data key that was wrapped.
	Unwrap(ctx context.Context, wrapped []byte) ([]byte, error)
}

const (
	// keyLife is how long a data key stays in memory and in use. After that time a revoked key is useless.
	keyLife = 10 * time.Minute
	// maxCachedKeys bounds the data keys in memory, maxUses how often one seals (far below AES-GCM's 2^32 random nonces).
	maxCachedKeys = 256
	maxUses       = 1 << 20
	// version is the first byte of sealed data, so that another format can follow.
	version    = 1
	maxWrapped = 1024
)

// ErrCannotOpen is returned for sealed data that does not open: another context, another key, or changed bytes.
var ErrCannotOpen = errors.New("sealed data does not open")

// Sealer seals and opens. A process keeps one for its lifetime.
type Sealer struct {
	Keys KeyWrapper
	Now  func() time.Time

	mu      sync.Mutex
	current *dataKey
	opened  map[string]*dataKey
}

type dataKey struct {
	cipher  *subtle.AESGCM
	wrapped []byte
	expires time.Time
	uses    int
}

// Seal seals plain, bound to a context.
func (s *Sealer) Seal(ctx context.Context, plain, bound []byte) ([]byte, error) {
	key, err := s.currentKey(ctx)
	if err != nil {
		return nil, err
	}
	sealed, err := key.cipher.Encrypt(plain, bound)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	out := append(make([]byte, 0, 3+len(key.wrapped)+len(sealed)), version)
	out = binary.BigEndian.AppendUint16(out, uint16(len(key.wrapped))) //nolint:gosec // bounded when it was made
	return append(append(out, key.wrapped...), sealed...), nil
}

// Open opens what Seal returned, for the same context; ErrCannotOpen if it does not open.
func (s *Sealer) Open(ctx context.Context, sealed, bound []byte) ([]byte, error) {
	if len(sealed) < 3 || sealed[0] != version {
		return nil, ErrCannotOpen
	}
	size := int(binary.BigEndian.Uint16(sealed[1:3]))
	if size == 0 || size > maxWrapped || len(sealed) < 3+size {
		return nil, ErrCannotOpen
	}
	key, err := s.unwrap(ctx, sealed[3:3+size])
	if err != nil {
		return nil, err
	}
	plain, err := key.cipher.Decrypt(sealed[3+size:], bound)
	if err != nil {
		return nil, ErrCannotOpen
	}
	return plain, nil
}

// currentKey returns the data key to seal with. Calls wait for each other only while a new one is made.
func (s *Sealer) currentKey(ctx context.Context) (*dataKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key := s.current; key != nil && s.Now().Before(key.expires) && key.uses < maxUses {
		key.uses++
		return key, nil
	}
	plain, wrapped, err := s.Keys.Generate(ctx)
	if err != nil {
		return nil, fmt.Errorf("make a data key: %w", err)
	}
	if len(wrapped) == 0 || len(wrapped) > maxWrapped {
		return nil, errors.New("make a data key: the wrapped key has no usable size")
	}
	key, err := s.cache(plain, wrapped)
	if err != nil {
		return nil, err
	}
	key.uses, s.current = 1, key
	return key, nil
}

func (s *Sealer) unwrap(ctx context.Context, wrapped []byte) (*dataKey, error) {
	s.mu.Lock()
	key := s.opened[string(wrapped)]
	s.mu.Unlock()
	if key != nil && s.Now().Before(key.expires) {
		return key, nil
	}
	plain, err := s.Keys.Unwrap(ctx, wrapped)
	if err != nil {
		return nil, fmt.Errorf("unwrap a data key: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cache(plain, wrapped)
}

// cache keeps a data key in memory for keyLife, and wipes the copy it was given.
func (s *Sealer) cache(plain, wrapped []byte) (*dataKey, error) {
	defer clear(plain)
	if len(plain) != 32 {
		return nil, errors.New("a data key has 32 bytes")
	}
	cipher, err := subtle.NewAESGCM(append([]byte{}, plain...))
	if err != nil {
		return nil, fmt.Errorf("use a data key: %w", err)
	}
	if len(s.opened) >= maxCachedKeys || s.opened == nil {
		s.opened = map[string]*dataKey{}
	}
	key := &dataKey{cipher: cipher, wrapped: append([]byte{}, wrapped...), expires: s.Now().Add(keyLife)}
	s.opened[string(wrapped)] = key
	return key, nil
}
