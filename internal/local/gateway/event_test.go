package gateway

import (
	"encoding/json"
	"flag"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

func TestEvent(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600))
	text := httptest.NewRequest("POST", "http://127.0.0.1:3000/items/a%20b?x=1&y=%C3%A4&x=2&z",
		strings.NewReader(`{"a":"ä"}`))
	text.Header.Set("Content-Type", "application/json; charset=utf-8")
	text.Header.Add("X-Many", "one")
	text.Header.Add("X-Many", "two")
	text.Header.Add("Cookie", "a=1; b=2")
	text.Header.Add("Cookie", "c=3")
	text.Header.Set("X-Forwarded-For", "203.0.113.9")
	text.Header.Set("User-Agent", "test")
	plain := httptest.NewRequest("GET", "http://127.0.0.1:3000/items/7", nil)
	for name, request := range map[string]struct {
		got  any
		file string
	}{
		"text": {event(text, Match{Key: "POST /items/{id}", Parameters: map[string]string{"id": "a b"}},
			requestMeta{id: "r1", at: at, body: []byte(`{"a":"ä"}`)}), "text.json"},
		"none": {event(plain, Match{Key: "GET /items/{id}", Parameters: map[string]string{"id": "7"}},
			requestMeta{id: "r2", at: at}), "none.json"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.MarshalIndent(request.got, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden := "testdata/" + request.file
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if string(got)+"\n" != string(want) {
				t.Errorf("%s", got)
			}
		})
	}
}

func TestRequestBodyIsTextForFewTypes(t *testing.T) {
	for kind, encoded := range map[string]bool{
		"application/json": false, "Application/JSON; charset=utf-8": false, "text/csv": false, "application/xml": false,
		"application/javascript": false, "application/x-www-form-urlencoded": true, "application/problem+json": true,
		"multipart/form-data; boundary=x": true, "application/octet-stream": true, "": true, "nonsense;;": true,
	} {
		request := httptest.NewRequest("POST", "/", nil)
		request.Header.Set("Content-Type", kind)
		if text, got := requestBody(request.Header, []byte("body")); got != encoded || (encoded && text != "Ym9keQ==") {
			t.Errorf("%s: %s %v", kind, text, got)
		}
	}
	request := httptest.NewRequest("POST", "/", nil)
	request.Header.Set("Content-Type", "application/json")
	if _, encoded := requestBody(request.Header, []byte("\xff\xfe")); !encoded {
		t.Error("bytes that are no text went on as text")
	}
	request.Header.Set("Content-Encoding", "gzip")
	if _, encoded := requestBody(request.Header, []byte("x")); !encoded {
		t.Error("compressed bytes went on as text")
	}
}
