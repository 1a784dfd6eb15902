package systemtest_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/xuri/excelize/v2"

	"useraccounts/internal/local"
	"useraccounts/internal/local/firstdata"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/sheet"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

const maxRows = transfer.MaxRows

// BenchmarkImport holds an import of 5,000 new accounts against reading the same sheet and writing the same
// transactions bare: each right before or after ours, so that both meet the same machine. The whole system is measured
// beside it, with a new process of the worker each time, so that its peak memory shows.
func BenchmarkImport(b *testing.B) {
	const rounds = 3
	c := startBenchSystem(b)
	p, floorTable := newSeededService(b), createTable(b)
	s := timings{}
	var idle, most float64
	var calls []any
	for b.Loop() {
		for range rounds {
			file := generateWorkbook(b, "r"+strconv.Itoa(len(s["system"])), maxRows)
			id := c.uploadImport(file)
			idle = max(idle, c.freshWorker())
			s.measure("system", func() { expectDone(b, c.submit(id, 200*time.Millisecond)) })
			most = max(most, c.workerPeakMemory())
			calls = p.measureImport(b, s, floorTable, file)
		}
	}
	reportImport(b, s, calls)
	if most > 0 {
		report(b, figure{name: "peak memory of the worker, import of 5,000", unit: "MB", ours: most, floor: idle,
			against: "the same process idle", aim: "≤ 200 MB"})
	}
}

// measureImport runs an import in this process, with each of its transactions also bare, right before or after it, and
// the sheet read again at the end. It returns what it asked of the store.
func (p *inProcessService) measureImport(b *testing.B, s timings, floorTable string, file []byte) []any {
	b.Helper()
	bares := timings{}
	p.recorder.beside = func(call any) {
		if t, ok := call.(*dynamodb.TransactWriteItemsInput); ok && len(t.TransactItems) > 9 { // not the begin and the commit
			bares.measure("write", func() { replayBare(b, p.client, floorTable, []any{call}) })
		}
	}
	defer func() { p.recorder.beside = nil }()
	began := time.Now()
	calls := p.record(func() { p.runImport(b, file) })
	took := time.Since(began)
	write := time.Duration(bares.total("write") * float64(time.Millisecond))
	s["worker"], s["write"] = append(s["worker"], took-write), append(s["write"], write)
	for _, kind := range []string{"BatchGetItem", "TransactWriteItems"} {
		ms := p.recorder.took.total("*dynamodb." + kind + "Input")
		s[kind] = append(s[kind], time.Duration(ms*float64(time.Millisecond)))
	}
	s.measure("parse", func() { parse(b, file) })
	return calls
}

func reportImport(b *testing.B, s timings, calls []any) {
	b.Helper()
	seconds := func(name string) float64 { return s.ms(name) / 1000 }
	floor := seconds("parse") + seconds("write")
	against := fmt.Sprintf("reading the sheet %s s + the same transactions bare %s s", formatNumber(seconds("parse")),
		formatNumber(seconds("write")))
	report(b, figure{name: "import of 5,000, submit to done", unit: "s", ours: seconds("system"), floor: floor,
		against: against})
	report(b, figure{name: "import of 5,000, worker", unit: "s", ours: seconds("worker"), floor: floor, against: against,
		aim: "≤ 1.3"})
	b.ReportMetric(seconds("TransactWriteItems"), "s-in-own-transactions")
	b.ReportMetric(seconds("BatchGetItem"), "s-in-batch-reads")
	report(b, figure{
		name: "import of 5,000, submit to done", unit: "rows/s", ours: maxRows / seconds("system"),
		against: "Ory Kratos 1.3.1 in batches, not all or nothing: 713 rows/s",
	})
	read, write := capacityUnits(calls)
	report(b, figure{name: "import of 5,000, round trips", unit: "calls", ours: float64(len(calls))})
	report(b, figure{name: "import of 5,000, reads", unit: "R", ours: read})
	report(b, figure{name: "import of 5,000, writes", unit: "W", ours: write, floor: 10000, against: "one item a row",
		aim: "≤ 30,400 W"})
}

// BenchmarkRefusal holds a sheet of as many rows as Excel has against one with a row too many: reading stops at the
// limit.
func BenchmarkRefusal(b *testing.B) {
	c := startBenchSystem(b)
	files := map[string][]byte{"5,001": generateLongWorkbook(b, maxRows+1), "million": generateLongWorkbook(b, 1<<20-1)}
	s, peak := timings{}, map[string]float64{}
	for b.Loop() {
		for range 5 {
			for name, file := range files {
				id := c.uploadImport(file)
				c.freshWorker()
				s.measure(name, func() {
					if job := c.submit(id, 2*time.Millisecond); job["state"] != "refused" ||
						job["problem"].(map[string]any)["code"] != "tooManyRows" {
						b.Fatal(job)
					}
				})
				peak[name] = max(peak[name], c.workerPeakMemory())
			}
		}
	}
	against := "5,001 rows, " + formatNumber(float64(len(files["5,001"]))/1e6) + " MB"
	report(b, figure{
		name: "1,048,574 rows refused (" + formatNumber(float64(len(files["million"]))/1e6) + " MB)", unit: "ms",
		ours: s.ms("million"), floor: s.ms("5,001"),
		against: against, aim: "about 1",
	})
	if peak["million"] > 0 {
		report(b, figure{name: "peak memory of the worker, 1,048,574 rows refused", unit: "MB", ours: peak["million"],
			floor: peak["5,001"], against: against, aim: "≤ 200 MB"})
	}
}

// newSeededService is the worker in this process on a table of its own.
func newSeededService(b *testing.B) *inProcessService {
	const env = "main"
	table := createTable(b)
	_, err := firstdata.Seed(b.Context(), local.SeedTarget{
		Endpoints: localtest.Services(b), TableName: table, EnvironmentID: env, AdminPassword: adminPassword,
	})
	must(b, err)
	return newInProcessService(b, table, env)
}

// runImport runs an import in this process.
func (p *inProcessService) runImport(b *testing.B, file []byte) {
	b.Helper()
	caller, now := p.scope(b).Caller, time.Now().UTC().Truncate(time.Millisecond)
	j := transfer.Job{
		ID: token.NewIDString(), Env: p.env, Kind: transfer.Import, State: transfer.Submitted,
		Options: transfer.Options{DateFormat: sheet.ISO},
		By:      caller.Username, ByID: caller.AccountID, Created: now, Submitted: now,
	}
	p.files.stored[j.UploadKey()] = file
	must(b, p.jobs.Create(b.Context(), j))
	must(b, p.worker.Run(b.Context(), p.env, j.ID))
	if got, err := p.jobs.Job(b.Context(), p.env, j.ID); err != nil || got.State != transfer.Done ||
		got.Counts.Created != maxRows {
		b.Fatal(got, err)
	}
	clear(p.files.stored)
}

// parse reads every cell of a sheet.
func parse(b *testing.B, file []byte) {
	b.Helper()
	w, err := sheet.Open(bytes.NewReader(file), int64(len(file)), sheet.DefaultLimits())
	must(b, err)
	_, err = w.Header()
	must(b, err)
	rows := 0
	for _, err := range w.Data(maxRows) {
		must(b, err)
		rows++
	}
	if rows != maxRows {
		b.Fatalf("%d rows", rows)
	}
}

func expectDone(b *testing.B, job map[string]any) {
	b.Helper()
	if job["state"] != "done" {
		b.Fatal(job)
	}
}

// runImport imports a file and returns the job as it ended.
func (c *benchClient) runImport(file []byte) map[string]any {
	return c.submit(c.uploadImport(file), 50*time.Millisecond)
}

// uploadImport begins an import and uploads its file.
func (c *benchClient) uploadImport(file []byte) string {
	begun := c.call("POST", "/api/imports", map[string]any{"dateFormat": "iso"}, 201)
	form := begun["form"].(map[string]any)
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range form["fields"].(map[string]any) {
		must(c.B, w.WriteField(name, value.(string)))
	}
	part, err := w.CreateFormFile("file", "sheet.xlsx")
	must(c.B, err)
	_, err = part.Write(file)
	must(c.B, firstOf(err, w.Close()))
	request, err := http.NewRequestWithContext(c.Context(), "POST", form["url"].(string), &body)
	must(c.B, err)
	request.Header.Set("Content-Type", w.FormDataContentType())
	httpResponse, err := c.http.Do(request)
	must(c.B, err)
	must(c.B, httpResponse.Body.Close())
	if httpResponse.StatusCode/100 != 2 {
		c.Fatalf("upload: %d", httpResponse.StatusCode)
	}
	return begun["job"].(map[string]any)["id"].(string)
}

// submit submits an import and returns the job as it ended.
func (c *benchClient) submit(id string, every time.Duration) map[string]any {
	c.call("POST", "/api/imports/"+id+"/submit", nil, 202)
	return c.waitForJob(id, every)
}

// waitForJob waits for a job's end.
func (c *benchClient) waitForJob(id string, every time.Duration) map[string]any {
	for {
		job := c.call("GET", "/api/jobs/"+id, nil, 200)
		if slices.Contains([]string{"done", "refused", "cancelled", "failed"}, job["state"].(string)) {
			return job
		}
		time.Sleep(every)
	}
}

// freshWorker puts a new process in the place of the worker's and returns its memory in MB before it has worked.
func (c *benchClient) freshWorker() float64 {
	pool := c.system.Function("transferworker")
	pool.Kill()
	for len(pool.PIDs()) > 0 {
		time.Sleep(time.Millisecond)
	}
	must(c.B, pool.Warm(c.Context()))
	return c.workerPeakMemory()
}

func (c *benchClient) workerPeakMemory() float64 { return c.peakMemory("transferworker") }

// peakMemory is the most memory in MB that a process of a function has had at once; 0 where the system does not tell.
func (c *benchClient) peakMemory(function string) float64 {
	var most float64
	for _, pid := range c.system.Function(function).PIDs() {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0
		}
		for line := range strings.Lines(string(status)) {
			if words := strings.Fields(line); words[0] == "VmHWM:" {
				kilobytes, err := strconv.ParseFloat(words[1], 64)
				must(c.B, err)
				most = max(most, kilobytes*1024/1e6)
			}
		}
	}
	return most
}

// cells are the 36 columns and what row %[1]d of file %[2]s has in them.
var cells = [][2]string{
	{"Username", "%[2]s-person%05[1]d"}, {"First name", "First %[1]d"}, {"Middle name", "Middle %[1]d"},
	{"Last name", "Last %[1]d"},
	{"Job title", "Head of matter %[1]d"}, {"Company", "Company %[1]d"}, {"Description", "Somebody With A Name %[1]d"},
	{"User licenses", "FULL"}, {"User license description", "Full user"}, {"Date from", "2026-01-01"},
	{"Date to", "2031-12-31"},
	{"Email", "%[2]s.person%05[1]d@example.com"}, {"Mobile", "+44 20 7946 %04[1]d"}, {"MFA requires", "Y"},
	{"Create Resource", "N"},
	{"Resource", "R%[1]d"}, {"Legacy ref", "L%[1]d"}, {"Resource description", "Resource %[1]d"}, {"Country code", "GB"},
	{"Resource group", "STAFF"}, {"Resource group description", "Staff"}, {"Currency", "GBP"}, {"Department", "SALES"},
	{"Department description", "Sales"}, {"Manager", "M%[1]d"}, {"Manager description", "Manager %[1]d"},
	{"Cost centre", "100"},
	{"Cost centre description", "Head office"}, {"Staff", "Y"}, {"Title", "Dr"}, {"Suffix", "PhD"},
	{"Payment method", "FP"},
	{"Payment terms", "1"}, {"DAC groups", "DAC1; DAC2"}, {"User roles", "VIEWER; EDITOR"}, {"User groups", "STAFF"},
}

// generateWorkbook is a workbook of new accounts with every column filled, as a spreadsheet program writes it.
func generateWorkbook(b *testing.B, name string, rows int) []byte {
	b.Helper()
	book := excelize.NewFile()
	row := make([]any, len(cells))
	for n := range rows + 1 {
		for i, c := range cells {
			row[i] = c[0]
			if n > 0 && strings.Contains(c[1], "%") {
				row[i] = fmt.Sprintf(c[1], n-1, name)
			} else if n > 0 {
				row[i] = c[1]
			}
		}
		must(b, book.SetSheetRow("Sheet1", "A"+strconv.Itoa(n+1), &row))
	}
	var out bytes.Buffer
	must(b, firstOf(book.Write(&out), book.Close()))
	return out.Bytes()
}

// generateLongWorkbook is a workbook of so many rows below its headings, each as short as a row can be.
func generateLongWorkbook(b *testing.B, rows int) []byte {
	b.Helper()
	headings := generateWorkbook(b, "", 0)
	template, err := zip.NewReader(bytes.NewReader(headings), int64(len(headings)))
	must(b, err)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate,
		func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for _, part := range template.File {
		reader, err := part.Open()
		must(b, err)
		content, err := io.ReadAll(reader)
		must(b, err)
		if part.Name == "xl/worksheets/sheet1.xml" {
			var data bytes.Buffer
			for n := range rows {
				fmt.Fprintf(&data, `<row r="%d"><c r="A%[1]d"><v>%[1]d</v></c></row>`, n+2)
			}
			content = bytes.Replace(content, []byte("</sheetData>"), append(data.Bytes(), "</sheetData>"...), 1)
		}
		writer, err := w.Create(part.Name)
		must(b, err)
		_, err = writer.Write(content)
		must(b, err)
	}
	must(b, w.Close())
	return out.Bytes()
}
