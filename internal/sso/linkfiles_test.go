package sso

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/fault"
)

// fakeFileStore is a FileStore in memory.
type fakeFileStore map[string][]string

func (s fakeFileStore) UploadForm(_ context.Context, key string, _ int64, _ time.Duration) (string, map[string]string,
	error,
) {
	return "https://files.example.com", map[string]string{"key": key}, nil
}

func (s fakeFileStore) LatestVersion(_ context.Context, key string) (string, error) {
	if len(s[key]) == 0 {
		return "", fault.New(fault.NotFound, "notFound", "none")
	}
	return fmt.Sprint(len(s[key]) - 1), nil
}

func (s fakeFileStore) Open(_ context.Context, key, version string) (io.ReadCloser, error) {
	for i, text := range s[key] {
		if fmt.Sprint(i) == version {
			return io.NopCloser(strings.NewReader(text)), nil
		}
	}
	return nil, fault.New(fault.NotFound, "notFound", "none")
}

// V55: each line has a result, checked against the whole file, of the version that was checked.
func TestFilesAreCheckedAndApplied(t *testing.T) {
	f := newSelfService(t, "hash")
	f.asAdministrator()
	store := fakeFileStore{}
	files := &LinkFiles{Identities: f.service.Identities, Store: store, Now: f.Now, NewID: func() string { return "F" }}
	form, err := files.BeginUpload(t.Context(), f.scope, f.id)
	if err != nil || form.Fields["key"] != "sso/main/admin/F.csv" {
		t.Fatalf("%+v, %v", form, err)
	}
	a := FileRange{ProviderID: f.id, FileID: "F"}
	if _, err := files.Check(t.Context(), f.scope, a); !fault.HasCode(err, "noFile") {
		t.Errorf("before it is posted: %v", err)
	}
	store[form.Fields["key"]] = []string{
		"email,object_id\nME@example.com,o-1\nyou@example.com,o-2\nYou@example.com,o-3\nx,o-4\n,o-5\n",
	}
	outcomes := func(p FileResult) string {
		var out []string
		for _, item := range p.Items {
			out = append(out, fmt.Sprint(item.Line, item.Outcome))
		}
		return strings.Join(out, " ")
	}
	checked, err := files.Check(t.Context(), f.scope, a)
	if err != nil || outcomes(checked) != "2linkable 3twoAccounts 4twoAccounts 5unusable 6unusable" ||
		checked.Rows != 5 || len(f.identities.wrote) != 0 {
		t.Fatalf("%s, %+v, %v", outcomes(checked), checked, err)
	}
	store[form.Fields["key"]] = append(store[form.Fields["key"]], "email,object_id\nyou@example.com,o-9\n")
	a.Version = checked.Version
	for _, want := range []string{"2linked", "2alreadyLinked"} {
		applied, err := files.Apply(t.Context(), f.scope, a)
		if err != nil || !strings.HasPrefix(outcomes(applied), want) || len(f.identities.identities) != 1 {
			t.Errorf("%s, %v", outcomes(applied), err)
		}
	}
	other := f.scope
	other.Caller.AccountID = "you"
	if _, err := files.Check(t.Context(), other, FileRange{ProviderID: f.id, FileID: "F"}); !fault.HasCode(err, "noFile") {
		t.Errorf("another's file: %v", err)
	}
}

// hugeFile returns a file of that many lines, of which the last contradicts the first.
func hugeFile(lines int) []byte {
	var b bytes.Buffer
	b.WriteString("Name,email,object_id\n")
	for i := range lines - 1 {
		fmt.Fprintf(&b, "Some Body %d,somebody.number.%d@example.com,7b3e1c52-0000-4000-8000-%012d\n", i, i, i)
	}
	b.WriteString("Else,SOMEBODY.number.0@example.com,7b3e1c52-0000-4000-8000-999999999999\n")
	return b.Bytes()
}

// C03: spellings of one account's email are the same email within a file.
func TestWindowsFoldEmails(t *testing.T) {
	for _, other := range []string{"doej@example.com", "DOEJ@EXAMPLE.COM", "ｄｏｅｊ@example.com", "doej＠example.com"} {
		w, err := readWindow(strings.NewReader("email,object_id\nDoeJ@Example.com,o-1\n"+other+",o-2\n"), 0, 10)
		if err != nil || w.ambiguity(w.rows[0]) == "" || w.ambiguity(w.rows[1]) == "" {
			t.Errorf("%s: %v", other, err)
		}
	}
}

func TestWindowsCoverTheWholeFile(t *testing.T) {
	text := hugeFile(2500)
	seen := 0
	for from := 0; ; {
		w, err := readWindow(bytes.NewReader(text), from, MaxRowsPerCall)
		if err != nil || w.total != 2500 {
			t.Fatal(err)
		}
		for _, line := range w.rows {
			seen++
			if (w.ambiguity(line) != "") != (line.Number == 2 || line.Number == 2501) {
				t.Errorf("line %d: %q", line.Number, w.ambiguity(line))
			}
		}
		if from = w.next; from == 0 {
			break
		}
	}
	if seen != 2500 {
		t.Errorf("%d lines", seen)
	}
	if _, err := readWindow(&limitedReader{bytes.NewReader(text), 1000}, 0, 10); !fault.Is(err, fault.Invalid) {
		t.Errorf("too large: %v", err)
	}
	if _, err := readWindow(io.MultiReader(bytes.NewReader(text), failingReader{}), 0, 10); !errors.Is(err, errBroken) {
		t.Errorf("a broken line: %v", err)
	}
}

var errBroken = errors.New("broken")

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errBroken }

// Reading 50,000 lines, with the memory in use at the end, compared with the library's bare reader.
func BenchmarkFileOf50000Lines(b *testing.B) {
	text := hugeFile(MaxRows)
	b.Run("window", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		var held uint64
		for b.Loop() {
			before := heap()
			w, err := readWindow(bytes.NewReader(text), 0, MaxRowsPerCall)
			if err != nil || w.total != MaxRows {
				b.Fatal(err)
			}
			held = heap() - before
			runtime.KeepAlive(w)
		}
		b.ReportMetric(float64(held)/(1<<20), "MB-held")
	})
	b.Run("bare", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			r := csv.NewReader(bytes.NewReader(text))
			r.ReuseRecord = true
			for {
				if _, err := r.Read(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
