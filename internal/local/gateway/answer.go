package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// response is what a function's result means as an HTTP answer.
type response struct {
	status  int
	headers map[string]string
	cookies []string
	body    []byte
}

// parseResponse reads a result in payload 2.0. One without a statusCode is the body itself, as JSON with status 200.
func parseResponse(payload []byte) (response, error) {
	var full struct {
		StatusCode      *json.RawMessage  `json:"statusCode"`
		Headers         map[string]scalar `json:"headers"`
		Cookies         []string          `json:"cookies"`
		Body            *string           `json:"body"`
		IsBase64Encoded bool              `json:"isBase64Encoded"`
	}
	if !json.Valid(payload) {
		return response{}, errors.New("the function's result is not JSON")
	}
	isObject := bytes.HasPrefix(bytes.TrimSpace(payload), []byte("{"))
	if isObject {
		if err := json.Unmarshal(payload, &full); err != nil {
			return response{}, fmt.Errorf("the function's result is no answer: %w", err)
		}
	}
	if full.StatusCode == nil {
		return inferredResponse(payload), nil
	}
	resp := response{headers: map[string]string{}, cookies: full.Cookies}
	var err error
	if resp.status,
		err = strconv.Atoi(strings.Trim(string(*full.StatusCode), `"`)); err != nil || resp.status < 100 ||
		resp.status > 599 {
		return response{}, fmt.Errorf("the function's result has the status %s", *full.StatusCode)
	}
	for name, value := range full.Headers {
		resp.headers[http.CanonicalHeaderKey(name)] = string(value)
	}
	if _, typed := resp.headers["Content-Type"]; !typed {
		resp.headers["Content-Type"] = "text/plain;charset=UTF-8"
	}
	if full.Body != nil {
		resp.body = []byte(*full.Body)
	}
	if full.IsBase64Encoded {
		if resp.body, err = base64.StdEncoding.DecodeString(string(resp.body)); err != nil {
			return response{}, fmt.Errorf("the function's result has a body that is not base64: %w", err)
		}
	}
	return resp, nil
}

func inferredResponse(payload []byte) response {
	resp := response{status: http.StatusOK, headers: map[string]string{"Content-Type": "application/json"}, body: payload}
	var text string
	if json.Unmarshal(payload, &text) == nil {
		resp.body = []byte(text)
	}
	return resp
}

// scalar is a header's value: a text, or a number or truth that is written as one.
type scalar string

// UnmarshalJSON takes a text, a number or a truth.
func (s *scalar) UnmarshalJSON(source []byte) error {
	var text string
	if json.Unmarshal(source, &text) == nil {
		*s = scalar(text)
		return nil
	}
	if len(source) > 0 && (source[0] == '{' || source[0] == '[') {
		return errors.New("a header is neither text nor number")
	}
	*s = scalar(source)
	return nil
}

// write sends the answer. What belongs to the connection is the server's own affair.
func (a response) write(w http.ResponseWriter, id string) error {
	for name, value := range a.headers {
		switch name {
		case "Connection", "Transfer-Encoding", "Keep-Alive", "Upgrade", "Content-Length":
		default:
			w.Header().Set(name, value)
		}
	}
	for _, cookie := range a.cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	w.Header().Set("Apigw-Requestid", id)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	if a.status < 200 || a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		w.Header().Del("Content-Length")
		w.Header().Del("Content-Type")
		w.WriteHeader(a.status)
		return nil
	}
	w.WriteHeader(a.status)
	if _, err := w.Write(a.body); err != nil {
		return fmt.Errorf("sending the answer: %w", err)
	}
	return nil
}

func messageResponse(status int, text string) response {
	body, err := json.Marshal(map[string]string{"message": text})
	if err != nil {
		body = []byte("{}")
	}
	return response{status: status, headers: map[string]string{"Content-Type": "application/json"}, body: body}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
