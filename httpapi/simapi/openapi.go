package simapi

import _ "embed"

// OpenAPI is the OpenAPI 3.1 document of this API, YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte
