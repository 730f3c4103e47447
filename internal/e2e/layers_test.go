package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "coffer/"

// dialect is what a REST dialect may use: what all share, the events, and the layers it translates. Never another dialect.
func dialect(more ...string) []string { return append([]string{"httpapi", "internal/bus"}, more...) }

// layers is the import table; docs/architecture.md says why there is one. A package that does not stand here fails the test.
// internal/cash may be imported by all but ssp and internal/sqlstore, so it is left out.
var layers = map[string][]string{
	"internal/cash":     {},
	"ssp":               {},
	"internal/sqlstore": {},

	"internal/bus":     {},
	"internal/journal": {"internal/sqlstore"},

	"devices/line": {"ssp"},
	"devices":      {"ssp", "devices/line"},
	"devices/note": {"ssp", "devices/line", "devices"},
	"devices/coin": {"ssp", "devices/line", "devices"},
	"devices/sim":  {"ssp"}, // never a driver, so that the two cannot share a wrong idea

	"internal/till":     {"devices"},
	"upos":              {},
	"upos/internal/gen": {}, // a command of go generate
	"upos/uposclient":   {},
	"upos/machines":     {"upos", "internal/bus", "internal/till", "devices", "ssp"}, // only the till moves money

	"fiscal":        {},
	"fiscal/caspos": {"fiscal"},
	"fiscal/sim":    {},

	"internal/cashservice": {"internal/bus", "upos"},
	"internal/checkout":    {"internal/till", "fiscal"},
	"internal/fleet":       {"internal/sqlstore"},

	"httpapi":             {},
	"httpapi/cashdevice":  dialect("internal/till", "devices", "ssp"),
	"httpapi/nv9coin":     dialect("internal/till", "devices", "internal/journal", "ssp"),
	"httpapi/cashservice": dialect("internal/cashservice"),
	"httpapi/uposapi":     dialect("upos"),
	"httpapi/fiscalapi":   dialect("fiscal"),
	"httpapi/checkoutapi": dialect("internal/checkout"),
	"httpapi/journalapi":  dialect("internal/journal"),
	"httpapi/fleetapi":    dialect("internal/fleet"),
	"httpapi/console":     dialect("internal/till", "devices", "internal/journal", "upos"),
	"httpapi/ops":         dialect("internal/till", "devices", "devices/line", "internal/journal"),
	"httpapi/simapi":      {"httpapi", "devices/sim", "fiscal/sim"},

	"service/logging": {},
	"service/config":  anything,
	"service":         anything,
	"cmd/coffer":      {"service"},

	"configs":             {}, // embedded files
	"installer/linux":     {},
	"internal/benchlines": {},                                        // a command of make bench
	"internal/postman":    {"httpapi/cashdevice", "httpapi/nv9coin"}, // a command of make postman
}

// anything marks the packages that plug the others together.
var anything = []string{"*"}

// testOnly are the packages that only tests import, and what they may import themselves is free.
var testOnly = []string{"httpapi/apitest", "ssp/ssptest", "devices/devicetest", "fiscal/fiscaltest", "upos/upostest", "internal/e2e", "internal/e2e/proxy", "internal/proof"}

// outside are the third-party packages that one place owns.
var outside = map[string][]string{
	"go.bug.st/serial":                               {"devices/line"},
	"github.com/kardianos/service":                   {"service"},
	"gopkg.in/natefinch/lumberjack.v2":               {"service/logging"},
	"modernc.org/sqlite":                             {"internal/sqlstore"},
	"github.com/pressly/goose/v3":                    {"internal/sqlstore"},
	"github.com/creack/pty":                          {"devices/sim"},
	"github.com/alecthomas/kong":                     {"service"},
	"github.com/golang-jwt/jwt/v5":                   {"httpapi", "service"},
	"github.com/gorilla/mux":                         {"httpapi", "service"},
	"github.com/prometheus/client_golang/prometheus": {"httpapi/ops", "service"},
}

// standardOnly use the standard library alone.
var standardOnly = []string{"internal/cash", "ssp", "internal/bus", "upos", "upos/internal/gen"}

// notLogging do not log.
var notLogging = []string{"internal/cash", "ssp", "internal/sqlstore"}

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath string
	Doc        string
	Imports    []string
}

// list returns all packages of the module as a system sees them.
func list(t *testing.T, goos string, tags string) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", "-tags="+tags, "./...")
	cmd.Dir = "../.."
	cmd.Env = append(cmd.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestLayers compares every import of the tree with the table.
func TestLayers(t *testing.T) {
	for _, view := range []struct{ goos, tags string }{{"linux", ""}, {"windows", ""}, {"linux", "killpoints"}} {
		for _, p := range list(t, view.goos, view.tags) {
			checkLayer(t, p)
		}
	}
}

func checkLayer(t *testing.T, p pkg) {
	name := strings.TrimPrefix(p.ImportPath, module)
	if slices.Contains(testOnly, name) {
		return
	}
	may, known := layers[name]
	if !known {
		t.Errorf("%s does not stand in the import table", name)
		return
	}
	for _, imp := range p.Imports {
		if sub, ours := strings.CutPrefix(imp, module); ours {
			checkImport(t, name, sub, may)
			continue
		}
		checkOutside(t, name, imp)
	}
}

func checkImport(t *testing.T, name, imp string, may []string) {
	switch {
	case slices.Contains(testOnly, imp):
		t.Errorf("%s imports %s, which is for tests", name, imp)
	case imp == "internal/cash" && name != "ssp" && name != "internal/sqlstore":
	case slices.Contains(may, imp), slices.Equal(may, anything):
	default:
		t.Errorf("%s must not import %s", name, imp)
	}
}

func checkOutside(t *testing.T, name, imp string) {
	if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") {
		return // standard library
	}
	if slices.Contains(standardOnly, name) {
		t.Errorf("%s imports %s, but may use the standard library alone", name, imp)
	}
	if strings.HasPrefix(imp, "github.com/sirupsen/logrus") && slices.Contains(notLogging, name) {
		t.Errorf("%s logs", name)
	}
	for lib, owners := range outside {
		if imp != lib && !strings.HasPrefix(imp, lib+"/") {
			continue
		}
		if !slices.ContainsFunc(owners, func(o string) bool { return name == o || strings.HasPrefix(name, o+"/") }) {
			t.Errorf("%s imports %s, which belongs to %v", name, imp, owners)
		}
	}
}

// TestPackagesSayWhatTheyAre: every package opens with a sentence for its reader.
func TestPackagesSayWhatTheyAre(t *testing.T) {
	for _, p := range list(t, "linux", "") {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}
