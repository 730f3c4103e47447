package service

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"coffer/upos"
	"coffer/upos/uposclient"
)

type uposCall struct {
	uposFlags
	Method    string   `arg:"" help:"Method, as ReadCashCounts; or get, to read the properties that follow, all if none does."`
	Args      []string `arg:"" optional:"" name:"arg" help:"Its arguments, as amount=500 or cashCounts=100:2;500:1"`
	RequestID string   `placeholder:"ID" help:"Repeats a dispense whose answer was lost: it is carried out once."`
}

// Help explains the command.
func (c *uposCall) Help() string {
	return `Opens the device, claims and enables it where the method needs that, and closes it at the end.

    coffer upos call Till1 ReadCashCounts
    coffer upos call Till1 DispenseChange amount=500
    coffer upos call Till1 DispenseCash "cashCounts=100:2;500:1"
    coffer upos call Till1 get DepositCashList CapRepayDeposit
    coffer upos call Till1 --set CurrentExit=2 DispenseCash "cashCounts=;500:1"`
}

// Run calls the method, or reads properties.
func (c *uposCall) Run(s *session) error {
	return c.with(s, func(u *uposSession) error {
		if c.Method == "get" {
			return c.get(u)
		}
		return c.call(u)
	})
}

func (c *uposCall) call(u *uposSession) error {
	m, ok := u.member(c.Method, true)
	if !ok {
		return &misuse{fmt.Sprintf("%s has no method %q; it has %s", u.handle.Class(), c.Method, methodNames(u.handle.Class())),
			"coffer upos call " + c.Name + " ReadCashCounts"}
	}
	args, err := c.arguments(m)
	if err != nil {
		return err
	}
	if err := u.assign(); err != nil {
		return err
	}
	if c.Method != "Claim" { // it is what it is about itself
		if err := u.reach(m.Access); err != nil {
			return err
		}
	}
	id := c.RequestID
	if id == "" {
		id = rand.Text()
	}
	out, err := u.handle.CallOnce(u.ctx, id, c.Method, args)
	var refused *uposclient.Error
	if err != nil && !errors.As(err, &refused) && u.ctx.Err() == nil && dispenses(c.Method) {
		return &hinted{fmt.Errorf("upos %s: the answer was lost (%w); find out with --request-id %s and the same arguments: nothing is paid twice", c.Name, err, id)}
	}
	if err == nil && c.Method == "CheckHealth" { // what was found stands in a property, which goes with the instance
		out = uposclient.Args{}
		out["CheckHealthText"], err = u.handle.Get(u.ctx, "CheckHealthText")
	}
	if err != nil {
		return err
	}
	return c.print(u, out, "done")
}

// dispenses says whether a method moves money out.
func dispenses(method string) bool {
	return method == "DispenseCash" || method == "DispenseChange" || method == "EndDeposit"
}

// methodNames lists the methods of a class.
func methodNames(class string) string {
	var names []string
	for _, m := range upos.Members(upos.Class(class)) {
		if m.Method {
			names = append(names, m.Name)
		}
	}
	return strings.Join(names, ", ")
}

// arguments reads NAME=VALUE by the types of the method. A method with one argument takes its value without the name.
func (c *uposCall) arguments(m upos.Member) (uposclient.Args, error) {
	params := slices.DeleteFunc(slices.Clone(m.Params), func(p upos.Param) bool { return p.Dir == "out" })
	args := uposclient.Args{}
	for _, one := range c.Args {
		name, text, named := strings.Cut(one, "=")
		i := slices.IndexFunc(params, func(p upos.Param) bool { return named && strings.EqualFold(p.Name, name) })
		if i < 0 && len(params) == 1 && len(c.Args) == 1 {
			i, text = 0, one
		}
		if i < 0 {
			return nil, &misuse{fmt.Sprintf("%s has no argument %q", m.Name, one), "coffer upos call " + c.Name + " " + m.Name + usage(params)}
		}
		v, err := argument(params[i].Type, text)
		if err != nil {
			return nil, &misuse{fmt.Sprintf("%s: %s", params[i].Name, err), "coffer upos call " + c.Name + " " + m.Name + usage(params)}
		}
		args[params[i].Name] = v
	}
	for _, p := range params {
		if _, given := args[p.Name]; !given && p.Dir == "in" {
			return nil, &misuse{fmt.Sprintf("%s needs %s", m.Name, p.Name), "coffer upos call " + c.Name + " " + m.Name + usage(params)}
		}
	}
	return args, nil
}

// usage shows how arguments are written.
func usage(params []upos.Param) string {
	var b strings.Builder
	for _, p := range params {
		fmt.Fprintf(&b, " %s=%s", p.Name, map[string]string{"int32": "1", "boolean": "true"}[p.Type])
	}
	return b.String()
}

// get reads properties: those that are named, in any state that they need, or all that are readable after a claim.
func (c *uposCall) get(u *uposSession) error {
	if err := u.assign(); err != nil {
		return err
	}
	if len(c.Args) == 0 {
		if err := u.reach(upos.AfterEnable); err != nil {
			return err
		}
		all, err := u.handle.Properties(u.ctx)
		if err != nil {
			return err
		}
		return c.print(u, all, "")
	}
	out := uposclient.Args{}
	for _, name := range c.Args {
		m, ok := u.member(name, false)
		if !ok {
			return u.noProperty(name)
		}
		err := u.reach(m.Access)
		if err == nil {
			out[name], err = u.handle.Get(u.ctx, name)
		}
		if err != nil {
			return err
		}
	}
	return c.print(u, out, "")
}

// print shows values by name; none is for people who would else see nothing.
func (c *uposCall) print(u *uposSession, out uposclient.Args, none string) error {
	if c.JSON {
		return u.json(out)
	}
	if len(out) == 0 && none != "" {
		u.printf("%s\n", none)
		return nil
	}
	w := tabwriter.NewWriter(u.Out, 0, 0, 2, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(out)) {
		fmt.Fprintf(w, "%s\t%v%s\n", name, out[name], meaning(u.handle.Class(), name, out[name]))
	}
	return w.Flush()
}

// meaning is the standard's name, in brackets, for the value of a property that is an enumeration.
func meaning(class, property string, v any) string {
	n, ok := v.(int32)
	name := codeName(class, property, n)
	if !ok || name == "" {
		return ""
	}
	return " (" + name + ")"
}
