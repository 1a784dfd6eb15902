package seal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// fileKeys wraps data keys with a keyset in a file, which only its owner may read. A keyset has the key that wraps and
// the earlier ones; a wrapped key names the one that wrapped it.
type fileKeys struct {
	path string

	mu     sync.Mutex
	cached tink.AEAD
}

func (f *fileKeys) keyset() (tink.AEAD, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cached != nil {
		return f.cached, nil
	}
	handle, err := readKeyFile(f.path)
	if err != nil {
		return nil, err
	}
	f.cached, err = aead.New(handle)
	return f.cached, err
}

func (f *fileKeys) Generate(context.Context) (plain, wrapped []byte, err error) {
	keys, err := f.keyset()
	if err != nil {
		return nil, nil, err
	}
	plain = make([]byte, 32)
	if _, err := rand.Read(plain); err != nil {
		return nil, nil, err
	}
	wrapped, err = keys.Encrypt(plain, []byte(encryptionContext()["purpose"]))
	return plain, wrapped, err
}

func (f *fileKeys) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	keys, err := f.keyset()
	if err != nil {
		return nil, err
	}
	plain, err := keys.Decrypt(wrapped, []byte(encryptionContext()["purpose"]))
	if err != nil {
		return nil, ErrCannotOpen
	}
	return plain, nil
}

func readKeyFile(path string) (*keyset.Handle, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the key file %s can be read by others; make it mode 0600", path)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(file))
	if err != nil {
		return nil, fmt.Errorf("read the key file %s: %w", path, err)
	}
	return handle, nil
}

// CreateKeyFile makes a key file with one key, readable by its owner alone, unless there is one. It returns the name of
// the key for New.
func CreateKeyFile(path string) (string, error) {
	if _, err := os.Stat(path); err == nil {
		_, err := readKeyFile(path)
		return filePrefix + path, err
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	return filePrefix + path, writeKeyFile(path, handle)
}

// RotateKeyFile adds a key to a key file, which wraps from then on. What the earlier keys wrapped still unwraps.
func RotateKeyFile(path string) error {
	handle, err := readKeyFile(path)
	if err != nil {
		return err
	}
	manager := keyset.NewManagerFromHandle(handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	if handle, err = manager.Handle(); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	return writeKeyFile(path, handle)
}

// writeKeyFile replaces the file atomically, so that no crash leaves half a key.
func writeKeyFile(path string, handle *keyset.Handle) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".key-*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	err = insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(file))
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the key file: %w", err), os.Remove(file.Name()))
	}
	return nil
}
