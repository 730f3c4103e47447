package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// The exit codes of the program.
const (
	exitDone   = 0
	exitFailed = 1
	exitMisuse = 2
)

// Stdio is what a command reads and writes, and the environment it sees.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
	Env      func(name string) (string, bool)
}

// System is the Stdio of the process.
func System() Stdio { return Stdio{os.Stdin, os.Stdout, os.Stderr, os.LookupEnv} }

// commands is the command line: noun, then verb.
type commands struct {
	Run     runCommand     `cmd:"" help:"Run in the foreground; --demo with simulated machines."`
	Service serviceCommand `cmd:"" help:"Install and control the operating system's service."`
	Config  configCommand  `cmd:"" help:"Check, write or show the configuration."`
	Device  deviceCommand  `cmd:"" help:"Look at the machines of the running coffer."`
	Sim     simCommand     `cmd:"" help:"Play with simulated machines, or host them."`
	Journal journalCommand `cmd:"" help:"Verify, export and balance the ledger; settle an open operation."`
	Upos    uposCommand    `cmd:"" help:"Work the UnifiedPOS devices of the running coffer by hand."`
	User    userCommand    `cmd:"" help:"Manage who may sign in."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// misuse is a command line that cannot be meant: exit 2, with a line to try.
type misuse struct {
	reason string
	try    string
}

func (m *misuse) Error() string { return m.reason + "; try: " + m.try }

// session is one run of the program. Commands get it as the argument of Run.
type session struct {
	Stdio
	ctx context.Context
}

// printf writes to standard output.
func (s *session) printf(format string, args ...any) { fmt.Fprintf(s.Out, format, args...) }

// Main runs the command line args and returns the exit code: 0 done, 1 failed, 2 misused. Errors go to std.Err as one
// line that says what failed, why, and what to do. ctx ends a command early; a signal does it in the program.
func Main(ctx context.Context, args []string, std Stdio) int {
	err := execute(&session{std, ctx}, args)
	var wrong *misuse
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		fmt.Fprintln(std.Err, "coffer:", oneLine(err))
		return exitMisuse
	default:
		fmt.Fprintln(std.Err, "coffer:", oneLine(err))
		return exitFailed
	}
}

func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

func execute(s *session, args []string) error {
	helped := false
	parser, err := kong.New(&commands{},
		kong.Name("coffer"),
		kong.Description("Drives the cash machines of a till and never loses track of money."),
		kong.Writers(s.Out, s.Err),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return err
	}
	kctx, err := parser.Parse(args)
	switch {
	case helped:
		return nil
	case err != nil:
		return &misuse{err.Error(), helpLine(err)}
	}
	return kctx.Run(s)
}

// helpLine is the help of the deepest command that the arguments named.
func helpLine(err error) string {
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context != nil {
		if node := p.Context.Selected(); node != nil {
			return node.FullPath() + " --help"
		}
		path := []string{"coffer"}
		for _, step := range p.Context.Path {
			if step.Command != nil {
				path = append(path, step.Command.Name)
			}
		}
		return strings.Join(path, " ") + " --help"
	}
	return "coffer --help"
}
