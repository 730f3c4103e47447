package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/journal"
	"coffer/internal/till"
)

type journalCommand struct {
	Verify  journalVerify  `cmd:"" help:"Check the chain of the ledger."`
	Export  journalExport  `cmd:"" help:"Print every entry."`
	Balance journalBalance `cmd:"" help:"Print what the ledger says is in the machines."`
	Settle  journalSettle  `cmd:"" help:"List open operations, or close one with what it has really paid."`
}

// ledgerAt is the ledger of a data directory, which may be in use by a running coffer.
type ledgerAt struct {
	remote
	JSON bool `name:"json" help:"For programs."`
}

// locateLedger returns the data directory: the named one, else the default one, else that of a coffer which runs at the
// default address (a demo has its data in a temporary place).
func (l ledgerAt) locateLedger(s *session) (string, error) {
	dir, named, err := l.dir(s)
	if err != nil || named && l.URL == "" {
		return dir, err
	}
	if _, err := os.Stat(filepath.Join(dir, journal.FileName)); errors.Is(err, fs.ErrNotExist) || l.URL != "" {
		c, err := l.main(s)
		if err != nil {
			return "", err
		}
		return c.dir, nil
	}
	return dir, nil
}

// read calls f with the ledger opened for reading.
func (l ledgerAt) read(s *session, f func(*journal.Reader) error) error {
	dir, err := l.locateLedger(s)
	if err != nil {
		return err
	}
	r, err := journal.OpenReadOnly(s.ctx, dir)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("read the ledger in %s: %w; run this as the user that coffer runs as", dir, fs.ErrPermission)
	case err != nil:
		return err
	}
	defer r.Close()
	return f(r)
}

type journalVerify struct{ ledgerAt }

// Run checks the chain.
func (c *journalVerify) Run(s *session) error {
	return c.read(s, func(r *journal.Reader) error {
		n, err := r.Verify(s.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return s.json(map[string]any{"ok": true, "entries": n})
		}
		s.printf("ok %d entries\n", n)
		return nil
	})
}

type journalExport struct {
	ledgerAt
	After int64 `placeholder:"SEQ" help:"Only what follows this entry."`
}

// Run prints the entries.
func (c *journalExport) Run(s *session) error {
	return c.read(s, func(r *journal.Reader) error {
		if c.JSON {
			_, err := r.Export(s.ctx, s.Out, c.After)
			return err
		}
		return printEntries(s, r, c.After)
	})
}

func printEntries(s *session, r *journal.Reader, after int64) error {
	const page = 1000
	for {
		rows, err := r.Entries(s.ctx, after, page)
		if err != nil {
			return err
		}
		for _, e := range rows {
			after = e.Seq
			what := e.Detail
			if e.Value > 0 {
				what = fmt.Sprintf("%d × %s  %s → %s  %s", e.Count, cash.Amount{Value: e.Value, Currency: e.Currency}, e.From, e.To, e.Detail)
			}
			s.printf("%6d  %s  %-28s  %-11s  %s\n", e.Seq, e.At.Local().Format(time.DateTime), e.Device, e.Kind, strings.TrimSpace(what))
		}
		if len(rows) < page {
			return nil
		}
	}
}

type journalBalance struct {
	ledgerAt
	Device string `placeholder:"ID" help:"DeviceID of one machine; else all."`
}

// Run prints the balance.
func (c *journalBalance) Run(s *session) error {
	return c.read(s, func(r *journal.Reader) error {
		rows, err := r.Balance(s.ctx, "")
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(b cash.BalanceRow) bool {
			return c.Device != "" && !strings.EqualFold(string(b.Device), c.Device)
		})
		if c.JSON {
			s.printf("%s\n", journal.EncodeBalance(rows))
			return nil
		}
		w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "DEVICE\tPLACE\tPIECES\tOF\tWORTH")
		for _, b := range rows {
			d := cash.Denom{Value: b.Value, Currency: b.Currency}
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", b.Device, b.Place, b.Count, d.Amount(1), d.Amount(b.Count))
		}
		return w.Flush()
	})
}

type journalSettle struct {
	ledgerAt
	Op      string   `arg:"" optional:"" help:"Operation to settle; left out, the open ones are listed."`
	Pieces  []string `arg:"" optional:"" help:"Everything it has moved, as 2x500EUR 1x2000EUR: pieces x value in minor units."`
	Nothing bool     `help:"It has moved nothing."`
}

// Run lists open operations, or settles one: through the running coffer, or, where none runs, in the ledger itself.
func (c *journalSettle) Run(s *session) error {
	if c.Op == "" {
		return c.read(s, func(r *journal.Reader) error { return c.list(s, r) })
	}
	paid, err := parsePieces(c.Pieces)
	switch {
	case err != nil:
		return err
	case len(paid) == 0 && !c.Nothing, len(paid) > 0 && c.Nothing:
		return &misuse{"say what the operation has moved, or --nothing", "coffer journal settle " + c.Op + " 2x500EUR"}
	}
	dir, err := c.locateLedger(s)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, journal.FileName)); err != nil {
		return fmt.Errorf("journal settle: no ledger in %s; name the data directory with --data-dir", dir)
	}
	err = c.settleHere(s.ctx, dir, paid)
	if errors.Is(err, journal.ErrLocked) {
		err = c.settleThere(s, paid)
	}
	if err != nil {
		return fmt.Errorf("journal settle: %w", err)
	}
	s.printf("settled %s\n", c.Op)
	return nil
}

func (c *journalSettle) list(s *session, r *journal.Reader) error {
	open, err := r.OpenOps(s.ctx, "")
	if err != nil {
		return err
	}
	if c.JSON {
		s.printf("%s\n", journal.EncodeOps(open))
		return nil
	}
	if len(open) == 0 {
		s.printf("no operation is open\n")
		return nil
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "OPERATION\tDEVICE\tKIND\tASKED\tSINCE\tDETAIL")
	for _, o := range open {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", o.ID, o.Device, o.Kind, o.Asked, o.Started.Local().Format(time.DateTime), o.Detail)
	}
	return w.Flush()
}

// settleHere settles in the ledger, which no coffer may use meanwhile (journal.ErrLocked).
func (c *journalSettle) settleHere(ctx context.Context, dir string, paid cash.Counts) error {
	j, err := journal.Open(ctx, dir, time.Now)
	if err != nil {
		return err
	}
	quiet := logrus.New()
	quiet.SetLevel(logrus.ErrorLevel)
	t := till.New(j, bus.New(1), quiet, time.Now)
	return errors.Join(t.Settle(ctx, till.Call{Actor: "cli"}, c.Op, paid), j.Close())
}

// settleThere asks the coffer that has the ledger.
func (c *journalSettle) settleThere(s *session, paid cash.Counts) error {
	running, err := c.main(s)
	if err != nil {
		return err
	}
	return running.call(s.ctx, http.MethodPost, "/journal/v1/settle", map[string]any{"op": c.Op, "paid": paid}, nil)
}

var piece = regexp.MustCompile(`^([0-9]{1,9})x([0-9]{1,12})([A-Za-z]{3})$`)

// parsePieces reads 2x500EUR.
func parsePieces(args []string) (cash.Counts, error) {
	out := cash.Counts{}
	for _, a := range args {
		m := piece.FindStringSubmatch(a)
		if m == nil {
			return nil, &misuse{fmt.Sprintf("%q is not PIECESxVALUECURRENCY", a), "2x500EUR for two notes of 5.00"}
		}
		n, _ := strconv.Atoi(m[1])
		d, err := cash.ParseDenom(m[2] + " " + m[3])
		if err != nil {
			return nil, &misuse{err.Error(), "2x500EUR for two notes of 5.00"}
		}
		out[d] += n
	}
	return out, nil
}
