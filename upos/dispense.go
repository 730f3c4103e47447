package upos

import (
	"context"
	"errors"
	"maps"
	"slices"

	"coffer/internal/cash"
)

// job is what a device is busy with beyond one call: a payout or a firmware update.
type job struct {
	h        *Handle
	method   string
	key      string
	async    bool
	firmware bool
	asked    Pieces      // of a payout by pieces
	amount   cash.Amount // of one by amount
	done     chan struct{}
	err      error // once done is closed
}

// outcome is how the last payout of a handle ended, for DirectIO.
type outcome struct {
	Operation string `json:"operation"` // in the ledger
	Asked     string `json:"asked"`     // as given: cash counts or an amount
	Paid      string `json:"paid"`      // cash counts that are sure to have gone out
	Sure      bool   `json:"sure"`      // false: more may have gone out
	Code      int32  `json:"code"`
	Extended  int32  `json:"extended"`
	Message   string `json:"message,omitempty"`
}

// overdispense is the extended code for missing stock, where the class has one.
func overdispense(class Class) (code, extended int32) {
	switch class {
	case CashChanger:
		return E_EXTENDED, ECHAN_OVERDISPENSE
	case BillDispenser:
		return E_EXTENDED, EBDSP_OVERDISPENSE
	}
	return E_ILLEGAL, 0 // CoinDispenser: "more than can be dispensed"
}

// dispenseError is wrap for a payout.
func dispenseError(class Class, err error) error {
	var partial *cash.PartialError
	if errors.Is(err, cash.ErrNotEnough) && !errors.As(err, &partial) {
		code, extended := overdispense(class)
		return &Error{Code: code, Extended: extended, Message: err.Error(), cause: err}
	}
	return wrap(err)
}

// dispenseCash pays the pieces that the application names. CurrentService is about what is read: payouts are of the whole.
func (c *call) dispenseCash() (map[string]any, error) {
	return c.dispense(func(r *Request, j *job) error {
		pieces, err := parseCounts(c.h.class, c.string("cashCounts"), c.h.payable(c.parts), c.h.currency, c.d.cfg.scale())
		if err != nil {
			return err
		}
		for p, n := range pieces {
			if n == 0 {
				delete(pieces, p)
			}
		}
		if len(pieces) == 0 {
			return fail(E_ILLEGAL, "cash counts name no piece to pay")
		}
		r.Pieces, j.asked = pieces, pieces
		return nil
	})
}

// dispenseChange pays an amount in pieces that the machines choose.
func (c *call) dispenseChange() (map[string]any, error) {
	return c.dispense(func(r *Request, j *job) error {
		amount := c.int("amount")
		if amount <= 0 {
			return fail(E_ILLEGAL, "amount %d is not above zero", amount)
		}
		r.Amount = cash.Amount{Value: int64(amount) * c.d.cfg.scale(), Currency: c.h.currency}
		j.amount = r.Amount
		return nil
	})
}

// dispense checks, starts the payout, and waits for it unless AsyncMode. A key that names the payout which runs joins it.
func (c *call) dispense(fill func(*Request, *job) error) (map[string]any, error) {
	s, h := c.h.service, c.h
	r := c.request()
	j := &job{h: h, method: c.Method, key: c.Key, done: make(chan struct{})}
	s.mu.Lock()
	r.Exit = int(h.exit)
	j.async = h.async && h.class != CoinDispenser
	running := c.d.job
	err := h.mayDispense(c.d.look(c.parts, 0).jam)
	if err == nil {
		err = fill(&r, j)
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if running != nil && running.key != "" && running.key == c.Key {
		if running.amount != j.amount || !maps.Equal(running.asked, j.asked) {
			return nil, fail(E_ILLEGAL, "key %q was used for another payout, which runs", c.Key)
		}
		return nil, c.await(running, j.async)
	}
	if err := c.idle(); err != nil {
		return nil, err
	}
	return nil, c.pay(j, r)
}

// mayDispense refuses a payout during a deposit. The caller holds mu.
func (h *Handle) mayDispense(jam bool) error {
	switch {
	case !h.deposit.running():
		return nil
	case jam:
		return fail(E_FAILURE, "a machine is jammed: clear it and end the deposit first")
	}
	return fail(E_ILLEGAL, "end the deposit first: DepositStatus is %s", depositNames[h.deposit.phase])
}

// pay starts the payout. The machinery is told without the caller's deadline: money that moves is always followed to its
// end.
func (c *call) pay(j *job, r Request) error {
	s, h := c.h.service, c.h
	s.mu.Lock()
	c.d.job = j
	s.mu.Unlock()
	work, err := c.d.mech.Dispense(context.WithoutCancel(c.ctx), r)
	if err != nil {
		err = dispenseError(h.class, err)
		// Missing stock is the one refusal that is reported like the end of the payout.
		_, extended := resultOf(err)
		late := j.async && extended != 0
		h.finish(c.d, j, "", Paid{Sure: true}, err, late)
		if late {
			return nil
		}
		return err
	}
	go func() {
		paid, err := work.Wait(s.ctx)
		h.finish(c.d, j, work.ID(), paid, dispenseError(h.class, err), j.async)
	}()
	return c.await(j, j.async)
}

// await waits for the end of a payout without keeping others from the device.
func (c *call) await(j *job, async bool) error {
	if async {
		return nil
	}
	c.free()
	select {
	case <-j.done:
		return j.err
	case <-c.ctx.Done():
		return fail(E_TIMEOUT, "the caller gave up waiting; %s goes on", j.method)
	}
}

// finish ends a payout: results first, then State, then the event.
func (h *Handle) finish(d *device, j *job, id string, paid Paid, err error, tell bool) {
	s := h.service
	s.mu.Lock()
	defer s.mu.Unlock()
	j.err = err
	o := outcome{Operation: id, Paid: h.piecesText(paid.Pieces), Sure: paid.Sure, Asked: h.piecesText(j.asked)}
	if j.asked == nil {
		o.Asked = j.amount.String()
	}
	o.Code, o.Extended = resultOf(err)
	if err != nil {
		o.Message = err.Error()
	}
	h.last = o
	d.stats.add("PiecesPaid", int64(count(paid.Pieces)))
	if err == nil {
		d.stats.add("DispenseCount", 1)
	} else {
		d.stats.add("DispenseFailureCount", 1)
	}
	d.job = nil
	if err != nil && (len(paid.Pieces) > 0 || !paid.Sure) {
		h.direct(DirectPartial, o.Code, asJSON(o))
	}
	if tell {
		h.asyncCode, h.asyncExt = o.Code, o.Extended
		h.status(CHAN_STATUS_ASYNC, "AsyncResultCode", "AsyncResultCodeExtended", "State")
	}
	close(j.done)
}

// repay gives back the very counts of the deposit, and ends it. A refusal before anything moved leaves it open, so that
// the application can keep the money instead.
func (c *call) repay(taken Pieces) error {
	if err := c.idle(); err != nil {
		return err
	}
	s, h := c.h.service, c.h
	r := c.request()
	r.Exit, r.Pieces = 1, taken
	j := &job{h: h, method: c.Method, asked: taken, done: make(chan struct{})}
	s.mu.Lock()
	c.d.job = j
	s.mu.Unlock()
	work, err := c.d.mech.Dispense(context.WithoutCancel(c.ctx), r)
	if err != nil {
		err = dispenseError(h.class, err)
		h.finish(c.d, j, "", Paid{Sure: true}, err, false)
		return err
	}
	go func() {
		paid, err := work.Wait(s.ctx)
		s.mu.Lock()
		if h.dev == c.d {
			h.endDepositNow()
		}
		s.mu.Unlock()
		h.finish(c.d, j, work.ID(), paid, dispenseError(h.class, err), false)
	}()
	return c.await(j, false)
}

// adjustable lists the units that AdjustCashCounts may name.
func (h *Handle) adjustable(parts []Part) []Piece { return h.countList(parts) }

// readCashCounts reads what is in the device now.
func (c *call) readCashCounts() (map[string]any, error) {
	if err := c.idle(); err != nil {
		return nil, err
	}
	have, doubt, err := c.counted()
	if err != nil {
		return nil, err
	}
	s := c.h.service
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{
		"cashCounts":  cashCounts(c.h.class, c.h.countList(c.parts), have, c.d.cfg.scale()),
		"discrepancy": doubt && c.h.caps.discrepancy,
	}, nil
}

// counted asks the machines for what ReadCashCounts means: the store of a changer or dispenser, all that an acceptor has
// collected.
func (c *call) counted() (have Pieces, doubt bool, err error) {
	s := c.h.service
	s.mu.Lock()
	r := c.request()
	r.Parts = c.h.scope(len(c.parts))
	s.mu.Unlock()
	places := []cash.Place{cash.Payout}
	if c.h.class == BillAcceptor || c.h.class == CoinAcceptor {
		places = append(places, cash.Cashbox)
	}
	have = Pieces{}
	for _, place := range places {
		pieces, d, err := c.d.mech.Counts(c.ctx, r, place)
		if err != nil {
			return nil, false, wrap(err)
		}
		have.plus(pieces)
		doubt = doubt || d
	}
	return have, doubt, nil
}

// adjustCashCounts books the counts of a person, of the part that CurrentService means, as ReadCashCounts reads them. What
// a machine counts itself stays as it counts.
func (c *call) adjustCashCounts() (map[string]any, error) {
	s, h := c.h.service, c.h
	s.mu.Lock()
	running := h.deposit.running()
	parts, first := h.inScope(c.parts), max(0, int(h.part)-1)
	want, err := parseCounts(h.class, c.string("cashCounts"), h.adjustable(c.parts), h.currency, c.d.cfg.scale())
	s.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case running:
		return nil, fail(E_ILLEGAL, "end the deposit first")
	}
	if err := c.idle(); err != nil {
		return nil, err
	}
	defer c.d.counting()()
	for i, p := range parts {
		for place, pieces := range h.shares(parts, i, want) {
			if len(pieces) == 0 {
				continue
			}
			r := c.request()
			r.Parts, r.Pieces = []int{first + i}, pieces
			if r.Key != "" {
				r.Key += "/" + p.ID + "/" + string(place)
			}
			if err := c.d.mech.Adjust(c.ctx, r, place); err != nil {
				return nil, wrap(err)
			}
		}
	}
	return nil, nil
}

// shares says what part i is to hold after AdjustCashCounts. A coin machine's store takes the person's count. Notes are
// counted by their machine, so the count is for the cashbox: of a changer as it is; of an acceptor, whose count is the
// store and the cashbox together, what is left of it. A unit that several parts know is shared out in their order.
func (h *Handle) shares(parts []Part, i int, want Pieces) map[cash.Place]Pieces {
	part := parts[i]
	store, box := Pieces{}, Pieces{}
	known := append(slices.Clone(part.Holds), part.Accepts...)
	for piece, n := range want {
		if !slices.Contains(known, piece) {
			continue
		}
		n = h.share(parts, i, piece, n)
		holds := slices.Contains(part.Holds, piece)
		both := h.class == BillAcceptor || h.class == CoinAcceptor
		switch {
		case h.class == BillDispenser:
			store[piece] = n
		case holds && !part.Bills && both:
			box[piece] = min(part.Box[piece], n)
			store[piece] = n - box[piece]
		case holds && !part.Bills:
			store[piece] = n
		case holds && both:
			box[piece] = max(0, n-part.Store[piece])
		default:
			box[piece] = n
		}
	}
	return map[cash.Place]Pieces{cash.Payout: store, cash.Cashbox: box}
}

// share is what part i gets of n pieces: each part before the last that knows the piece keeps at most what it has.
func (h *Handle) share(parts []Part, i int, piece Piece, n int) int {
	for k, p := range parts {
		if !slices.Contains(p.Holds, piece) && !slices.Contains(p.Accepts, piece) {
			continue
		}
		last := !slices.ContainsFunc(parts[k+1:], func(q Part) bool {
			return slices.Contains(q.Holds, piece) || slices.Contains(q.Accepts, piece)
		})
		mine := n
		if !last {
			mine = min(n, p.Store[piece]+p.Box[piece])
		}
		if k == i {
			return mine
		}
		n -= mine
	}
	return n
}
