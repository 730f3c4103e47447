package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"coffer/upos"
	"coffer/upos/uposclient"
)

type uposCommand struct {
	Call    uposCall    `cmd:"" help:"Call a method of a UnifiedPOS device, or read its properties: call Till1 get."`
	Watch   uposWatch   `cmd:"" help:"Show the events of a UnifiedPOS device as they come; Ctrl-C ends it."`
	Deposit uposDeposit `cmd:"" help:"Take money in with a UnifiedPOS device; Ctrl-C ends the deposit properly."`
}

// uposFlags are common to the commands.
type uposFlags struct {
	remote
	Name string        `arg:"" help:"Name of the device in the configuration, as Till1."`
	Wait time.Duration `default:"2s" help:"How long to wait for a claim that another program holds."`
	Set  []string      `placeholder:"PROPERTY=VALUE" help:"Write a property before anything else; may be given again."`
	JSON bool          `name:"json" help:"For programs."`
}

// uposSession is one open instance and who looks at it.
type uposSession struct {
	*session
	flags  *uposFlags
	handle *uposclient.Handle
	ctx    context.Context // ends with Ctrl-C; the instance is closed properly even then
}

// closeLimit is how long closing the instance may take: it settles a deposit.
const closeLimit = 70 * time.Second

// with opens the device, calls f and closes the device.
func (u *uposFlags) with(s *session, f func(*uposSession) error) (err error) {
	coffer, err := u.main(s)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(s.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	client := &uposclient.Client{Base: coffer.base, Token: coffer.token}
	class, err := u.class(ctx, client)
	if err != nil {
		return u.explain(coffer, err)
	}
	h, err := client.Open(ctx, class, u.Name)
	if err != nil {
		return u.explain(coffer, err)
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), closeLimit)
		defer cancel()
		if cerr := h.Close(last); err == nil && cerr != nil && !gone(cerr) {
			err = u.explain(coffer, cerr)
		}
	}()
	return u.explain(coffer, f(&uposSession{s, u, h, ctx}))
}

// gone says whether the instance is not there any more, which is what closing it is for.
func gone(err error) bool { return uposclient.CodeOf(err) == upos.E_CLOSED }

// class finds the device among the configured ones.
func (u *uposFlags) class(ctx context.Context, c *uposclient.Client) (string, error) {
	all, err := c.Devices(ctx)
	if err != nil {
		return "", err
	}
	names := make([]string, 0, len(all))
	for _, d := range all {
		if d.Name == u.Name {
			return d.Class, nil
		}
		names = append(names, d.Name)
	}
	if len(names) == 0 {
		return "", errors.New("this coffer has no UnifiedPOS devices; name some in the section upos of its configuration")
	}
	return "", fmt.Errorf("no device %s; there are %s", u.Name, strings.Join(names, ", "))
}

// explain says what to do about an error.
func (u *uposFlags) explain(c *client, err error) error {
	var refused *uposclient.Error
	var known *hinted
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case !errors.As(err, &refused):
		if u.unreachable(err) {
			return fmt.Errorf("no coffer answers at %s: %w; start it, or name it with --url or --data-dir", c.base, err)
		}
		return fmt.Errorf("upos %s: %w", u.Name, err)
	case refused.Status == 401:
		return fmt.Errorf("upos %s: %w; name its data directory with --data-dir, so that a token can be signed", u.Name, err)
	case refused.Status == 404 && refused.Code == 0:
		return fmt.Errorf("%s serves no UnifiedPOS API: %w; add uposapi to `serve` of a listener in its configuration", c.base, err)
	}
	return fmt.Errorf("upos %s: %w", u.Name, err)
}

// hinted is an error that says already what to do.
type hinted struct{ error }

func (h *hinted) Unwrap() error { return h.error }

// unreachable says whether err is the network's.
func (u *uposFlags) unreachable(err error) bool {
	var net interface{ Timeout() bool }
	return errors.As(err, &net) && !errors.Is(err, context.Canceled)
}

// reach does what an access of the members file needs before it: claim, enable.
func (s *uposSession) reach(a upos.Access) error {
	if s.handle.Class() != string(upos.CashDrawer) && (a == upos.AfterClaim || a == upos.AfterEnable) {
		if err := s.claim(); err != nil {
			return err
		}
	}
	if a == upos.AfterEnable || a == upos.WhileEnabled || a == upos.WhileUnclaimed {
		return s.handle.Enable(s.ctx)
	}
	return nil
}

func (s *uposSession) claim() error {
	err := s.handle.Claim(s.ctx, s.flags.Wait)
	if uposclient.CodeOf(err) == upos.E_TIMEOUT {
		return &hinted{fmt.Errorf("upos %s: another program has claimed it (%w); try again when it has released it, or wait longer with --wait 30s", s.flags.Name, err)}
	}
	return err
}

// assign writes the properties of --set. Those that need the device enabled are written after it was.
func (s *uposSession) assign() error {
	for _, one := range s.flags.Set {
		name, text, ok := strings.Cut(one, "=")
		m, known := s.member(name, false)
		switch {
		case !ok:
			return &misuse{fmt.Sprintf("--set %q is not PROPERTY=VALUE", one), "--set CurrencyCode=EUR"}
		case !known:
			return s.noProperty(name)
		}
		v, err := argument(m.Type, text)
		if err == nil {
			err = s.reach(m.WriteAccess)
		}
		if err == nil {
			err = s.handle.Set(s.ctx, name, v)
		}
		if err != nil {
			return fmt.Errorf("--set %s: %w", name, err)
		}
	}
	return nil
}

// noProperty refuses a name that the class does not know.
func (s *uposSession) noProperty(name string) error {
	return &misuse{fmt.Sprintf("%s has no property %q", s.handle.Class(), name), "coffer upos call " + s.flags.Name + " get"}
}

// member finds a property or method of the device's class.
func (s *uposSession) member(name string, method bool) (upos.Member, bool) {
	all := upos.Members(upos.Class(s.handle.Class()))
	i := slices.IndexFunc(all, func(m upos.Member) bool { return m.Name == name && m.Method == method })
	if i < 0 {
		return upos.Member{}, false
	}
	return all[i], true
}

// argument reads a value of a type of the members file.
func argument(kind, text string) (any, error) {
	switch kind {
	case "boolean":
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not true or false", text)
		}
		return b, nil
	case "int32":
		n, err := strconv.ParseInt(text, 0, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number of 32 bits", text)
		}
		return int32(n), nil
	}
	return text, nil
}

// codeName is the name of a value that a class knows for a property or event, "" for none. The groups of the constants
// are lists as "DeviceStatus/FullStatus/StatusUpdateEvent.Status".
func codeName(class, group string, value int32) string {
	for _, c := range upos.Codes() {
		if c.Value != value || c.Class != class && c.Class != "Common" {
			continue
		}
		for part := range strings.SplitSeq(c.Group, "/") {
			if head, _, _ := strings.Cut(part, "."); head == group {
				return c.Name
			}
		}
	}
	return ""
}
