package service

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"coffer/httpapi"
)

// defaultMain is where `main` listens unless a configuration says otherwise (contract, section 5).
const defaultMain = "http://127.0.0.1:8480"

// requestTimeout bounds a request that is not a stream.
const requestTimeout = 60 * time.Second

// remote says which running coffer a command talks to.
type remote struct {
	where
	URL string `name:"url" placeholder:"URL" help:"Its address; else what the data directory says, else http://127.0.0.1:8480."`
}

// client talks to a running coffer or simulator.
type client struct {
	base  string
	dir   string // the data directory that its secret is in, "" if it is not known
	token string
}

// main returns a client of the running coffer, with a token if its secret can be read.
func (r remote) main(s *session) (*client, error) {
	c, err := r.locate(s, func(dir string) string {
		var e endpoints
		if readRun(dir, endpointsFile, &e) != nil {
			return ""
		}
		return e.url("main")
	})
	if err != nil {
		return nil, err
	}
	return c, c.sign()
}

// simulator returns a client of the simulator's control, which needs no token.
func (r remote) simulator(s *session) (*client, error) {
	return r.locate(s, func(dir string) string {
		var sim simRun
		if readRun(dir, simFile, &sim) == nil {
			return sim.Control
		}
		var e endpoints
		if readRun(dir, endpointsFile, &e) != nil {
			return ""
		}
		return e.url("main")
	})
}

// locate finds the address: --url, else what look reads in the data directory, else the default. With the default, and
// no data directory named, a coffer on this machine says itself which one it uses.
func (r remote) locate(s *session, look func(dir string) string) (*client, error) {
	dir, named, err := r.dir(s)
	if err != nil {
		return nil, err
	}
	c := &client{base: strings.TrimSuffix(r.URL, "/"), dir: dir}
	if c.base == "" {
		c.base = look(dir)
	}
	if c.base == "" {
		c.base = defaultMain
	}
	if _, err := url.ParseRequestURI(c.base); err != nil {
		return nil, &misuse{fmt.Sprintf("--url %q is not an address", r.URL), "--url " + defaultMain}
	}
	if !named {
		if theirs := c.dataDir(s.ctx); theirs != "" {
			c.dir = theirs
		}
	}
	return c, nil
}

// dataDir asks the running coffer for its data directory: it tells callers on its own machine. "" if it does not.
func (c *client) dataDir(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var health struct {
		DataDir string `json:"data_dir"`
	}
	if c.call(ctx, http.MethodGet, "/healthz", nil, &health) != nil {
		return ""
	}
	return health.DataDir
}

// sign makes a token with the secret of the data directory, or with the one before while nobody has made the new one
// yet. Where there is neither, there is no token, and the running coffer says what it thinks of that.
func (c *client) sign() error {
	path := filepath.Join(c.dir, "secrets", "jwt")
	_, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		path += ".old"
		_, err = os.Stat(path)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var tokens *httpapi.Tokens
	if err == nil {
		tokens, err = httpapi.OpenTokens(path, time.Now)
	}
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("read %s: %w; run this as the user that coffer runs as", path, os.ErrPermission)
	}
	if err != nil {
		return err
	}
	c.token, err = tokens.Issue("cli")
	return err
}

// call sends in (nil for none) as JSON and reads the answer into out (nil to ignore it).
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	body, err := c.open(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%s%s: answer not understood: %w; is this a coffer?", c.base, path, err)
	}
	return nil
}

// open sends a request and returns the body of a good answer, for streams.
func (c *client) open(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	ask := http.DefaultClient
	if req.URL.Scheme == "https" {
		ask = trusted(c.dir)
	}
	resp, err := ask.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, fmt.Errorf("no coffer answers at %s: %w; start it, or name it with --url or --data-dir", c.base, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		defer resp.Body.Close()
		return nil, &answerError{method, c.base + path, resp.StatusCode, reason(resp.Body)}
	}
	return resp.Body, nil
}

// answerError is a refusal by the running coffer. Its text begins with the reason, for people; the request stands
// behind it.
type answerError struct {
	method, url string
	status      int
	reason      string
}

func (e *answerError) Error() string {
	text := cmp.Or(e.reason, http.StatusText(e.status))
	switch simulator := strings.Contains(e.url, "/sim/v1/"); {
	case e.status == http.StatusUnauthorized:
		text += "; name its data directory with --data-dir, so that a token can be signed"
	case simulator && e.status == http.StatusNotFound && text == "Not found": // no such path
		text = "nothing is simulated there; name the simulator's data directory with --data-dir, or its address with --url"
	case simulator && e.status == http.StatusNotFound:
		text += "; `coffer sim list` says what there is"
	}
	return fmt.Sprintf("%s (%s %s: %d)", text, e.method, e.url, e.status)
}

// reason is the text of an error answer: its "error" or "message" member, else the body itself.
func reason(body io.Reader) string {
	b, _ := io.ReadAll(io.LimitReader(body, 4096))
	var v struct{ Error, Message string }
	if json.Unmarshal(b, &v) == nil && v.Error+v.Message != "" {
		return v.Error + v.Message
	}
	return strings.TrimSpace(string(b))
}

// readiness is what /readyz says, in one line.
func readiness(s *session, r remote) string {
	c, err := r.main(s)
	if err != nil {
		return err.Error()
	}
	if err := c.call(s.ctx, http.MethodGet, "/readyz", nil, nil); err != nil {
		var refused *answerError
		if errors.As(err, &refused) {
			return "not ready: " + refused.reason
		}
		return "not ready: " + err.Error()
	}
	return "ready"
}

// json writes v as one line of JSON to standard output.
func (s *session) json(v any) error { return json.NewEncoder(s.Out).Encode(v) }
