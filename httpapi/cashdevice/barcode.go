package cashdevice

import (
	"context"
	"strconv"

	"coffer/devices"
)

// Texts of the manual, by number.
var (
	readersFitted  = []string{"None", "Top reader fitted", "Bottom reader fitted", "Both fitted"}
	readersEnabled = []string{"None", "Top", "Bottom", "Both"}
	barcodeFormats = []string{"None", "Interleaved 2 of 5"}
	ticketStates   = []string{"No valid data", "Ticket in escrow", "Ticket stacked", "Ticket rejected"}
)

// nth is the nth of names, or the number where it has no name.
func nth[N ~byte | ~int](names []string, n N) string {
	if int(n) < len(names) {
		return names[n]
	}
	return strconv.Itoa(int(n))
}

// barcodeReaderConfiguration: GET GetBarcodeReaderConfiguration → four texts.
func (c *call) barcodeReaderConfiguration() (any, error) {
	m, err := as[devices.BarcodeReader](c)
	if err != nil {
		return nil, err
	}
	b, err := m.BarcodeConfig(c.ctx)
	if err != nil {
		return nil, err
	}
	c.remember(func(k *memory) { k.barcode = &b })
	return object{
		{"hardwareStatus", nth(readersFitted, b.Hardware)}, {"readersEnabled", nth(readersEnabled, b.Enabled)},
		{"barcodeFormat", nth(barcodeFormats, b.Format)}, {"numCharacters", strconv.Itoa(int(b.Characters))},
	}, nil
}

// setBarcodeReaderConfiguration: POST SetBarcodeReaderConfiguration {"EnableReaders":3,"BarCodeFormat":1,
// "NumberOfCharacters":18}.
func (c *call) setBarcodeReaderConfiguration() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	b := devices.BarcodeConfig{
		Enabled:    byte(in.required(0, 3, "EnableReaders")),
		Format:     byte(in.required(0, 1, "BarCodeFormat")),
		Characters: byte(in.required(6, 24, "NumberOfCharacters")),
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	return tell(c, "set barcode reader", "Barcode reader configuration updated successfully.", func(ctx context.Context, m devices.BarcodeReader) error {
		return m.SetBarcodeConfig(ctx, b)
	})
}

// barcodeData: GET GetBarcodeData → the last ticket.
func (c *call) barcodeData() (any, error) {
	m, err := as[devices.BarcodeReader](c)
	if err != nil {
		return nil, err
	}
	t, err := m.Ticket(c.ctx)
	if err != nil {
		return nil, err
	}
	c.remember(func(k *memory) { k.ticket = &t })
	return object{{"ticketStatus", nth(ticketStates, t.Status)}, {"barcodeData", t.Data}}, nil
}
