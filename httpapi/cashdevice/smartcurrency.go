package cashdevice

import (
	"context"

	"coffer/devices"
	"coffer/internal/cash"
)

// smartCurrencyData: GET GetSmartCurrencyData → the datasets on the machine's card.
func (c *call) smartCurrencyData() (any, error) {
	m, err := as[devices.SmartCurrency](c)
	if err != nil {
		return nil, err
	}
	sets, err := m.SmartDatasets(c.ctx)
	if err != nil {
		return nil, err
	}
	out := list{}
	for i, s := range sets {
		out = append(out, object{
			{"enabled", s.Enabled}, {"country", s.Country}, {"datasetCode", s.Code}, {"denomCount", s.Denominations}, {"index", i},
		})
	}
	return out, nil
}

// updateSmartCurrencyDataset: POST UpdateSmartCurrencyDataset with a bare text. The manual's table has no deviceID: then
// it is for the only open machine of that kind.
func (c *call) updateSmartCurrencyDataset() (any, error) {
	v, err := c.bare()
	if err != nil {
		return nil, err
	}
	code, ok := v.(string)
	if !ok || code == "" {
		return nil, fault("$", "A dataset code as \"EUR01045\" is expected.")
	}
	if c.id = c.query["deviceid"]; c.id != "" {
		c.view = c.api.views.find(c.id)
	} else if c.view, err = c.api.onlySmartCurrency(c.ctx); err != nil {
		return nil, err
	}
	if c.view == nil {
		return nil, errNoDevice
	}
	c.id = c.view.id
	return tell(c, "update dataset", "Successfully updated smart currency dataset to "+code+".", func(ctx context.Context, m devices.SmartCurrency) error {
		return m.ActivateDataset(ctx, code)
	})
}

// onlySmartCurrency finds the one open machine with a card of datasets.
func (a *api) onlySmartCurrency(ctx context.Context) (*view, error) {
	var found []*view
	for _, v := range a.views.all() {
		d, ok := a.station.Device(v.device)
		if !ok {
			continue
		}
		if m, ok := d.(devices.SmartCurrency); ok {
			if _, err := m.SmartDatasets(ctx); err == nil {
				found = append(found, v)
			}
		}
	}
	if len(found) != 1 {
		return nil, &refusal{status: 400, body: "Name the device: the deviceID is needed unless exactly one Smart Currency device is open.", err: cash.ErrInvalid}
	}
	return found[0], nil
}
