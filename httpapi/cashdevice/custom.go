package cashdevice

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// sendCustomCommand: POST SendCustomCommand {"CustomCommandDataString":"01"}, the code and parameters of an SSP command in
// hexadecimal. The answer's second line is what the machine answered. Commands that would move money past the ledger, or
// take the machine away from its driver, are refused.
func (c *call) sendCustomCommand() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	cmd, err := hexBytes(in.text("CustomCommandDataString"))
	if err := in.err(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, fault("CustomCommandDataString", err.Error())
	}
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	reply, err := c.custom(d, cmd)
	if err != nil {
		return nil, err
	}
	raw := fmt.Sprintf("% X", reply)
	if len(reply) == 0 || ssp.Reply(reply[0]) != ssp.OK {
		return nil, &refusal{status: 400, body: c.id + ": Failed to send custom command.\n" + raw}
	}
	return "Custom command sent successfully.\n" + raw, nil
}

// custom sends one command. Some that the driver has to know of are calls of their own.
func (c *call) custom(d devices.Device, cmd []byte) ([]byte, error) {
	ok := []byte{byte(ssp.OK)}
	switch {
	case len(cmd) > 1:
	case ssp.Command(cmd[0]) == ssp.CmdReset:
		return ok, c.api.till.Do(c.ctx, c.by(), d, "reset", d.Reset)
	case ssp.Command(cmd[0]) == ssp.CmdEnable:
		return ok, c.accept(d, true)
	case ssp.Command(cmd[0]) == ssp.CmdDisable:
		return ok, c.accept(d, false)
	case ssp.Command(cmd[0]) == ssp.CmdEnablePayout, ssp.Command(cmd[0]) == ssp.CmdDisablePayout:
		return ok, c.api.till.Do(c.ctx, c.by(), d, "switch payout", func(ctx context.Context) error {
			return payoutStore(ctx, d, ssp.Command(cmd[0]) == ssp.CmdEnablePayout)
		})
	}
	var reply []byte
	err := c.api.till.Do(c.ctx, c.by(), d, "custom command", func(ctx context.Context) (err error) {
		reply, err = d.Raw(ctx, cmd)
		return err
	})
	return reply, err
}

// hexBytes reads "01", "0x5C 01" and "5c,01".
func hexBytes(text string) ([]byte, error) {
	var out []byte
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;-\t\r\n", r) }) {
		digits := strings.TrimPrefix(strings.ToLower(word), "0x")
		if len(digits) == 1 {
			digits = "0" + digits
		}
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("%w: %q is not hexadecimal", cash.ErrInvalid, word)
		}
		out = append(out, b...)
	}
	if len(out) == 0 || len(out) > ssp.MaxEncrypted {
		return nil, fmt.Errorf("%w: from 1 to %d bytes in hexadecimal are expected", cash.ErrInvalid, ssp.MaxEncrypted)
	}
	return out, nil
}
