package service

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"coffer/httpapi"
)

type userCommand struct {
	Set    userSet    `cmd:"" help:"Add a user, or change a password."`
	List   userList   `cmd:"" help:"List the users."`
	Remove userRemove `cmd:"" help:"Remove a user."`
}

// usersAt is the users file of a data directory.
type usersAt struct {
	where
	File string `name:"users-file" placeholder:"FILE" help:"Users file, below the data directory; default users.yaml."`
}

func (u usersAt) open(s *session) (*httpapi.Users, error) {
	dir, _, err := u.dir(s)
	if err != nil {
		return nil, err
	}
	file := u.File
	if file == "" {
		file = "users.yaml"
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	return httpapi.OpenUsers(file, time.Now)
}

type userSet struct {
	usersAt
	Name         string `arg:"" help:"Login name."`
	PasswordFile string `placeholder:"FILE" help:"Take the password from the first line of a file; else the terminal asks."`
}

// Run sets a password.
func (c *userSet) Run(s *session) error {
	password, err := c.password(s)
	if err != nil {
		return err
	}
	users, err := c.open(s)
	if err != nil {
		return err
	}
	if err := users.Set(c.Name, password); err != nil {
		return fmt.Errorf("user set: %w", err)
	}
	s.printf("user %s set\n", c.Name)
	return nil
}

func (c *userSet) password(s *session) (string, error) {
	if c.PasswordFile != "" {
		b, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("user set: password file: %w", err)
		}
		line, _, _ := strings.Cut(string(b), "\n")
		return strings.TrimSuffix(line, "\r"), nil
	}
	in, ok := s.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		line, err := bufio.NewReader(s.In).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	first, err := ask(s, in, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := ask(s, in, "Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("user set: the two passwords differ; nothing was changed")
	}
	return first, nil
}

// ask reads one line from the terminal without showing it.
func ask(s *session, in *os.File, prompt string) (string, error) {
	fmt.Fprint(s.Err, prompt)
	b, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(s.Err)
	return string(b), err
}

type userList struct {
	usersAt
	JSON bool `name:"json" help:"For programs."`
}

// Run lists the users.
func (c *userList) Run(s *session) error {
	users, err := c.open(s)
	if err != nil {
		return err
	}
	names, err := users.List()
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(map[string][]string{"users": names})
	}
	for _, n := range names {
		s.printf("%s\n", n)
	}
	return nil
}

type userRemove struct {
	usersAt
	Name string `arg:"" help:"Login name."`
}

// Run removes a user.
func (c *userRemove) Run(s *session) error {
	users, err := c.open(s)
	if err != nil {
		return err
	}
	if err := users.Remove(c.Name); err != nil {
		return fmt.Errorf("user remove: %w", err)
	}
	s.printf("user %s removed\n", c.Name)
	return nil
}
