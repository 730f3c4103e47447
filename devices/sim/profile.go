package sim

import (
	"cmp"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"coffer/ssp"

	"github.com/goccy/go-yaml"
)

//go:embed profiles/*.yaml
var profileFiles embed.FS

// profile is what makes a machine one of its model: a file of profiles/, with what it extends filled in.
type profile struct {
	Name          string             `yaml:"name"`
	Extends       string             `yaml:"extends"`         // another profile whose values hold where this one says nothing
	Family        string             `yaml:"family"`          // note or coin: how its mechanics work
	Recyclers     int                `yaml:"recyclers"`       // parts of equal size that the payout store is divided into; 0: it is one
	UnitType      byte               `yaml:"unit_type"`       // ssp.md 6.1
	Firmware      string             `yaml:"firmware"`        // 16 characters
	Version       string             `yaml:"version"`         // four digits of the setup reply
	Dataset       string             `yaml:"dataset"`         // what follows the currency in the dataset's name
	Denominations map[string][]int64 `yaml:"denominations"`   // by currency, minor units, rising
	Commands      string             `yaml:"commands"`        // hex codes, added to those of Extends
	Without       string             `yaml:"without"`         // hex codes, taken away
	Counters      string             `yaml:"counters"`        // layout of GET COUNTERS; left out: the family's
	Encryption    string             `yaml:"encryption"`      // required or optional, for commands that move money
	Store         int                `yaml:"store"`           // pieces that the payout store holds; 0: there is none
	Reels         int                `yaml:"reels"`           // denominations that the store takes at a time; 0: all
	Feeder        int                `yaml:"feeder"`          // pieces that may wait before the path
	Modules       map[byte]uint32    `yaml:"modules"`         // module byte of GET SERIAL NUMBER → offset to the serial number
	Revisions     []revision         `yaml:"revisions"`       // GET BUILD REVISION
	Download      byte               `yaml:"download"`        // kind of machine in the header of download files; 0: takes none
	Highest       byte               `yaml:"highest_version"` // of the protocol; 0: 8
	Card          []dataset          `yaml:"card"`            // datasets on the card of a Smart Currency validator
	Features      []string           `yaml:"features"`        // see has

	commands map[ssp.Command]bool
}

type revision struct {
	Module byte `yaml:"module"`
	Major  byte `yaml:"major"`
	Minor  byte `yaml:"minor"`
}

const (
	familyNote = "note"
	familyCoin = "coin"
)

// Features of profiles.
const (
	featureCassette    = "cassette"       // recyclers, a replenishment cassette, and their expansion commands E0
	featureBezelLight  = "bezel_light"    // CONFIGURE BEZEL works
	featureBarcode     = "barcode"        // reads tickets
	featureRefill      = "refill"         // refill mode, expansion command 05 81 10
	featureFloat       = "float"          // the store is a note float: one pile of one recycled denomination, paid from the top
	featureServiceBook = "service_book"   // of a note machine: notes, jams and services, expansion commands E0 20 to 22
	featureSmart       = "smart_currency" // several datasets on a card
	featureFeeder      = "feeder"         // a feeder draws coins in, and says so while it runs
	featureCoinMech    = "coin_mech"      // a coin mech is attached, which takes them one by one
	featureTwin        = "twin"           // two hoppers behind a sorter, expansion commands 05 85 to 05 88
	featureLifter      = "lifter"         // expansion command E0 11, event 9F
	featureBooks       = "books"          // a coin machine's books of itself, expansion commands E0 12 to 19, 21 and 22
)

func (p *profile) has(feature string) bool { return slices.Contains(p.Features, feature) }

// counters names the layout of GET COUNTERS.
func (p *profile) counters() string { return cmp.Or(p.Counters, p.Family) }

// Profiles lists the names that AddMachine takes, in alphabetical order.
func Profiles() []string {
	all, _ := profiles()
	names := make([]string, 0, len(all))
	for n := range all {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Kind is what sort of machine a profile describes.
type Kind struct {
	Coins bool // else notes
	Store bool // it can pay
}

// KindOf returns the kind of a profile's machines, false for a name that is no profile.
func KindOf(profileName string) (Kind, bool) {
	p, err := findProfile(profileName)
	if err != nil {
		return Kind{}, false
	}
	return Kind{Coins: p.Family == familyCoin, Store: p.Store > 0}, true
}

// DownloadKind returns the kind of machine that a profile's download files name in their header, 0 if it takes none.
func DownloadKind(profileName string) byte {
	all, _ := profiles()
	if p := all[profileName]; p != nil {
		return p.Download
	}
	return 0
}

func findProfile(name string) (*profile, error) {
	all, err := profiles()
	if err != nil {
		return nil, err
	}
	p := all[name]
	if p == nil {
		return nil, fmt.Errorf("%w: no profile %q; there are %s", ErrInvalid, name, strings.Join(Profiles(), ", "))
	}
	return p, nil
}

// profiles reads the embedded files once.
var profiles = sync.OnceValues(func() (map[string]*profile, error) {
	files, err := profileFiles.ReadDir("profiles")
	if err != nil {
		return nil, err
	}
	raw := map[string][]byte{}
	for _, f := range files {
		b, err := profileFiles.ReadFile(path.Join("profiles", f.Name()))
		if err != nil {
			return nil, err
		}
		raw[strings.TrimSuffix(f.Name(), ".yaml")] = b
	}
	all := map[string]*profile{}
	for name := range raw {
		p, err := loadProfile(raw, name, len(raw))
		if err != nil {
			return nil, fmt.Errorf("profile %s: %w", name, err)
		}
		all[name] = p
	}
	return all, nil
})

// loadProfile reads a profile over the one it extends. depth bounds the chain.
func loadProfile(raw map[string][]byte, name string, depth int) (*profile, error) {
	b, ok := raw[name]
	if !ok || depth == 0 {
		return nil, fmt.Errorf("%w: extends %q without end or a file", ErrInvalid, name)
	}
	var head struct {
		Extends string `yaml:"extends"`
	}
	if err := yaml.Unmarshal(b, &head); err != nil {
		return nil, err
	}
	p := &profile{commands: map[ssp.Command]bool{}}
	if head.Extends != "" {
		base, err := loadProfile(raw, head.Extends, depth-1)
		if err != nil {
			return nil, err
		}
		p = base
	}
	p.Commands, p.Without = "", ""
	if err := yaml.UnmarshalWithOptions(b, p, yaml.DisallowUnknownField()); err != nil {
		return nil, err
	}
	for list, on := range map[string]bool{p.Commands: true, p.Without: false} {
		codes, err := hex.DecodeString(strings.Join(strings.Fields(list), ""))
		if err != nil {
			return nil, fmt.Errorf("%w: commands %q", ErrInvalid, list)
		}
		for _, c := range codes {
			p.commands[ssp.Command(c)] = on
		}
	}
	p.commands[ssp.CmdProgram] = p.Download != 0
	return p, p.check(name)
}

func (p *profile) check(name string) error {
	switch {
	case p.Name != name:
		return fmt.Errorf("%w: its name is %q", ErrInvalid, p.Name)
	case p.Family != familyNote && p.Family != familyCoin:
		return fmt.Errorf("%w: family %q", ErrInvalid, p.Family)
	case counterOrder[p.counters()] == nil:
		return fmt.Errorf("%w: counters %q", ErrInvalid, p.Counters)
	case p.Encryption != "required" && p.Encryption != "optional":
		return fmt.Errorf("%w: encryption %q", ErrInvalid, p.Encryption)
	case p.Recyclers < 0 || p.Recyclers > 0 && p.Store%p.Recyclers != 0:
		return fmt.Errorf("%w: a store of %d does not divide into %d recyclers", ErrInvalid, p.Store, p.Recyclers)
	case len(p.Firmware) != 16 || len(p.Version) != 4 || len(p.Dataset) != 5:
		return fmt.Errorf("%w: firmware has 16 characters, version 4, dataset 5", ErrInvalid)
	case p.Feeder < 1 || p.Store < 0 || p.Reels < 0 || len(p.Denominations) == 0:
		return fmt.Errorf("%w: feeder, store, reels or denominations", ErrInvalid)
	}
	for c, on := range p.commands {
		if on && commands[c] == nil {
			return fmt.Errorf("%w: command %v has no handler", ErrInvalid, c)
		}
	}
	return nil
}
