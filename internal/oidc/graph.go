package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"useraccounts/internal/fault"
	"useraccounts/internal/sso"
)

const (
	// directoryPage is the size of a page of people; Graph's maximum is 999.
	directoryPage = 100
	// maxRetryAfter bounds how long a caller is told to wait.
	maxRetryAfter = 2 * time.Minute
)

// Directory reads Azure's directory (https://learn.microsoft.com/graph/api/user-list).
type Directory struct {
	HTTP *http.Client
	// URL is sso.GraphURL in Azure's worldwide cloud.
	URL string
}

// People returns a page of people and the address of the next page, empty after the last. next is empty for the first
// page. TooManyRequests says when to retry; *sso.ProviderError what an administrator has to change.
func (d Directory) People(ctx context.Context, accessToken, next string) ([]sso.Person, string, error) {
	first := d.URL + "/v1.0/users"
	where := first + "?$select=id,displayName,mail,userPrincipalName,accountEnabled&$orderby=displayName&$top=" +
		strconv.Itoa(directoryPage)
	if next != "" {
		if where = next; !strings.HasPrefix(next, first+"?") {
			return nil, "",
				fault.New(fault.Invalid, "cursor",
					"This is not the address of a page of the directory. Start again from the first page.")
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("Authorization", "Bearer "+accessToken)
	answer, err := d.HTTP.Do(r)
	if err != nil {
		return nil, "", networkError(withoutURL(err), "directory")
	}
	defer func() { _ = answer.Body.Close() }() // there is nothing to flush
	if answer.StatusCode != http.StatusOK {
		return nil, "", directoryError(answer)
	}
	var page struct {
		Value []struct {
			ID      string `json:"id"`
			Name    string `json:"displayName"`
			Mail    string `json:"mail"`
			Login   string `json:"userPrincipalName"`
			Enabled *bool  `json:"accountEnabled"`
		} `json:"value"`
		Next string `json:"@odata.nextLink"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&page); err != nil {
		return nil, "",
			sso.NewProviderError("directory", truncated(err),
				"The directory's response cannot be read. Try again; if it happens again, contact Microsoft.")
	}
	if page.Next != "" && !strings.HasPrefix(page.Next, first+"?") {
		return nil, "", sso.NewProviderError("directory", nil, "The address of the directory's next page is on another host.")
	}
	out := make([]sso.Person, len(page.Value))
	for i, v := range page.Value {
		out[i] = sso.Person{ObjectID: v.ID, Name: v.Name, Email: v.Mail, Disabled: v.Enabled != nil && !*v.Enabled}
		if v.Mail == "" {
			out[i].Email = v.Login
		}
	}
	return out, page.Next, nil
}

func directoryError(answer *http.Response) error {
	cause := fmt.Errorf("status %d", answer.StatusCode)
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		wait := 10 * time.Second
		if n, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && n > 0 {
			wait = min(time.Duration(n)*time.Second, maxRetryAfter)
		}
		return fault.New(fault.TooManyRequests, "provider.throttled",
			"The directory is throttling requests. Continue in a moment; nothing is lost.").WithRetryAfter(wait).WithCause(cause)
	case http.StatusUnauthorized:
		return sso.NewProviderError("signInAgain", cause,
			"The sign-in to the directory has expired. Log in to Azure again and continue; links that were made remain.")
	case http.StatusForbidden:
		return sso.NewProviderError("consent", cause,
			"You are not allowed to read the directory through this application. An administrator of the directory has to "+
				"consent to the permission User.Read.All.")
	}
	return sso.NewProviderError("directory", cause,
		"The directory responded with an error (status %d). Try again; if it happens again, contact Microsoft.",
		answer.StatusCode)
}

// withoutURL removes the address, with its position in the directory, from an error for the log.
func withoutURL(err error) error {
	if wrong, ok := err.(*url.Error); ok { //nolint:errorlint // the client returns just this
		return wrong.Err
	}
	return err
}
