package cashdevice

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/iotest"

	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"

	"coffer/internal/cash"
)

// TestLogLevels: what a caller does wrong, and what a machine would not do, is no error in the log, which is for what the
// operator must look at. An id that nobody has open is no line at all.
func TestLogLevels(t *testing.T) {
	const none = logrus.TraceLevel
	tests := []struct {
		name, path, body string
		err              error // of the machine
		status           int
		want             logrus.Level
	}{
		{"no deviceID", "EnableAcceptor", "", nil, 400, logrus.InfoLevel},
		{"unknown deviceID", "EnableAcceptor?deviceID=X-COM1", "", nil, 404, none},
		{"no JSON", "SetAutoAccept" + q, "{", nil, 400, logrus.InfoLevel},
		{"another type", "Float" + q, `["a"]`, nil, 400, logrus.InfoLevel},
		{"a refusal in the words of the manual", "SetMultiEscrowSize" + q, "30", nil, 400, logrus.InfoLevel},
		{"a machine that is not there", "OpenConnection", `{"ComPort":"COM99"}`, nil, 400, logrus.InfoLevel},
		{"a refusal that is 500 in the manual", "EnableAcceptor" + q, "", cash.ErrJam, 500, logrus.InfoLevel},
		{"the ledger", "EnableAcceptor" + q, "", cash.ErrJournal, 500, logrus.ErrorLevel},
		{"an unknown outcome", "HaltPayout" + q, "", cash.ErrOutcomeUnknown, 500, logrus.ErrorLevel},
		{"nobody foresaw it", "EnablePayoutDevice" + q, "", errors.New("boom"), 500, logrus.ErrorLevel},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			with(t, DotNet, func(t *testing.T, b *bench) {
				b.strict = false
				b.withAll(modelPayout)
				b.notes.err = tt.err
				log, lines := logtest.NewNullLogger()
				b.api.log = log
				if a := b.post(tt.path, tt.body); a.status != tt.status {
					t.Errorf("%d %s", a.status, a.body)
				}
				worst := none
				for _, e := range lines.AllEntries() {
					worst = min(worst, e.Level)
				}
				if worst != tt.want {
					t.Errorf("logged at %v, want %v: %v", worst, tt.want, lines.AllEntries())
				}
			})
		})
	}
}

// TestABodyThatBreaksOff is no fault of this server.
func TestABodyThatBreaksOff(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		r := httptest.NewRequest(http.MethodPost, "/api/CashDevice/DispenseValue"+q, iotest.ErrReader(io.ErrUnexpectedEOF))
		r.Header.Set("Authorization", "Bearer "+b.token)
		w := httptest.NewRecorder()
		b.handler.ServeHTTP(w, r)
		if w.Code != 400 || b.till.took() != "" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
