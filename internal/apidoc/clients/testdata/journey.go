// Command client walks through the API with a client that oapi-codegen made.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"time"

	"github.com/oapi-codegen/runtime/types"

	"client/api"
)

func main() {
	ctx := context.Background()
	c, err := api.NewClientWithResponses(os.Getenv("URL"))
	must(err)
	signedIn, err := c.SignInWithResponse(ctx, api.LoginLogin{Identifier: "admin", Password: os.Getenv("ADMIN_PASSWORD")})
	must(err)
	bearer := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+*signedIn.JSON200.AccessToken)
		return nil
	}

	var first *api.CreateAccountResponse
	for _, name := range []string{"gojourney1", "gojourney2"} {
		roles := []string{"VIEWER"}
		created, err := c.CreateAccountWithResponse(ctx, nil, api.AccountCreate{Username: name, Name: "Go Journey",
			Email: new(types.Email(name + "@example.com")), UserType: "FULL", Roles: &roles}, bearer)
		must(err)
		check(created.JSON201 != nil && created.JSON201.Version > 0, "create", created.Body)
		if first == nil {
			first = created
		}
	}
	again, err := c.CreateAccountWithResponse(ctx, nil, api.AccountCreate{Username: "gojourney1", Name: "Again",
		Email: new(types.Email("again@example.com")), UserType: "FULL"}, bearer)
	must(err)
	check(again.StatusCode() == 409 && again.ApplicationproblemJSON4XX.Code == "taken", "409", again.Body)

	roles, cursor, seen := []string{"ADMIN", "VIEWER"}, (*string)(nil), 0
	for {
		page, err := c.ListAccountsWithResponse(ctx, &api.ListAccountsParams{Limit: new(int32(1)), Cursor: cursor,
			Roles: &roles, Find: new("journey")}, bearer)
		must(err)
		check(page.JSON200 != nil, "list", page.Body)
		seen += len(page.JSON200.Items)
		if cursor = page.JSON200.Next; cursor == nil {
			break
		}
	}
	check(seen >= 2, "pages", []byte(fmt.Sprint(seen)))

	id, tag := first.JSON201.Id, first.HTTPResponse.Header.Get("ETag")
	changed, err := c.ChangeAccountWithResponse(ctx, id, &api.ChangeAccountParams{IfMatch: tag},
		api.AccountPatch{Name: new("Go Changed")}, bearer)
	must(err)
	check(changed.JSON200 != nil && changed.JSON200.Version > first.JSON201.Version, "change", changed.Body)
	stale, err := c.ChangeAccountWithResponse(ctx, id, &api.ChangeAccountParams{IfMatch: tag},
		api.AccountPatch{Name: new("Go Stale")}, bearer)
	must(err)
	check(stale.StatusCode() == 412 && stale.ApplicationproblemJSON4XX.Code == "stale", "412", stale.Body)
	invalid, err := c.ChangeAccountWithResponse(ctx, id, &api.ChangeAccountParams{
		IfMatch: changed.HTTPResponse.Header.Get("ETag")}, api.AccountPatch{Name: new("   ")}, bearer)
	must(err)
	check(invalid.StatusCode() == 422 && len(*invalid.ApplicationproblemJSON4XX.Fields) == 1, "422", invalid.Body)

	var body api.AccountsBulk
	must(body.FromAccountsBulkBlock(api.AccountsBulkBlock{Action: "block", Ids: &[]string{id},
		Arguments: api.AccountsBulkBlockArguments{Reason: "Left"}}))
	bulk, err := c.ChangeManyAccountsWithResponse(ctx, nil, body, bearer)
	must(err)
	check(bulk.JSON200 != nil && len(bulk.JSON200.Items) == 1, "bulk", bulk.Body)
	importWorkbook(ctx, c, bearer)
	fmt.Println("the Go client works")
}

func importWorkbook(ctx context.Context, c *api.ClientWithResponses, bearer api.RequestEditorFn) {
	begun, err := c.StartImportWithResponse(ctx, nil, api.TransfersImport{DateFormat: "iso"}, bearer)
	must(err)
	check(begun.JSON201 != nil, "import", begun.Body)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, value := range begun.JSON201.Form.Fields {
		must(w.WriteField(name, value))
	}
	part, err := w.CreateFormFile("file", "joiners.xlsx")
	must(err)
	workbook, err := os.ReadFile(os.Getenv("WORKBOOK"))
	must(err)
	_, err = part.Write(workbook)
	must(err)
	must(w.Close())
	sent, err := http.Post(begun.JSON201.Form.Url, w.FormDataContentType(), &form)
	must(err)
	answer, _ := io.ReadAll(sent.Body)
	check(sent.StatusCode/100 == 2, "upload", answer)
	id := begun.JSON201.Job.Id
	submitted, err := c.SubmitImportWithResponse(ctx, id, bearer)
	must(err)
	check(submitted.StatusCode()/100 == 2, "submit", submitted.Body)
	for range 60 {
		job, err := c.GetJobWithResponse(ctx, id, bearer)
		must(err)
		if job.JSON200.State == "done" {
			rows, err := c.ListJobRowsWithResponse(ctx, id, nil, bearer)
			must(err)
			check(len(rows.JSON200.Items) > 0, "rows", rows.Body)
			return
		}
		time.Sleep(time.Second)
	}
	check(false, "the import did not end", nil)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(ok bool, what string, body []byte) {
	if !ok {
		fmt.Fprintf(os.Stderr, "%s: %s\n", what, body)
		os.Exit(1)
	}
}
