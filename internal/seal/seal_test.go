package seal_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"useraccounts/internal/seal"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

func keyFile(t *testing.T) (path, name string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys", "seal.json")
	name, err := seal.CreateKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, name
}

// V30: what is sealed for one account, environment or field opens for no other, and no bit of it can be changed.
func TestWhatIsSealedOpensOnlyWhereItBelongs(t *testing.T) {
	_, name := keyFile(t)
	s := seal.New(aws.Config{}, name, true, atNoon)
	sealed, err := s.Seal(t.Context(), []byte("seed"), []byte("env/account/totp"))
	if err != nil || bytes.Contains(sealed, []byte("seed")) {
		t.Fatalf("%q, %v", sealed, err)
	}
	if plain, err := s.Open(t.Context(), sealed, []byte("env/account/totp")); err != nil || string(plain) != "seed" {
		t.Errorf("%q, %v", plain, err)
	}
	if plain, err := s.Open(t.Context(), sealed, []byte("env/another/totp")); !errors.Is(err, seal.ErrCannotOpen) ||
		plain != nil {
		t.Errorf("another account's context: %q, %v", plain, err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if plain, err := s.Open(t.Context(), changed, []byte("env/account/totp")); err == nil {
			t.Fatalf("byte %d changed: %q", i, plain)
		}
		if plain, err := s.Open(t.Context(), sealed[:i], []byte("env/account/totp")); err == nil {
			t.Fatalf("cut at %d: %q", i, plain)
		}
	}
	again, err := s.Seal(t.Context(), []byte("seed"), []byte("env/account/totp"))
	if err != nil || bytes.Equal(again, sealed) {
		t.Errorf("sealing twice gives the same bytes: %v", err)
	}
}

// V44: a rotated file seals with its new key at once, and opens what the old one sealed; another file opens neither.
func TestAKeyFileIsRotated(t *testing.T) {
	path, name := keyFile(t)
	old, err := seal.New(aws.Config{}, name, true, atNoon).Seal(t.Context(), []byte("seed"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := seal.RotateKeyFile(path); err != nil {
		t.Fatal(err)
	}
	rotated := seal.New(aws.Config{}, name, true, atNoon)
	if plain, err := rotated.Open(t.Context(), old, nil); err != nil || string(plain) != "seed" {
		t.Errorf("%q, %v", plain, err)
	}
	fresh, err := rotated.Seal(t.Context(), []byte("seed"), nil)
	if err != nil || bytes.Equal(fresh[3:8], old[3:8]) {
		t.Errorf("sealed with the old key (%x): %v", fresh[3:8], err)
	}
	_, other := keyFile(t)
	for _, sealed := range [][]byte{old, fresh} {
		if _, err := seal.New(aws.Config{}, other, true, atNoon).Open(t.Context(), sealed, nil); !errors.Is(err,
			seal.ErrCannotOpen) {
			t.Errorf("another key file: %v", err)
		}
	}
	if again, err := seal.CreateKeyFile(path); err != nil || again != name {
		t.Errorf("made again: %s, %v", again, err)
	}
	if _, err := seal.New(aws.Config{}, name, true, atNoon).Open(t.Context(), old, nil); err != nil {
		t.Errorf("making it again replaced it: %v", err)
	}
}

// V88: a file that others can read is refused, and so is any file where the services are AWS's own.
func TestAKeyFileIsRefused(t *testing.T) {
	path, name := keyFile(t)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if sealed, err := seal.New(aws.Config{}, name, false, atNoon).Seal(t.Context(), []byte("seed"), nil); err == nil {
		t.Errorf("in Lambda: %q", sealed)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if sealed, err := seal.New(aws.Config{}, name, true, atNoon).Seal(t.Context(), []byte("seed"), nil); err == nil {
		t.Errorf("readable by others: %q", sealed)
	}
}

// fakeKMS answers the two calls of KMS. There is no local KMS to be had, so the wire is faked, not our own code.
func fakeKMS(t *testing.T, calls map[string]int, down *bool) aws.Config {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			KeyID             string `json:"KeyId"`
			KeySpec           string
			CiphertextBlob    []byte
			EncryptionContext map[string]string
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.KeyID != "arn:key" ||
			in.EncryptionContext["purpose"] == "" {
			t.Errorf("%+v, %v", in, err)
		}
		operation := r.Header.Get("X-Amz-Target")
		calls[operation]++
		if *down {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		key := bytes.Repeat([]byte{byte(calls["TrentService.GenerateDataKey"])}, 32)
		out := map[string]any{"KeyId": in.KeyID}
		if operation == "TrentService.GenerateDataKey" {
			out["Plaintext"], out["CiphertextBlob"] = key, append([]byte("wrapped "), key[0])
		} else {
			out["Plaintext"] = bytes.Repeat(in.CiphertextBlob[len(in.CiphertextBlob)-1:], 32)
		}
		_ = json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(server.Close)
	return aws.Config{
		Region: "eu-west-2", BaseEndpoint: &server.URL, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "key"}, nil
		}),
	}
}

// A data key is asked of KMS once in ten minutes, however much is sealed; a new process asks once to open it.
func TestADataKeyIsKeptForTenMinutes(t *testing.T) {
	calls, down, now := map[string]int{}, false, noon
	cfg := fakeKMS(t, calls, &down)
	clock := func() time.Time { return now }
	s := seal.New(cfg, "arn:key", false, clock)
	var first []byte
	for i := range 20 {
		sealed, err := s.Seal(t.Context(), []byte("seed"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = sealed
		}
		if _, err := s.Open(t.Context(), sealed, nil); err != nil {
			t.Fatal(err)
		}
		now = now.Add(29 * time.Second)
	}
	if calls["TrentService.GenerateDataKey"] != 1 || calls["TrentService.Decrypt"] != 0 {
		t.Errorf("%v", calls)
	}
	now = now.Add(time.Minute)
	if _, err := s.Seal(t.Context(), []byte("seed"), nil); err != nil || calls["TrentService.GenerateDataKey"] != 2 {
		t.Errorf("after its time: %v, %v", calls, err)
	}
	other := seal.New(cfg, "arn:key", false, clock)
	for range 3 {
		if plain, err := other.Open(t.Context(), first, nil); err != nil || string(plain) != "seed" {
			t.Errorf("%q, %v", plain, err)
		}
	}
	if calls["TrentService.Decrypt"] != 1 {
		t.Errorf("%v", calls)
	}
	// V84: what KMS does not answer for is neither sealed nor opened.
	down = true
	third := seal.New(cfg, "arn:key", false, clock)
	if sealed, err := third.Seal(t.Context(), []byte("seed"), nil); err == nil {
		t.Errorf("sealed without KMS: %s", base64.StdEncoding.EncodeToString(sealed))
	}
	if plain, err := third.Open(t.Context(), first, nil); err == nil {
		t.Errorf("opened without KMS: %q", plain)
	}
}
