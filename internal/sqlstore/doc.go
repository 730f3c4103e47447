// Package sqlstore opens the databases that coffer writes: where the file is, how durable a commit is, how its tables
// come to the present form.
//
// A SQLite file is opened in WAL mode with synchronous=FULL, so that a commit that returned is on the disk. One
// connection writes, a small pool reads beside it. Tables are made and changed by numbered SQL files that the caller
// embeds. Nothing here logs.
package sqlstore
