package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// client speaks the Cash Device REST API as the maker's own clients do.
type client struct {
	t     testing.TB
	base  string
	token string
}

// reply is an HTTP answer, read to its end.
type reply struct {
	status int
	body   []byte
	header http.Header
}

func (r reply) text() string { return string(r.body) }

// send does one request; the error is that of the transport.
func (c *client) send(method, path, contentType string, body io.Reader) (reply, error) {
	req, err := http.NewRequest(method, c.base+path, body)
	if err != nil {
		return reply{}, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := control.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, b, resp.Header}, err
}

// json does one request with a JSON body, nil for none.
func (c *client) json(method, path string, body any) (reply, error) {
	if body == nil {
		return c.send(method, path, "", nil)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return reply{}, err
	}
	return c.send(method, path, "application/json", bytes.NewReader(b))
}

// must does one request that has to be answered with 200.
func (c *client) must(method, path string, body any) reply {
	c.t.Helper()
	r, err := c.json(method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	if r.status != http.StatusOK {
		c.t.Fatalf("%s %s %v: %d %s", method, path, body, r.status, r.body)
	}
	return r
}

// decode reads a JSON answer.
func (c *client) decode(r reply, into any) {
	c.t.Helper()
	if err := json.Unmarshal(r.body, into); err != nil {
		c.t.Fatalf("%v in %s", err, r.body)
	}
}

// login is Authenticate with the default credentials.
func (c *client) login() {
	c.t.Helper()
	if err := c.tryLogin(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) tryLogin() error {
	r, err := c.json("POST", "/api/Users/Authenticate", map[string]string{"Username": "admin", "Password": "password"})
	if err != nil {
		return err
	}
	var got struct{ Token string }
	if err := json.Unmarshal(r.body, &got); err != nil || got.Token == "" {
		return fmt.Errorf("Authenticate: %d %s", r.status, r.body)
	}
	c.token = got.Token
	return nil
}

// at returns the path of an endpoint for a device.
func at(endpoint, device string) string {
	return "/api/CashDevice/" + endpoint + "?deviceID=" + url.QueryEscape(device)
}

// open is OpenConnection with acceptor and payout on; it returns the deviceID.
func (c *client) open(port string, address int, autoAccept bool) string {
	c.t.Helper()
	id, err := c.tryOpen(port, address, autoAccept)
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

func (c *client) tryOpen(port string, address int, autoAccept bool) (string, error) {
	r, err := c.json("POST", "/api/CashDevice/OpenConnection", map[string]any{
		"ComPort": port, "SspAddress": address, "EnableAcceptor": true, "EnableAutoAcceptEscrow": autoAccept, "EnablePayout": true,
	})
	if err != nil {
		return "", err
	}
	var got struct {
		DeviceID string `json:"deviceID"`
		IsOpen   bool   `json:"isOpen"`
	}
	if err := json.Unmarshal(r.body, &got); err != nil || r.status != http.StatusOK || !got.IsOpen {
		return "", fmt.Errorf("OpenConnection %s: %d %s", port, r.status, r.body)
	}
	return got.DeviceID, nil
}

// event is an entry of GetDeviceStatus.
type event struct {
	Type            string `json:"type"`
	State           string `json:"stateAsString"`
	Event           string `json:"eventTypeAsString"`
	Value           int64  `json:"value"`
	Value2          int64  `json:"value2"`
	CountryCode     string `json:"countryCode"`
	TransactionType *int   `json:"transactionType"`
}

// String gives the event as one word: the state, or the cash event with its value.
func (e event) String() string {
	switch e.Type {
	case "CashEventResponse":
		return fmt.Sprintf("%s %d", e.Event, e.Value)
	case "DispenserTransactionEventResponse":
		return "transaction " + e.State
	}
	return e.State
}

// events is GetDeviceStatus.
func (c *client) events(device string) []event {
	c.t.Helper()
	list, err := c.tryEvents(device)
	if err != nil {
		c.t.Fatal(err)
	}
	return list
}

func (c *client) tryEvents(device string) ([]event, error) {
	r, err := c.json("GET", at("GetDeviceStatus", device), nil)
	if err != nil {
		return nil, err
	}
	if r.status != http.StatusOK {
		return nil, fmt.Errorf("GetDeviceStatus: %d %s", r.status, r.body)
	}
	var list []event
	return list, json.Unmarshal(r.body, &list)
}

// follow polls GetDeviceStatus until the words came, in this order with anything between, and returns everything seen.
func (c *client) follow(device string, words ...string) []event {
	c.t.Helper()
	var seen []event
	next := 0
	eventually(c.t, fmt.Sprintf("events %v", words), func() error {
		for _, e := range c.events(device) {
			seen = append(seen, e)
			if next < len(words) && e.String() == words[next] {
				next++
			}
		}
		if next < len(words) {
			return fmt.Errorf("waiting for %q after %v", words[next], seen)
		}
		return nil
	})
	return seen
}

// tally counts the events with this word.
func tally(list []event, word string) (n int) {
	for _, e := range list {
		if strings.EqualFold(e.String(), word) {
			n++
		}
	}
	return n
}
