package breach_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/breach"
)

// digest of "password", without the five digits that are asked for.
const (
	prefix = "5BAA6"
	rest   = "1E4C9B93F3F0682250B6CF8331B7EE68FD8"
)

// fakeService starts a service of ranges; told is what was said about its being away.
func fakeService(t *testing.T, handle http.HandlerFunc) (ranges account.BreachChecker, told *[]string) {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	told = new([]string)
	ranges, err := breach.New(server.URL+"/range/", func(err error) { *told = append(*told, err.Error()) })
	if err != nil {
		t.Fatal(err)
	}
	return ranges, told
}

// V05: five digits leave, padded answers are asked for and read, and a count of 0 is padding.
func TestKnownAsksForARange(t *testing.T) {
	var asked []string
	ranges, told := fakeService(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.String()+" "+r.Header.Get("Add-Padding"))
		_, _ = fmt.Fprintf(w, "%s:0\r\n%s:52256179\r\n", strings.Repeat("A", 35), rest)
	})
	if !ranges.IsBreached(t.Context(), "password") || ranges.IsBreached(t.Context(), "correct horse") {
		t.Error("wrong about one of the two")
	}
	if asked[0] != "GET /range/"+prefix+" true" || len(*told) > 0 {
		t.Errorf("%v, away %v", asked, *told)
	}
	padded, _ := fakeService(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, "%s:0\n", rest) })
	if padded.IsBreached(t.Context(), "password") {
		t.Error("padding counts")
	}
	// The same password in another normal form is the same (V02): the digest is of its NFC.
	composed, _ := fakeService(t,
		func(w http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.Path); _, _ = w.Write(nil) })
	asked = nil
	composed.IsBreached(t.Context(), "caf\u00e9")
	composed.IsBreached(t.Context(), "cafe\u0301")
	if asked[0] != asked[1] {
		t.Errorf("two normal forms: %v", asked)
	}
}

// V05, V84: a service that is slow, wrong, huge or down keeps nobody from choosing a password, and what is said about
// it holds nothing of the password or its digest.
func TestKnownNeitherBlocksNorLeaks(t *testing.T) {
	elsewhere := httptest.NewServer(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, "%s:7\n", rest) }))
	t.Cleanup(elsewhere.Close)
	released := make(chan struct{})
	t.Cleanup(func() { close(released) })
	for name, handle := range map[string]http.HandlerFunc{
		"down":     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"no range": func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>sign in first</html>") },
		"no count": func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, "%s:-1\n", rest) },
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			line := fmt.Sprintf("%s:7\n", rest)
			_, _ = fmt.Fprint(w, strings.Repeat(line, 40000))
		},
		"one endless line": func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, strings.Repeat("A", 2<<20)) },
		"redirected": func(w http.ResponseWriter,
			r *http.Request,
		) {
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		},
		"slow": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-released:
			case <-r.Context().Done():
			}
		},
		"slow in between": func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, "%s:7\n", rest)
			w.(http.Flusher).Flush()
			select {
			case <-released:
			case <-r.Context().Done():
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ranges, told := fakeService(t, handle)
			if ranges.IsBreached(context.Background(), "password") {
				t.Error("known")
			}
			if len(*told) != 1 || strings.Contains(strings.ToUpper((*told)[0]), prefix) ||
				strings.Contains((*told)[0], "password") {
				t.Errorf("told %q", *told)
			}
		})
	}
}

// The address is a template parameter: empty is off, and nothing but https leaves the machine.
func TestNew(t *testing.T) {
	if got, err := breach.New("", nil); got != nil || err != nil {
		t.Errorf("off: %v %v", got, err)
	}
	for _, bad := range []string{
		"http://ranges.example/range", "ftp://127.0.0.1/", "ranges", "https://",
		"https://u:p@ranges.example/", "https://ranges.example/?q=", "http://localhost.example/range/",
	} {
		if _, err := breach.New(bad, nil); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if _, err := breach.New("https://ranges.example/range/", nil); err != nil {
		t.Error(err)
	}
}
