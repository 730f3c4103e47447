package service

import (
	"fmt"
	"io"

	"coffer/devices/sim"
	"coffer/service/config"
	"coffer/service/logging"
	"coffer/upos"
)

// checkPlan finds what a start would find wrong with the configuration, without opening a port.
func checkPlan(cfg *config.Config, dir string) error {
	world := sim.NewWorld(nil)
	defer world.Close()
	for i, l := range cfg.Lines {
		if !l.Simulated() {
			continue
		}
		if _, err := addLine(world, cfg, i); err != nil {
			return err
		}
	}
	quiet := logging.New(logging.Config{Level: "error"}, dir, io.Discard)
	defer quiet.Close()
	if err := checkClasses(cfg); err != nil {
		return err
	}
	a := &app{settings: settings{cfg: cfg, dir: dir, log: quiet}}
	for i, l := range cfg.HTTP {
		if err := a.checkListener(l); err != nil {
			return cfg.Fault(fmt.Sprintf("http[%d]", i), err)
		}
	}
	return nil
}

// checkListener reads every file that the listener names.
func (a *app) checkListener(l config.Listener) error {
	if _, _, err := a.makersFile(l); err != nil {
		return err
	}
	if l.TLS != nil && !l.TLS.SelfSigned { // that one is made at the first start
		if _, err := a.certificate(l.TLS); err != nil {
			return err
		}
	}
	if l.Serves("nv9coin") {
		if _, err := a.dispensePassword(l); err != nil {
			return err
		}
	}
	_, err := a.userFile(l)
	return err
}

// checkClasses is checkClass of every device.
func checkClasses(cfg *config.Config) error {
	for i, d := range cfg.UPOS {
		if err := checkClass(cfg, d); err != nil {
			return cfg.Fault(fmt.Sprintf("upos[%d].class", i), err)
		}
	}
	return nil
}

// checkClass compares the class of a UnifiedPOS device with its machines, where their kind is known before they answer:
// those that are simulated. Others are compared when they answer; until then Open says E_NOSERVICE.
func checkClass(cfg *config.Config, d upos.Config) error {
	store := false
	known := true
	for _, id := range d.Devices {
		m, _ := cfg.Device(id)
		kind, ok := sim.KindOf(m.Sim)
		known = known && ok
		store = store || kind.Store
		switch {
		case !ok:
		case kind.Coins && (d.Class == upos.BillAcceptor || d.Class == upos.BillDispenser),
			!kind.Coins && (d.Class == upos.CoinAcceptor || d.Class == upos.CoinDispenser):
			return fmt.Errorf("%s is a %s, and %s is no machine for that (%s); choose another class or machine", d.Name, d.Class, id, m.Sim)
		}
	}
	if known && !store && d.Class != upos.BillAcceptor && d.Class != upos.CoinAcceptor {
		return fmt.Errorf("%s is a %s, and none of its machines has a store to pay from; choose another class or machine", d.Name, d.Class)
	}
	return nil
}
