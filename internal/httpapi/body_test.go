package httpapi_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

type person struct {
	Name   string    `json:"name"`
	Age    int       `json:"age,omitzero"`
	Tags   []string  `json:"tags,omitzero"`
	Nick   *string   `json:"nick,omitzero"`
	Home   *address  `json:"home,omitzero"`
	Others []address `json:"others,omitzero"`
	Agreed bool      `json:"agreed,omitzero"`
}

type address struct {
	Town string `json:"town"`
}

// decodeHandler responds with what Decode read.
func decodeHandler[T any](_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var v T
	if err := r.Decode(&v); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(v), nil
}

func membersHandler(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	members, err := r.Members()
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(slices.Sorted(maps.Keys(members))), nil
}

func bodyAPI(t *testing.T) *testAPI {
	return serve(t, nil,
		httpapi.Route{
			Key: "POST /decode", Needs: access.Public, Handle: decodeHandler[person],
			Doc: httpapi.Operation{Body: person{}},
		},
		httpapi.Route{
			Key: "POST /maybe", Needs: access.Public, Handle: decodeHandler[person],
			Doc: httpapi.Operation{Body: person{}, BodyOptional: true},
		},
		httpapi.Route{
			Key: "POST /members", Needs: access.Public, Handle: membersHandler,
			Doc: httpapi.Operation{Body: person{}},
		})
}

// C19, C21, V27, V59: bodies are read strictly, and the problem names each wrong member.
func TestDecodeTakesNothingButWhatWasAskedFor(t *testing.T) {
	a := bodyAPI(t)
	for body, want := range map[string]struct {
		code   string
		fields []string
	}{
		`{}`:                                                {"body", []string{"name:required"}},
		`{"name":"a","admin":true}`:                         {"body", []string{"admin:unknown"}},
		`{"name":"a","Name":"b"}`:                           {"body", []string{"Name:unknown"}},
		`{"name":"a","name":"a"}`:                           {"body", []string{"name:duplicate"}},
		`{"name":"a","n\u0061me":"a"}`:                      {"body", []string{"name:duplicate"}},
		`{"name":"a","home":{"town":"x","town":"y"}}`:       {"body", []string{"home.town:duplicate"}},
		`{"name":["a","b"]}`:                                {"body", []string{"name:type"}},
		`{"name":1}`:                                        {"body", []string{"name:type"}},
		`{"name":null}`:                                     {"body", []string{"name:type"}},
		`{"name":{"$ne":null}}`:                             {"body", []string{"name:type"}},
		`{"name":"a","age":"1"}`:                            {"body", []string{"age:type"}},
		`{"name":"a","age":1.5}`:                            {"body", []string{"age:type"}},
		`{"name":"a","age":1e99}`:                           {"body", []string{"age:type"}},
		`{"name":"a","age":null}`:                           {"body", []string{"age:type"}},
		`{"name":"a","tags":"x"}`:                           {"body", []string{"tags:type"}},
		`{"name":"a","tags":null}`:                          {"body", []string{"tags:type"}},
		`{"name":"a","tags":["x",2]}`:                       {"body", []string{"tags.1:type"}},
		`{"name":"a","tags":[null]}`:                        {"body", []string{"tags.0:type"}},
		`{"name":"a","agreed":"true"}`:                      {"body", []string{"agreed:type"}},
		`{"name":"a","home":[]}`:                            {"body", []string{"home:type"}},
		`{"name":"a","others":[{"town":"x"},{"city":"y"}]}`: {"body", []string{"others.1.city:unknown"}},
		``:                                      {"bodyRequired", nil},
		`null`:                                  {"json", nil},
		`[]`:                                    {"json", nil},
		`"name"`:                                {"json", nil},
		`{`:                                     {"json", nil},
		`{"name":"a"`:                           {"json", nil},
		`{"name":"a",}`:                         {"json", nil},
		`{"name":"a"}{}`:                        {"json", nil},
		`{"name":"a"} x`:                        {"json", nil},
		`{name:"a"}`:                            {"json", nil},
		`{'name':'a'}`:                          {"json", nil},
		`{"name":"a"/*x*/}`:                     {"json", nil},
		"\xef\xbb\xbf{}":                        {"json", nil},
		"{\"name\":\"\xff\"}":                   {"json", nil},
		`{"name":"\ud800"}`:                     {"json", nil},
		"{\"name\":\"a\nb\"}":                   {"json", nil},
		`{"name":"a","age":01}`:                 {"json", nil},
		`{"name":"a","age":NaN}`:                {"json", nil},
		strings.Repeat("[", 20000):              {"json", nil},
		`{"name":` + strings.Repeat("[", 20000): {"json", nil},
	} {
		res := a.do(t, request("POST /decode").body(body))
		res.wantProblem(t, 400, want.code, want.fields...)
	}
	for body, want := range map[string]string{
		`{"name":"a"}`:                                       `{"name":"a"}`,
		` { "name" : "é" , "nick" : null } `:                 `{"name":"é"}`,
		`{"name":"","home":{"town":"x"},"age":-3,"tags":[]}`: `{"name":"","age":-3,"tags":[],"home":{"town":"x"}}`,
	} {
		if res := a.do(t, request("POST /decode").body(body)); res.StatusCode != 200 || res.Body != want {
			t.Errorf("%s: %d %s, want %s", body, res.StatusCode, res.Body, want)
		}
	}
}

// C50: a password sent in the wrong place is neither in a problem nor in the log.
func TestProblemsDoNotRepeatWhatWasSent(t *testing.T) {
	a := bodyAPI(t)
	const canary = "correct-horse-canary"
	for _, body := range []string{
		`{"name":"a","age":"` + canary + `"}`, `{"name":"a","tags":"` + canary + `"}`, `{"name":"` + canary,
		`{"name":"` + canary + `"} ` + canary,
		`{"name":"` + canary + "\x00" + `"}`, `"` + canary + `"`, canary, `{"name":{"a":"` + canary + `"}}`,
		`{"name":["` + canary + `"]}`,
	} {
		res := a.do(t,
			request("POST /decode").body(body).query("x="+canary).header("authorization", "Bearer "+canary).header("cookie",
				canary))
		if res.StatusCode != 400 || strings.Contains(res.Body, canary) {
			t.Errorf("%s: %d %s", body, res.StatusCode, res.Body)
		}
		if res := a.do(t, request("POST /decode").body(body)); res.StatusCode != 400 || strings.Contains(res.Body, canary) {
			t.Errorf("%s: %d %s", body, res.StatusCode, res.Body)
		}
	}
	if strings.Contains(a.log.String(), canary) {
		t.Errorf("the log repeats it: %s", a.log)
	}
}

func TestLongMemberNameIsCutInTheProblem(t *testing.T) {
	res := bodyAPI(t).do(t, request("POST /decode").body(`{"name":"a","`+strings.Repeat("n", 5000)+`":1}`))
	if got := res.problem.Fields[0].Field; utf8.RuneCountInString(got) != 61 {
		t.Errorf("%d characters came back", utf8.RuneCountInString(got))
	}
}

func TestOptionalBodyMayBeLeftOut(t *testing.T) {
	a := bodyAPI(t)
	if res := a.do(t, request("POST /maybe")); res.StatusCode != 200 {
		t.Errorf("none: %d %s", res.StatusCode, res.Body)
	}
	a.do(t, request("POST /maybe").body(`{}`)).wantProblem(t, 400, "body", "name:required")
}

func TestMembersLeavesUnknownNamesToTheFieldTable(t *testing.T) {
	a := bodyAPI(t)
	if res := a.do(t, request("POST /members").body(`{"b":{"x":1},"a":null}`)); res.Body != `["a","b"]` {
		t.Errorf("answered %s", res.Body)
	}
	a.do(t, request("POST /members").body(`{"a":1,"a":2}`)).wantProblem(t, 400, "body", "a:duplicate")
	a.do(t, request("POST /members").body(`{"a":{"b":1,"b":2}}`)).wantProblem(t, 400, "body", "a.b:duplicate")
	a.do(t, request("POST /members").body(`{"a":1} {}`)).wantProblem(t, 400, "json")
	a.do(t, request("POST /members").body(``)).wantProblem(t, 400, "bodyRequired")
}

func TestBadBodyIsNilForNothing(t *testing.T) {
	if err := httpapi.BadBody(nil); err != nil {
		t.Errorf("BadBody(nil) = %v", err)
	}
	err := httpapi.BadBody([]fault.Field{{Field: "b", Code: "type"}, {Field: "a", Code: "unknown"}})
	if f := fault.As(err); f == nil || f.Kind != fault.Malformed || f.Fields[0].Field != "a" {
		t.Errorf("BadBody = %v", err)
	}
}

// FuzzDecode: any body is answered with 200 or a 400 in UTF-8, never a 500.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a"}`, `{"name":"a","home":{"town":"x"}}`, `{"name":"a","name":1}`, `[`,
		"{\"\xff\":1}", `{"a":1e9999}`,
	} {
		f.Add(seed)
	}
	h, err := httpapi.New(httpapi.Server{Routes: []httpapi.Route{
		{Key: "POST /decode", Needs: access.Public, Handle: decodeHandler[person], Doc: httpapi.Operation{Body: person{}}},
		{Key: "POST /members", Needs: access.Public, Handle: membersHandler, Doc: httpapi.Operation{Body: person{}}},
	}})
	if err != nil {
		f.Fatal(err)
	}
	a := &testAPI{Handler: h}
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) > 1000 {
			return
		}
		for _, key := range []string{"POST /decode", "POST /members"} {
			res := a.do(t, request(key).body(body))
			if res.StatusCode != 200 && res.StatusCode != 400 {
				t.Errorf("%s: %d %s", key, res.StatusCode, res.Body)
			}
			if !utf8.ValidString(res.Body) || res.IsBase64Encoded {
				t.Errorf("%s: answer is not text", key)
			}
		}
	})
}
