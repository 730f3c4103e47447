package ops

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"coffer/devices"
	"coffer/devices/line"
	"coffer/httpapi"
	"coffer/internal/cash"
)

// Devices is the answer of GET /devices/v1.
type Devices struct {
	Lines []Line `json:"lines"`
}

// Line is one port and the machines on it.
type Line struct {
	Port      string   `json:"port"`
	Link      string   `json:"link"`
	AdHoc     bool     `json:"ad_hoc"` // opened by a caller, not configured
	Open      bool     `json:"open"`
	Error     string   `json:"error,omitempty"` // why it is not open
	Exchanges uint64   `json:"exchanges"`
	Retries   uint64   `json:"retries"`
	Timeouts  uint64   `json:"timeouts"`
	CRCErrors uint64   `json:"crc_errors"`
	Devices   []Device `json:"devices"`
}

// Device is one machine. ID is empty until it was identified for the first time.
type Device struct {
	ID              cash.DeviceID `json:"id"`
	ConfigID        string        `json:"config_id"`
	Address         int           `json:"address"`
	Model           string        `json:"model"`
	Connected       bool          `json:"connected"`
	Ready           bool          `json:"ready"`
	State           string        `json:"state"`
	Error           string        `json:"error,omitempty"`
	Firmware        string        `json:"firmware"`
	Dataset         string        `json:"dataset"`
	Serial          string        `json:"serial"`
	Protocol        int           `json:"protocol"`
	Encrypted       bool          `json:"encrypted"`
	Currency        cash.Currency `json:"currency"`
	AcceptorEnabled bool          `json:"acceptor_enabled"`
	PayoutEnabled   bool          `json:"payout_enabled"`
	AutoAccept      bool          `json:"auto_accept"`
	Operation       cash.OpKind   `json:"operation"`
	Escrow          *cash.Denom   `json:"escrow"`
	Jammed          bool          `json:"jammed"`
	CashboxRemoved  bool          `json:"cashbox_removed"`
	Full            bool          `json:"full"`
	Levels          cash.Counts   `json:"levels"`
	Changed         time.Time     `json:"changed"`
}

// Frame is one frame of a line, one line of the answer of GET /devices/v1/trace. Keys are never in it.
type Frame struct {
	At      time.Time `json:"at"`
	Dir     string    `json:"dir"` // "->" to the machine, "<-" from it
	Address int       `json:"address"`
	Text    string    `json:"text"`           // what it means
	Raw     string    `json:"raw,omitempty"`  // bytes on the wire, hexadecimal
	Data    string    `json:"data,omitempty"` // its data, decrypted, hexadecimal
}

func (a *api) devices(w http.ResponseWriter, _ *http.Request) {
	out := Devices{Lines: []Line{}}
	for _, l := range a.Station.Lines() {
		out.Lines = append(out.Lines, lineOf(l))
	}
	answer(w, http.StatusOK, out)
}

func lineOf(l devices.LineStatus) Line {
	out := Line{
		Port: l.Port, Link: l.Link, AdHoc: l.AdHoc, Open: l.State.Open, Exchanges: l.State.Exchanges,
		Retries: l.State.Retries, Timeouts: l.State.Timeouts, CRCErrors: l.State.CRCErrors, Devices: []Device{},
	}
	if l.State.Err != nil {
		out.Error = l.State.Err.Error()
	}
	for _, d := range l.Devices {
		out.Devices = append(out.Devices, deviceOf(d.Snapshot()))
	}
	return out
}

func deviceOf(s *devices.Snapshot) Device {
	return Device{
		ID: s.ID, ConfigID: s.ConfigID, Address: int(s.Address), Model: s.Model, Connected: s.Connected, Ready: s.Ready,
		State: s.State.String(), Error: s.Error, Firmware: s.Firmware, Dataset: s.Dataset, Serial: s.Serial,
		Protocol: s.Protocol, Encrypted: s.Encrypted, Currency: s.Currency, AcceptorEnabled: s.AcceptorEnabled,
		PayoutEnabled: s.PayoutEnabled, AutoAccept: s.AutoAccept, Operation: s.Operation, Escrow: s.Escrow,
		Jammed: s.Jammed, CashboxRemoved: s.CashboxRemoved, Full: s.StackerFull || s.DeviceFull, Levels: s.Levels,
		Changed: s.Changed,
	}
}

// trace sends the last frames of a line as one JSON object a line of text; with ?follow=true it goes on with each new
// one until the caller hangs up or falls behind.
func (a *api) trace(w http.ResponseWriter, r *http.Request) {
	l, ok := a.Station.Trace(r.URL.Query().Get("port"))
	if !ok {
		httpapi.Text(w, http.StatusNotFound, "No such line; /devices/v1 lists them")
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false) // the arrows
	follow := r.URL.Query().Get("follow") == "true"
	live, end := l.Subscribe()
	defer end()
	var last time.Time // of the frames that were there; the same ones may come live
	for _, e := range l.Trace() {
		if out.Encode(frameOf(e)) != nil {
			return
		}
		last = e.At
	}
	for follow {
		_ = http.NewResponseController(w).Flush()
		select {
		case e, open := <-live:
			switch {
			case !open:
				return
			case !e.At.After(last): // was sent above
			case out.Encode(frameOf(e)) != nil:
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

func frameOf(e line.TraceEntry) Frame {
	f := Frame{At: e.At.UTC(), Dir: "<-", Address: int(e.Addr), Text: e.Text, Raw: hex.EncodeToString(e.Raw), Data: hex.EncodeToString(e.Plain)}
	if e.Tx {
		f.Dir = "->"
	}
	return f
}
