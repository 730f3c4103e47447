package service

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"coffer/devices"
	"coffer/devices/coin"
	"coffer/devices/line"
	"coffer/devices/note"
	"coffer/devices/sim"
	"coffer/httpapi"
	"coffer/httpapi/cashdevice"
	"coffer/httpapi/nv9coin"
	"coffer/httpapi/uposapi"
	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/till"
	"coffer/service/config"
	"coffer/service/logging"
	"coffer/upos"
	"coffer/upos/machines"
)

// eventsKept is how many events the bus keeps for readers that poll: at 50 events a second some five minutes.
const eventsKept = 16384

// payoutGrace is how long running payouts may go on once coffer is told to stop (docs/architecture.md, "Stopping").
const payoutGrace = 15 * time.Second

// settings is what one run of coffer is made from.
type settings struct {
	cfg  *config.Config
	dir  string // data directory, absolute
	demo bool
	log  *logging.Logger
}

// families are the drivers, in the order in which they are asked whether a machine is theirs.
func families() []devices.Family {
	return []devices.Family{note.Family(), note.FloatFamily(), coin.Family()}
}

// app is every part of a running coffer, wired.
type app struct {
	settings
	started time.Time
	gate    gate

	world   *sim.World // nil where no line is simulated
	ledger  *ledger
	bus     *bus.Bus
	till    *till.Till
	station *devices.Station
	upos    *upos.Service
	uposAPI *uposapi.API

	mechanisms []*machines.Mechanism // behind upos
	uposEnd    sync.Once
	uposEnded  chan struct{} // closed when closeUPOS is done

	tokens    *httpapi.Tokens
	users     map[string]*httpapi.Users // by file
	logins    *httpapi.Throttle
	autoClear bool              // serverconfig.json says so for every machine
	servers   []*httpapi.Server // in the order of the configuration

	announce func() // called when everything listens
}

// build makes every part and takes the listeners' addresses, so that what cannot work says so before anything runs.
// ctx ends what runs for API callers. After an error nothing is left open.
func build(ctx context.Context, s settings) (*app, error) {
	a := &app{settings: s, started: time.Now(), logins: httpapi.NewThrottle(time.Now), announce: func() {}}
	if err := a.wire(ctx); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func (a *app) wire(ctx context.Context) error {
	if err := checkClasses(a.cfg); err != nil {
		return err
	}
	links, err := a.simulate()
	if err != nil {
		return err
	}
	used := usedBefore(a.dir)
	a.keys()
	a.bus = bus.New(eventsKept)
	if a.ledger, err = openLedger(ctx, a.dir, time.Now, a.log.WithField("part", "ledger")); err != nil {
		return err
	}
	a.ledger.used = used
	a.till = till.New(a.ledger, a.bus, a.log.WithField("part", "till"), time.Now)
	a.station = devices.NewStation(a.cfg.Lines, links, families(), a.till, a.log)
	if err := a.unifiedPOS(); err != nil {
		return err
	}
	a.gate.ledger, a.gate.health, a.gate.tried = a.ledger, a.till.Health, a.station.Tried()
	return a.listen(ctx)
}

// close gives everything back.
func (a *app) close() {
	for _, s := range a.servers {
		s.Close()
	}
	a.closeUPOS(time.Second)
	if a.ledger != nil {
		if err := a.ledger.close(); err != nil {
			a.log.WithError(err).Error("ledger did not close")
		}
	}
	if a.world != nil {
		a.world.Close()
	}
}

// keys opens the token secret. A data directory that cannot be written has the secret in memory: coffer stays up to say
// what is wrong, and takes nothing.
func (a *app) keys() {
	var err error
	if a.tokens, err = httpapi.OpenTokens(filepath.Join(a.dir, "secrets", "jwt"), time.Now); err == nil {
		return
	}
	a.log.WithError(err).Error("token secret is not on disk; tokens end with this process")
	var secret [32]byte
	_, _ = rand.Read(secret[:])
	if a.tokens, err = httpapi.NewTokens(secret[:], time.Now); err != nil {
		panic(err) // only a short secret is refused
	}
}

// simulate makes the machines of the simulated lines and returns how the line code reaches each: a pseudo-terminal
// opened by the serial library where the system has one, else a pipe in memory.
func (a *app) simulate() (map[string]line.Opener, error) {
	links := map[string]line.Opener{}
	for i, l := range a.cfg.Lines {
		if !l.Simulated() {
			continue
		}
		if a.world == nil {
			log := a.log.WithField("part", "sim")
			a.world = sim.NewWorld(func(format string, args ...any) { log.Debugf(format, args...) })
		}
		simulated, err := addLine(a.world, a.cfg, i)
		if err != nil {
			return nil, err
		}
		if links[l.Port], err = linkOf(simulated, l.Baud); err != nil {
			return nil, err
		}
	}
	return links, nil
}

// addLine adds the machines of line i of the configuration to the world. Their stock ends with the process, and so do
// they: each has a serial number of its own, by which the ledger sees that the next process has other machines. A machine
// that cannot be made so is a fault of the configuration, with its place.
func addLine(w *sim.World, cfg *config.Config, i int) (*sim.Line, error) {
	out := w.AddLine(cfg.Lines[i].Port)
	for j, d := range cfg.Lines[i].Devices {
		opt := sim.Options{Currency: string(d.Currency), Dataset: d.Dataset, Levels: d.Levels, Cassette: d.Cassette,
			Serial: 5_000_000 + mathrand.Uint32N(1_000_000)}
		if _, err := out.AddMachine(d.Address, d.Sim, opt); err != nil {
			return nil, cfg.Fault(fmt.Sprintf("lines[%d].devices[%d].sim", i, j), err)
		}
	}
	return out, nil
}

func linkOf(l *sim.Line, baud int) (line.Opener, error) {
	if runtime.GOOS != "linux" {
		return line.ConnOpener(l.Pipe()), nil
	}
	path, err := l.OpenPty()
	if err != nil {
		return nil, err
	}
	return line.SerialOpener(path, baud), nil
}

// listen makes the servers and takes their addresses.
func (a *app) listen(ctx context.Context) error {
	for _, l := range a.cfg.HTTP {
		origins, addr, err := a.makersFile(l)
		if err != nil {
			return err
		}
		router, err := a.router(ctx, l)
		if err != nil {
			return err
		}
		cert, err := a.certificate(l.TLS)
		if err != nil {
			return err
		}
		srv := httpapi.New(httpapi.Listen{
			Name: strings.Join(endpointNames(l), "+"), Addr: addr, AllowedOrigins: origins, TLS: cert, TooLarge: tooLarge(l),
		}, router, a.log)
		if err := srv.Listen(); err != nil {
			return err
		}
		a.servers = append(a.servers, srv)
	}
	return nil
}

// makersFile returns the origins and the address of a listener, after the maker's serverconfig.json had its say.
func (a *app) makersFile(l config.Listener) (origins []string, addr string, err error) {
	if l.ServerConfig == "" {
		return l.AllowedOrigins, l.Listen, nil
	}
	maker, err := config.LoadServerConfig(config.Resolve(a.dir, l.ServerConfig))
	if err != nil {
		return nil, "", err
	}
	a.autoClear = a.autoClear || maker.AutoClear
	if maker.AllowedOrigins != nil {
		l.AllowedOrigins = maker.AllowedOrigins
	}
	return l.AllowedOrigins, maker.Address(l.Listen), nil
}

// tooLarge words the 413 of a listener: that of nv9coin has a form of its own.
func tooLarge(l config.Listener) func(http.ResponseWriter, *http.Request) bool {
	if l.Serves("nv9coin") {
		return nv9coin.TooLarge
	}
	return nil
}

// userFile returns the users of a listener's Bearer APIs. Listeners that name the same file share them.
func (a *app) userFile(l config.Listener) (*httpapi.Users, error) {
	return a.usersIn(l, "users.yaml", httpapi.DefaultUser, httpapi.DefaultPassword)
}

// usersIn returns the users in the listener's own file, or in file. name and password are those of a fresh installation
// where the file is not the listener's own.
func (a *app) usersIn(l config.Listener, file, name, password string) (*httpapi.Users, error) {
	if l.UsersFile != "" {
		file = l.UsersFile
	}
	file = config.Resolve(a.dir, file)
	if u := a.users[file]; u != nil {
		return u, nil
	}
	u, err := httpapi.OpenUsersWith(file, name, password, time.Now)
	if err != nil {
		return nil, err
	}
	if a.users == nil {
		a.users = map[string]*httpapi.Users{}
	}
	a.users[file] = u
	return u, nil
}

// endpointNames are the names under which a listener stands in endpoints.json.
func endpointNames(l config.Listener) []string {
	var names []string
	for _, s := range l.Serve {
		name := "main"
		if s == "cashdevice" || s == "nv9coin" {
			name = s
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// endpoints is what endpoints.json will say: the first listener of each name.
func (a *app) endpoints() endpoints {
	e := endpoints{"pid": os.Getpid()}
	for i, l := range a.cfg.HTTP {
		for _, name := range endpointNames(l) {
			if _, taken := e[name]; !taken {
				e[name] = a.servers[i].URL()
			}
		}
	}
	return e
}

// settler lets /journal/v1 settle an operation through the till.
type settler struct{ till *till.Till }

// Settle implements journalapi.Settler.
func (s settler) Settle(ctx context.Context, actor, op string, paid cash.Counts) error {
	return s.till.Settle(ctx, till.Call{Actor: actor + " via journalapi"}, op, paid)
}

// cashDevice is what the Cash Device REST API is built on.
func (a *app) cashDevice(l config.Listener, users *httpapi.Users) cashdevice.Deps {
	return cashdevice.Deps{
		Station: a.station, Till: a.till, Bus: a.bus, Users: users, Tokens: a.tokens, Logins: a.logins,
		LogDir: filepath.Join(a.dir, "logs", "devices"), Dialect: cashdevice.Dialect(l.Dialect), AllowDefaults: a.demo, Log: a.log.WithField("part", "cashdevice"), Now: time.Now,
	}
}

// nv9Coin is what the NV9 and coin API of a listener is built on.
func (a *app) nv9Coin(l config.Listener) (nv9coin.Deps, error) {
	users, err := a.usersIn(l, "nv9coin-users.yaml", httpapi.NV9CoinUser, httpapi.NV9CoinPassword)
	if err != nil {
		return nv9coin.Deps{}, err
	}
	password, err := a.dispensePassword(l)
	if err != nil {
		return nv9coin.Deps{}, err
	}
	return nv9coin.Deps{
		Station: a.station, Notes: l.Devices[0], Coins: l.Devices[1], Till: a.till, Bus: a.bus, Ledger: a.ledger,
		Gate:     httpapi.Gate{Users: users, Logins: a.logins, AllowDefaults: a.demo},
		Password: password, Window: l.DispenseWindow, AllowReplay: l.AllowReplay, UpperMD5: l.UpperCaseMD5,
		Log: a.log.WithField("part", "nv9coin"), Now: time.Now,
	}, nil
}

// dispensePassword reads the first line of the listener's dispensing password file.
func (a *app) dispensePassword(l config.Listener) (string, error) {
	if l.DispensePasswordFile == "" {
		return nv9coin.DefaultPassword, nil
	}
	file := config.Resolve(a.dir, l.DispensePasswordFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("dispensing password: %w; write it as the first line of the file", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", fmt.Errorf("dispensing password: the first line of %s is empty", file)
	}
	if err := private(file); err != nil {
		a.log.WithError(err).Warn("others can read the dispensing password")
	}
	return line, nil
}

// actor is who asks, for the ledger.
func actor(r *http.Request) string {
	if name := httpapi.User(r.Context()); name != "" {
		return name
	}
	return "token"
}
