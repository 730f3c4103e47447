// Command coffer drives the cash machines of a till. Everything it does is in package service.
package main

import (
	"context"
	"os"

	"coffer/service"
)

func main() {
	os.Exit(service.Main(context.Background(), os.Args[1:], service.System()))
}
