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
	// directoryPage is how many people are asked for at once; 999 is the most that Graph gives.
	directoryPage = 100
	// maxRetryAfter is the longest that a caller is told to wait, whatever the directory says.
	maxRetryAfter = 2 * time.Minute
)

// Directory reads the people of Azure's directory (https://learn.microsoft.com/graph/api/user-list).
type Directory struct {
	HTTP *http.Client
	// URL is sso.GraphURL in Azure's worldwide cloud.
	URL string
}

// People returns a page of people and where the next begins, empty after the last. next is empty for the first page.
// TooMany says when to ask again; *sso.ProviderError what an administrator has to change.
func (d Directory) People(ctx context.Context, accessToken, next string) ([]sso.Person, string, error) {
	first := d.URL + "/v1.0/users"
	where := first + "?$select=id,displayName,mail,userPrincipalName,accountEnabled&$orderby=displayName&$top=" +
		strconv.Itoa(directoryPage)
	if next != "" {
		if where = next; !strings.HasPrefix(next, first+"?") {
			return nil, "",
				fault.New(fault.Invalid, "cursor", "This is not where a page of the directory begins. Read it from the start.")
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
	defer func() { _ = answer.Body.Close() }() // nothing to lose
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
				"The directory's answer cannot be read. Try again; if it stays so, ask Microsoft.")
	}
	if page.Next != "" && !strings.HasPrefix(page.Next, first+"?") {
		return nil, "", sso.NewProviderError("directory", nil, "The directory leads to another host for its next page.")
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
			"The directory asks us to slow down. Go on in a moment; nothing is lost.").WithRetryAfter(wait).WithCause(cause)
	case http.StatusUnauthorized:
		return sso.NewProviderError("signInAgain", cause,
			"The sign-in to the directory is over. Log in to Azure again and go on; links that were made stay.")
	case http.StatusForbidden:
		return sso.NewProviderError("consent", cause,
			"You may not read the directory through this application. An administrator of the directory has to consent to "+
				"the permission User.Read.All.")
	}
	return sso.NewProviderError("directory", cause,
		"The directory answered with an error (status %d). Try again; if it stays so, ask Microsoft.", answer.StatusCode)
}

// withoutURL keeps the place within the directory out of the log.
func withoutURL(err error) error {
	if wrong, ok := err.(*url.Error); ok { //nolint:errorlint // the client returns just this
		return wrong.Err
	}
	return err
}
