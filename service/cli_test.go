package service

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coffer/configs"
)

// TestExitCodes: 0 done, 1 failed, 2 misused, each failure one line that says what to do.
func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	none := map[string]string{"COFFER_DATA_DIR": dir}
	for _, c := range []struct {
		args  string
		code  int
		words []string
	}{
		{"version", 0, nil},
		{"--help", 0, nil},
		{"journal balance --help", 0, nil},
		{"", 2, []string{"try: coffer --help"}},
		{"fly", 2, []string{"unexpected argument fly", "try:"}},
		{"upos list", 2, []string{"try:"}},
		{"fiscal status", 2, []string{"try:"}},
		{"config", 2, []string{"try: coffer config --help"}},
		{"config check --loud", 2, []string{"--loud", "coffer config check --help"}},
		{"run --demo --config x.yaml", 2, []string{"--demo", "try: coffer run --demo"}},
		{"run --config " + dir + "/none.yaml", 1, []string{"does not exist", "coffer config init"}},
		{"config check --config " + dir + "/none.yaml", 1, []string{"does not exist"}},
		{"run --demo --data-dir " + write(t, "file", "") + "/data", 1, []string{"data directory", "not a directory", "--data-dir"}},
		{"config show --reference", 0, nil},
		{"device scan --url http://127.0.0.1:1", 0, nil},
		{"device scan --addresses 0-200", 2, []string{"0-200", "0-125"}},
		{"device scan --url http://127.0.0.1:1 --port " + dir + "/no-port", 1, []string{"no such port"}},
		{"device list --url http://127.0.0.1:1", 1, []string{"no coffer answers", "start it"}},
		{"device list --url ::", 2, []string{"--url"}},
		{"device trace", 2, []string{"try: coffer device trace --help"}},
		{"sim list --url http://127.0.0.1:1", 1, []string{"no coffer answers"}},
		{"sim insert COM5", 2, []string{"say what to insert", "2000 EUR"}},
		{"sim power COM5 maybe", 2, []string{"on"}},
		{"sim run", 2, []string{"try: coffer sim run --help"}},
		{"sim run " + dir + "/none.yaml", 1, []string{"no such file"}},
		{"sim run " + write(t, "bad.yaml", "name: x\n"), 1, []string{"machines are missing", "correct the file"}},
		{"sim run ../configs/scenarios/fraud-attempt.yaml --url http://127.0.0.1:1", 1, nil},
		{"sim serve", 2, []string{"--demo"}},
		{"sim serve --config " + write(t, "none.yaml", "version: 1\n"), 1, []string{"no line", "simulated"}},
		{"journal verify", 1, []string{"no ledger in " + dir, "--data-dir"}},
		{"journal settle op-1", 2, []string{"--nothing"}},
		{"journal settle op-1 500", 2, []string{"2x500EUR"}},
		{"journal settle op-1 1x500EUR", 1, []string{"no ledger"}},
		{"user remove nobody", 1, []string{"no user"}},
		{"user list", 0, nil},
	} {
		got := coffer(t, none, strings.Fields(c.args)...)
		if got.code != c.code {
			t.Errorf("coffer %s: exit %d, want %d: %s", c.args, got.code, c.code, got.err)
		}
		if c.code == 0 {
			if got.out == "" || got.err != "" {
				t.Errorf("coffer %s: printed %q and %q", c.args, got.out, got.err)
			}
			continue
		}
		if got.out != "" {
			t.Errorf("coffer %s: printed %q beside its error", c.args, got.out)
		}
		oneLineOf(t, got.err, append(c.words, "coffer: ")...)
	}
	if files, _ := filepath.Glob(dir + "/*"); len(files) > 0 {
		t.Errorf("commands that only look have left %v", files)
	}
}

// TestPrecedence: flags win over environment, environment over file.
func TestPrecedence(t *testing.T) {
	file := write(t, "c.yaml", "version: 1\ndata_dir: /from/file\n")
	other := write(t, "d.yaml", "version: 1\ndata_dir: /from/other\n")
	for _, c := range []struct {
		env  map[string]string
		args []string
		want string
	}{
		{nil, []string{"--config", file}, "/from/file"},
		{map[string]string{"COFFER_CONFIG": file}, nil, "/from/file"},
		{map[string]string{"COFFER_CONFIG": file}, []string{"--config", other}, "/from/other"},
		{map[string]string{"COFFER_CONFIG": file, "COFFER_DATA_DIR": "/from/env"}, nil, "/from/env"},
		{map[string]string{"COFFER_CONFIG": file, "COFFER_DATA_DIR": "/from/env"}, []string{"--data-dir", "/from/flag"}, "/from/flag"},
	} {
		got := coffer(t, c.env, append([]string{"config", "show", "--json"}, c.args...)...)
		var v struct {
			DataDir string `json:"data_dir"`
		}
		if err := json.Unmarshal([]byte(got.out), &v); err != nil || v.DataDir != c.want {
			t.Errorf("%v %v: %q, %v, want %q (%s)", c.env, c.args, v.DataDir, err, c.want, got.err)
		}
	}
}

// TestConfigInit writes a configuration that passes its check, once.
func TestConfigInit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "etc", "config.yaml")
	if got := coffer(t, nil, "config", "init", "--config", file); got.code != 0 {
		t.Fatal(got.err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != string(configs.Default) {
		t.Errorf("%v: %s", err, b)
	}
	got := coffer(t, map[string]string{"COFFER_CONFIG": file, "COFFER_DATA_DIR": t.TempDir()}, "config", "check")
	if got.code != 0 || !strings.HasPrefix(got.out, "ok ") {
		t.Errorf("%d %s %s", got.code, got.out, got.err)
	}
	got = coffer(t, nil, "config", "init", "--config", file)
	if got.code != 1 {
		t.Errorf("a second init: %d", got.code)
	}
	oneLineOf(t, got.err, "already there")
}

// TestConfigCheck finds what only the parts themselves know.
func TestConfigCheck(t *testing.T) {
	for text, words := range map[string][]string{
		"version: 1\nlines:\n  - port: COM5\n    devices:\n      - {id: a, address: 0, sim: toaster, currency: EUR}\n": {":5:34:", "lines[0].devices[0].sim", `no profile "toaster"`, "spectral-payout", "sim: toaster"},
		"version: 1\nhttp:\n  - {listen: '127.0.0.1:0', serve: [ops], tls: {cert_file: no.pem, key_file: no.key}}\n":   {"http[0]", "certificate"},
		"version: 1\nlines:\n  - port: COM5\n    bauds: 9600\n":                                                        {":4:5:", "bauds: 9600"},
	} {
		got := coffer(t, nil, "config", "check", "--config", write(t, "c.yaml", text), "--data-dir", t.TempDir())
		if got.code != 1 {
			t.Errorf("%s: exit %d", text, got.code)
		}
		oneLineOf(t, got.err, words...)
	}
}

// TestSecretsAreNotShown: a session key prints as ***.
func TestSecretsAreNotShown(t *testing.T) {
	file := write(t, "c.yaml", "version: 1\nlines:\n  - port: COM5\n    devices:\n      - {id: a, address: 0, fixed_key: 81985526925837671}\n")
	for _, args := range [][]string{{"config", "show"}, {"config", "show", "--json"}} {
		got := coffer(t, nil, append(args, "--config", file)...)
		if got.code != 0 || strings.Contains(got.out, "8198") || !strings.Contains(got.out, "***") {
			t.Errorf("%d: %s%s", got.code, got.out, got.err)
		}
	}
}

func TestUsers(t *testing.T) {
	env := map[string]string{"COFFER_DATA_DIR": t.TempDir()}
	if got := coffer(t, env, "user", "list"); got.out != "admin\n" {
		t.Errorf("at first: %q %s", got.out, got.err)
	}
	if got := cofferIn(t, env, "s3cret\n", "user", "set", "anna"); got.code != 0 || strings.Contains(got.out+got.err, "s3cret") {
		t.Errorf("set: %+v", got)
	}
	if got := coffer(t, env, "user", "set", "bert", "--password-file", write(t, "pw", "hush\r\nmore\n")); got.code != 0 {
		t.Errorf("set: %+v", got)
	}
	if got := cofferIn(t, env, "\n", "user", "set", "carl"); got.code != 1 {
		t.Errorf("no password: %+v", got)
	}
	if got := coffer(t, env, "user", "list", "--json"); !strings.Contains(got.out, `"anna"`) || !strings.Contains(got.out, `"bert"`) {
		t.Errorf("list: %+v", got)
	}
	if got := coffer(t, env, "user", "remove", "bert"); got.code != 0 {
		t.Errorf("remove: %+v", got)
	}
}
