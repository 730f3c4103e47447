package uposclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4 << 20

// Client talks to one coffer. Set Base, and Token or SignIn, before the first call; after that it is safe to use from any
// goroutine.
type Client struct {
	Base  string       // address of the listener that serves uposapi: "http://127.0.0.1:8480"
	Token string       // Bearer token; SignIn sets it
	HTTP  *http.Client // nil: one without a time limit, because a claim may wait for long
}

// unlimited has no time limit: the context of each call is one.
var unlimited = &http.Client{}

func (c *Client) http() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return unlimited
}

// Error is a refusal. Where UnifiedPOS has a result code for it, Code is at least 101; a refusal by the HTTP server itself
// (no token, body too large) has Code 0.
type Error struct {
	Status   int    // of HTTP: 409, 404, 400, 401 …
	Code     int32  // ResultCode
	Extended int32  // ResultCodeExtended
	Name     string // "E_DISABLED"
	Message  string
}

func (e *Error) Error() string {
	switch {
	case e.Name == "":
		return fmt.Sprintf("HTTP %d: %s", e.Status, e.Message)
	case e.Extended != 0:
		return fmt.Sprintf("%s (%d/%d): %s", e.Name, e.Code, e.Extended, e.Message)
	}
	return fmt.Sprintf("%s (%d): %s", e.Name, e.Code, e.Message)
}

// CodeOf returns the ResultCode of err: 0 for nil, -1 for an error that has none.
func CodeOf(err error) int32 {
	var e *Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e) && e.Code != 0:
		return e.Code
	}
	return -1
}

// SignIn gets a token for name and password and keeps it.
func (c *Client) SignIn(ctx context.Context, name, password string) error {
	var out struct {
		Token string `json:"token"`
	}
	err := c.do(ctx, http.MethodPost, "/api/Users/Authenticate", nil, map[string]string{"Username": name, "Password": password}, &out)
	if err == nil {
		c.Token = out.Token
	}
	return err
}

// Device is a configured UnifiedPOS device.
type Device struct {
	Name  string `json:"name"`  // logical name: "Till1"
	Class string `json:"class"` // "CashChanger"
}

// Devices lists what can be opened.
func (c *Client) Devices(ctx context.Context) ([]Device, error) {
	var out struct {
		Devices []Device `json:"devices"`
	}
	err := c.do(ctx, http.MethodGet, "/upos/v1/devices", nil, nil, &out)
	return out.Devices, err
}

// Open opens a device and returns the new instance. Errors: E_NOEXIST for a name that is not configured for the class,
// E_NOSERVICE for one that is unusable. With the name "" the instance is closed: its method Open opens it.
func (c *Client) Open(ctx context.Context, class, name string) (*Handle, error) {
	var out handleBody
	err := c.do(ctx, http.MethodPost, "/upos/v1/handles", nil, map[string]string{"class": class, "name": name}, &out)
	if err != nil {
		return nil, err
	}
	return &Handle{c: c, id: out.Handle, class: out.Class, name: out.Name}, nil
}

// Resume returns the instance with an id that Open gave before, to this process or to one before it.
func (c *Client) Resume(ctx context.Context, id string) (*Handle, error) {
	var out handleBody
	if err := c.do(ctx, http.MethodGet, "/upos/v1/handles/"+url.PathEscape(id), nil, nil, &out); err != nil {
		return nil, err
	}
	return &Handle{c: c, id: out.Handle, class: out.Class, name: out.Name}, nil
}

type handleBody struct {
	Handle string `json:"handle"`
	Class  string `json:"class"`
	Name   string `json:"name"`
}

// do makes one request with in (nil for none) as JSON and reads a good answer into out (nil for nothing). It never
// tries again: only the caller knows whether that may be done.
func (c *Client) do(ctx context.Context, method, path string, header http.Header, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Base, "/")+path, nil)
	if err != nil {
		return err
	}
	if in != nil {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	resp, err := c.http().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= http.StatusBadRequest:
		return refusal(resp.StatusCode, answer)
	case out == nil || resp.StatusCode == http.StatusNoContent:
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: answer not understood: %w; is this a coffer?", method, req.URL, err)
	}
	return nil
}

// refusal reads the answer to a request that was refused.
func refusal(status int, answer []byte) *Error {
	var body struct {
		Code     int32  `json:"resultCode"`
		Extended int32  `json:"resultCodeExtended"`
		Name     string `json:"name"`
		Message  string `json:"message"`
	}
	e := &Error{Status: status}
	if json.Unmarshal(answer, &body) == nil && (body.Code != 0 || body.Message != "") {
		e.Code, e.Extended, e.Name, e.Message = body.Code, body.Extended, body.Name, body.Message
		return e
	}
	e.Message = strings.TrimSpace(string(answer))
	return e
}
