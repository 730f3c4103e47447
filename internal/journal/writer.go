package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"coffer/internal/cash"
)

// maxGroup is how many waiting writes may share one commit.
const maxGroup = 128

// job is one caller's part of a transaction.
type job struct {
	// run writes the part. It checks everything that it may refuse before its first change: a refusal (any error for
	// which refused is set) leaves the others' parts of the same transaction alone.
	run   func(*batch) error
	quiet bool // no ledger content: not counted by killpoint
	done  chan error

	refused error
}

// batch is a transaction under way.
type batch struct {
	ctx   context.Context
	tx    *sql.Tx
	stmts *statements

	at      time.Time // of the running job
	seq     int64     // last row
	hash    string    // its hash
	rows    []cash.Entry
	changed bool // anything to commit
	loud    bool // any ledger content to commit
}

// refusal is an error of a job that has changed nothing.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// submit hands one job to the writer and waits until it is on the disk. ctx counts until the writer takes the job, and
// never after: then only the disk knows.
func (j *Journal) submit(ctx context.Context, jb *job) error {
	if err := ctx.Err(); err != nil {
		return fail("nothing was written", err)
	}
	jb.done = make(chan error, 1)
	select {
	case j.jobs <- jb:
		return <-jb.done
	case <-ctx.Done():
		return fail("nothing was written", ctx.Err())
	case <-j.closing:
		return errClosed
	}
}

// writer is the goroutine that alone writes.
func (j *Journal) writer() {
	defer close(j.ended)
	for {
		select {
		case first := <-j.jobs:
			j.handle(j.gather(first))
		case <-j.closing:
			return
		}
	}
}

// gather adds to first whoever waits right now.
func (j *Journal) gather(first *job) []*job {
	group := []*job{first}
	for len(group) < maxGroup {
		select {
		case jb := <-j.jobs:
			group = append(group, jb)
		default:
			return group
		}
	}
	return group
}

// handle commits a group and answers its callers. If that is impossible for the whole group it tries one by one, since
// a small write may fit where a large one did not.
func (j *Journal) handle(group []*job) {
	rows, err := j.transact(group)
	if err != nil && len(group) > 1 {
		for _, jb := range group {
			j.handle([]*job{jb})
		}
		return
	}
	if err == nil {
		j.subs.publish(rows)
	}
	for _, jb := range group {
		if err == nil {
			jb.done <- jb.refused
		} else {
			jb.done <- err
		}
	}
}

// transact runs a group in one transaction and returns when it is on the disk, or with an error when none of it is.
func (j *Journal) transact(group []*job) (rows []cash.Entry, err error) {
	if err := j.db.Present(); err != nil {
		return nil, fail("write", err)
	}
	ctx := context.Background() // whoever waits for this no longer decides
	tx, err := j.db.W.BeginTx(ctx, nil)
	if err != nil {
		j.db.Renew(ctx)
		return nil, fail("write", err)
	}
	b := &batch{ctx: ctx, tx: tx, stmts: j.stmts}
	if err = j.run(b, group); err == nil && b.changed {
		err = b.commit()
	} else {
		err = errors.Join(err, tx.Rollback())
	}
	if err != nil {
		j.db.Renew(ctx)
		return nil, fail("write", err)
	}
	return b.rows, nil
}

// run writes the parts of all jobs and the new end of the chain.
func (j *Journal) run(b *batch, group []*job) error {
	if err := b.readHead(); err != nil {
		return err
	}
	for _, jb := range group {
		jb.refused, b.at = nil, stamp(j.now())
		var no refusal
		switch err := jb.run(b); {
		case errors.As(err, &no):
			jb.refused = no.error
		case err != nil:
			return err
		default:
			b.changed = true
			b.loud = b.loud || !jb.quiet
		}
	}
	if len(b.rows) == 0 {
		return nil
	}
	return b.exec(b.stmts.setHead, b.seq, b.hash)
}

func (b *batch) commit() error {
	if b.loud {
		killpoint("journal")
	}
	if err := b.tx.Commit(); err != nil {
		return errors.Join(err, ignoreDone(b.tx.Rollback()))
	}
	if b.loud {
		killpoint("journal")
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func (b *batch) exec(stmt *sql.Stmt, args ...any) error {
	_, err := b.tx.StmtContext(b.ctx, stmt).ExecContext(b.ctx, args...)
	return err
}

func (b *batch) queryRow(stmt *sql.Stmt, args ...any) *sql.Row {
	return b.tx.StmtContext(b.ctx, stmt).QueryRowContext(b.ctx, args...)
}

// readHead takes up the chain where it ends.
func (b *batch) readHead() error {
	err := b.queryRow(b.stmts.head).Scan(&b.seq, &b.hash)
	if errors.Is(err, sql.ErrNoRows) {
		b.seq, b.hash, err = 0, Genesis, nil
	}
	return err
}

// add writes one row of the ledger and what it does to the balance.
func (b *batch) add(l cash.Line) error {
	b.seq++
	at := formatTime(b.at)
	b.hash = hashRow(b.hash, b.seq, at, l)
	err := b.exec(b.stmts.line, b.seq, at, string(l.Device), l.Op, string(l.Kind), l.Value, string(l.Currency), l.Count,
		string(l.From), string(l.To), l.Detail, b.hash)
	if err != nil {
		return err
	}
	b.rows = append(b.rows, cash.Entry{Seq: b.seq, At: b.at, Line: l, Hash: b.hash})
	if l.Value == 0 {
		return nil
	}
	for _, leg := range [...]struct {
		place cash.Place
		count int
	}{{l.From, -l.Count}, {l.To, l.Count}} {
		if !counted(leg.place) {
			continue
		}
		if err := b.exec(b.stmts.balance, string(l.Device), string(leg.place), l.Value, string(l.Currency), leg.count); err != nil {
			return err
		}
	}
	return nil
}

// counted says whether what is in a place belongs to the balance.
func counted(p cash.Place) bool { return p == cash.Payout || p == cash.Cashbox || p == cash.Escrow }

// probe writes a mark that is no row of the ledger.
func (b *batch) probe() error { return b.exec(b.stmts.probe, formatTime(b.at)) }
