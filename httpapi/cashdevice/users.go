package cashdevice

import (
	"errors"
	"strconv"

	"coffer/httpapi"
	"coffer/internal/cash"
)

// authenticate: POST /api/Users/Authenticate {"Username","Password"} → {"token"}. The manual prints that one body for both
// builds, and its collection reads that name: the android dialect has it beside its own "Token".
func (c *call) authenticate() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	name, password := in.text("Username"), in.text("Password")
	if err := in.err(); err != nil {
		return nil, err
	}
	err = c.api.gate.Login(c.r, name, password)
	if err == nil {
		token, err := c.api.tokens.Issue(name)
		return c.either(object{{"token", token}}), err
	}
	if wait := new(httpapi.WaitError); errors.As(err, &wait) {
		c.header.Set("Retry-After", strconv.Itoa(wait.Seconds()))
		return nil, &refusal{status: 429, body: object{{"message", wait.Error()}}, err: err}
	}
	if errors.Is(err, cash.ErrUnauthorized) {
		c.api.log.WithError(err).WithField("remote", c.r.RemoteAddr).Info("login refused")
		return nil, &refusal{status: 400, body: c.either(object{{"message", "Username or password is incorrect"}}), err: err}
	}
	return nil, err
}

// updateCredentials: POST /api/Users/UpdateCredentials with the current and the new pair.
func (c *call) updateCredentials() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	name, password := in.text("CurrentUsername"), in.text("CurrentPassword")
	newName, newPassword := in.text("NewUsername"), in.text("NewPassword")
	if err := in.err(); err != nil {
		return nil, err
	}
	err = c.api.gate.Login(c.r, name, password)
	if wait := new(httpapi.WaitError); errors.As(err, &wait) {
		c.header.Set("Retry-After", strconv.Itoa(wait.Seconds()))
		return nil, &refusal{status: 429, body: object{{"message", wait.Error()}}, err: err}
	}
	if err == nil {
		err = c.api.gate.Users.UpdateCredentials(c.ctx, name, password, newName, newPassword)
	}
	if errors.Is(err, cash.ErrUnauthorized) { // also where somebody else has replaced them meanwhile
		return nil, &refusal{status: 400, body: "Incorrect current username or password!", err: err}
	}
	if errors.Is(err, cash.ErrInvalid) {
		return nil, fault("NewUsername", "A new user name, free to take, and a new password are required.")
	}
	return c.either(object{{"message", "Credentials updated successfully!"}}), err
}
