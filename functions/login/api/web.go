package api

import (
	"useraccounts/internal/httpapi"
	"useraccounts/internal/signin"
)

// guarded is httpapi.Guarded, with the routes whose service counts the caller's address itself.
func guarded(service *signin.Service, routes []httpapi.Route) []httpapi.Route {
	return httpapi.Guarded(service, routes, "POST /api/login", "POST /api/login/refresh", "POST /api/login/key")
}

// Guarded is guarded for the routes of other services of this function.
func Guarded(service *signin.Service, routes []httpapi.Route) []httpapi.Route {
	return guarded(service, routes)
}

// answer encodes the outcome of a step.
func answer(r *httpapi.Request) func(signin.Result, error) (httpapi.Response, error) {
	return func(got signin.Result, err error) (httpapi.Response, error) {
		if err != nil {
			return httpapi.Response{}, err
		}
		return httpapi.AnswerStep(r, got), nil
	}
}
