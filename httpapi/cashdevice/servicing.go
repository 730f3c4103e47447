package cashdevice

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"coffer/devices"
	"coffer/internal/cash"
)

// book names a page of the service book and its fields.
type book struct {
	title  string
	fields []string
}

// serviceBook are the sub-commands of GetServiceInformation, moduleBook those of GetServiceInformationForModule.
var (
	serviceBook = []book{
		{"Date Information", []string{"Date"}},
		{"Note Information", []string{"Notes Since Maintenance Reset", "Notes Since Last Download", "Notes Since Power On", "Notes Since Last Jam"}},
		{"Accept Note Information", []string{"Accepted Notes Since Maintenance Reset", "Accepted Notes Since Last Download", "Accepted Notes Since Power On"}},
		{"Jam Information", []string{"Jams Since Maintenance Reset", "Jams Since Last Download", "Jams Within Last 1000 Notes"}},
		{"Service Flags", []string{"Flags"}},
	}
	moduleBook = []book{
		{"Service Status", []string{"Status"}},
		{"Next Service Due", []string{"Due"}},
		{"Last Service Information", []string{"Last service", "Service before", "Service before that"}},
		{"Performance Since Last Service", []string{"Coins processed", "Acceptance percentage", "Jams", "Calibration failures"}},
		{"Service Flags", []string{"Flags"}},
		lifetime,
	}
	lifetime = book{"Lifetime Counts", []string{"Total cycles", "Power on count", "Power on time"}}
)

// noteLifetime is the module of an NV4000 that has nothing but lifetime counts, whatever the sub-command.
const noteLifetime = 5

// print prints a page: its title, then a line a field.
func (b book) print(values []uint32) string {
	lines := []string{"(" + b.title + ")"}
	for i, v := range values {
		name := fmt.Sprintf("Field %d", i+1)
		if i < len(b.fields) {
			name = b.fields[i]
		}
		lines = append(lines, fmt.Sprintf("%s: %d", name, v))
	}
	return strings.Join(lines, "\n") + "\n"
}

// serviceInformation: GET GetServiceInformation with a bare sub-command from 0 to 4, in the body or as subCommand.
func (c *call) serviceInformation() (any, error) {
	sub, err := c.bareNumber(0, int64(len(serviceBook)-1), "subCommand", "value")
	if err != nil {
		return nil, err
	}
	m, err := as[devices.Servicer](c)
	if err != nil {
		return nil, err
	}
	values, err := m.ServiceInformation(c.ctx, byte(sub))
	if err != nil {
		return nil, err
	}
	text := serviceBook[sub].print(values)
	c.remember(func(k *memory) { k.service = text })
	return c.id + ": { ServiceInformation =\n " + text + " }", nil
}

// moduleServiceInformation: GET GetServiceInformationForModule {"Module":5,"SubCommand":0}, in the body or the query.
func (c *call) moduleServiceInformation() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Module", "SubCommand"} {
		if v, _ := in.get(name); v == nil && c.query[key(name)] != "" {
			in.m[key(name)] = c.query[key(name)]
		}
	}
	module, sub := in.required(0, 255, "Module"), in.number(0, 255, "SubCommand")
	if err := in.err(); err != nil {
		return nil, err
	}
	m, err := as[devices.Servicer](c)
	if err != nil {
		return nil, err
	}
	page := lifetime
	if module != noteLifetime {
		if int(sub) >= len(moduleBook) {
			return nil, cash.ErrInvalid
		}
		page = moduleBook[sub]
	}
	values, err := m.ModuleServiceInformation(c.ctx, byte(module), byte(sub))
	if err != nil {
		return nil, err
	}
	text := page.print(values)
	c.remember(func(k *memory) { k.service = text })
	return dump(c.id, "ServiceInformation", text), nil
}

// setMaintenanceReset: POST SetServiceInformationMaintenanceReset with the ASCII digits of week and year. The sample of
// the manual has the number 0 for each, so that a number from 0 to 9 is that digit.
func (c *call) setMaintenanceReset() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	digit := func(name string) int {
		n := int(in.required(0, '9', name))
		switch {
		case n >= '0':
			return n - '0'
		case n > 9:
			in.wrong(name, "A digit from 0 to 9, or its ASCII code from 48 to 57")
		}
		return n
	}
	week := 10*digit("WeekNumber1AsciiByte") + digit("WeekNumber2AsciiByte")
	year := 10*digit("YearNumber1AsciiByte") + digit("YearNumber2AsciiByte")
	if err := in.err(); err != nil {
		return nil, err
	}
	return tell(c, "set maintenance reset", c.id+": Maintenance reset information set successfully.", func(ctx context.Context, m devices.Servicer) error {
		return m.SetMaintenanceReset(ctx, week, year)
	})
}

// clockNow sets the machine's clock to the time of day here and words what came of it.
func (o *opened) clockNow() {
	now := o.c.api.now().Local()
	o.clock = "Real time clock was not set: not supported by this device."
	m, ok := o.d.(devices.Clock)
	if !ok {
		return
	}
	err := o.step("set clock", func(ctx context.Context) error { return m.SetTime(ctx, now) })
	if errors.Is(err, cash.ErrClaimed) {
		o.clock = "Real time clock was not set: " + rowOf(err).word + "."
	}
	if err == nil {
		o.clock = "Successfully set real time clock to " + now.Format("02/01/2006 15:04:05") + "."
		o.c.remember(func(k *memory) { k.clock = o.clock })
	}
}
