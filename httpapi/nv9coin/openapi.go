package nv9coin

import _ "embed"

// OpenAPI is the OpenAPI 3.1 document of this API, YAML. Tests hold requests and answers to it.
//
//go:embed openapi.yaml
var OpenAPI []byte
