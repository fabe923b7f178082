// Package varvev1 is the generated code of the protocol, and its description in
// OpenAPI.
package varvev1

import _ "embed" // for openapi.json

// OpenAPI is the description of the HTTP/JSON form of this API, an OpenAPI 3
// document in JSON. It must not be changed.
//
//go:embed openapi.json
var OpenAPI []byte
