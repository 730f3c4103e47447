// Package logging sets up the one logger of the process: text for people on the standard error stream, JSON in a file that
// rotates, and a wire trace a device for support cases. Fields that hold secrets print as ***.
package logging
