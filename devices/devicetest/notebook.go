package devicetest

import (
	"slices"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// lifeModule is the module of an NV4000 with the counts of its whole life.
const lifeModule = 5

// noteBook: a note machine counts notes and jams, and a service begins the counts anew.
func noteBook(b *bench) {
	d := b.dev.(devices.Servicer)
	if model := b.dev.Snapshot().Model; !b.hasPayout() && model != modelSmart || b.float() {
		_, err := d.ServiceInformation(b.ctx(), 1)
		b.is(err, cash.ErrUnsupported)
		b.is(d.SetMaintenanceReset(b.ctx(), 7, 25), cash.ErrUnsupported)
		return
	}
	page := func(sub byte, want ...uint32) {
		b.Helper()
		if got, err := d.ServiceInformation(b.ctx(), sub); err != nil || !slices.Equal(got, want) {
			b.Errorf("page %d: %v, %v; want %v", sub, got, err, want)
		}
	}
	_, err := d.ServiceInformation(b.ctx(), 5)
	b.is(err, cash.ErrInvalid)
	b.is(d.SetMaintenanceReset(b.ctx(), 0, 25), cash.ErrInvalid)
	b.is(d.SetMaintenanceReset(b.ctx(), 7, 100), cash.ErrInvalid)

	b.accept()
	b.went(b.insert(500, 1), b.stores(500))
	if _, err := b.Machine.Insert(sim.Insert{Unreadable: true}); err != nil {
		b.Fatal(err)
	}
	b.event("NoteRejected")
	b.rest()
	b.fault(sim.Fault{Kind: sim.FaultJam})
	page(4, 1)
	b.fault(sim.Fault{Kind: sim.FaultUnjam})
	b.went(b.insert(500, 1), b.stores(500))
	b.rest()
	page(0, 0)
	page(1, 3, 3, 3, 1)
	page(2, 2, 2, 2)
	page(3, 1, 1, 1)
	page(4, 0)

	b.ok(d.SetMaintenanceReset(b.ctx(), 7, 25))
	page(0, 2507)
	page(1, 0, 3, 3, 1)
	page(2, 0, 2, 2)
	page(3, 0, 1, 1)

	life, err := d.ModuleServiceInformation(b.ctx(), lifeModule, 0)
	if b.dev.Snapshot().Model != modelNV4000 {
		b.is(err, cash.ErrInvalid)
		return
	}
	if err != nil || !slices.Equal(life, []uint32{3, 1, 0}) {
		b.Errorf("life %v, %v", life, err)
	}
	_, err = d.ModuleServiceInformation(b.ctx(), 4, 0)
	b.is(err, cash.ErrInvalid)
}

// realNoteBook: without bytes that are known nobody reads the book.
func realNoteBook(b *bench) {
	d := b.dev.(devices.Servicer)
	_, err := d.ServiceInformation(b.ctx(), 1)
	b.is(err, cash.ErrUnsupported)
	_, err = d.ModuleServiceInformation(b.ctx(), lifeModule, 0)
	b.is(err, cash.ErrUnsupported)
	b.is(d.SetMaintenanceReset(b.ctx(), 7, 25), cash.ErrUnsupported)
}
