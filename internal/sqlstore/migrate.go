package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// ErrVersion: the tables are of another version of coffer than this program.
var ErrVersion = errors.New("the database belongs to another version of coffer")

// ErrEmpty: the file is a database in which coffer has written nothing yet, or whose content was lost.
var ErrEmpty = errors.New("the database is empty: restore a backup, or start coffer, which begins a new one in it")

// migrate brings the tables of db to the newest form in migrations, and says whether there were none before.
func migrate(ctx context.Context, db *sql.DB, migrations fs.FS) (made bool, err error) {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return false, err
	}
	has, wants, err := p.GetVersions(ctx)
	if err != nil {
		return false, err
	}
	if has > wants {
		return false, newer(has, wants)
	}
	_, err = p.Up(ctx)
	return has == 0, err
}

// checkVersion says whether a file that may only be read has the tables of migrations.
func checkVersion(ctx context.Context, db *sql.DB, migrations fs.FS) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	var wants int64
	for _, s := range p.ListSources() {
		wants = max(wants, s.Version)
	}
	var tables int
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = $1", goose.DefaultTablename).Scan(&tables)
	if err != nil {
		return err
	}
	if tables == 0 {
		return ErrEmpty
	}
	var has int64
	err = db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+goose.DefaultTablename).Scan(&has)
	switch {
	case err != nil:
		return err
	case has > wants:
		return newer(has, wants)
	case has < wants:
		return fmt.Errorf("%w: its tables are version %d, this program needs %d: run this coffer once to bring it up to date",
			ErrVersion, has, wants)
	}
	return nil
}

func newer(has, wants int64) error {
	return fmt.Errorf("%w: its tables are version %d, this program knows %d: install the newer coffer again",
		ErrVersion, has, wants)
}
