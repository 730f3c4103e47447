package uposapi

import _ "embed"

// OpenAPI is the OpenAPI 3.1 document of this API, YAML. Tests hold requests and answers to it.
//
//go:embed openapi.yaml
var OpenAPI []byte

// AsyncAPI is the AsyncAPI 3.0 document of the stream of events, YAML. Tests hold messages to it.
//
//go:embed asyncapi.yaml
var AsyncAPI []byte
