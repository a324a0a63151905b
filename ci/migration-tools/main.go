// Asks golang-migrate, goose and Atlas themselves what they make of folders of migrations.
//
// Reads the paths of folders, one a line; writes what each tool says about each, one line of JSON a folder.
package main

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"ariga.io/atlas/sql/migrate"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/pressly/goose/v3"
)

// What a tool says about a folder: its steps, or why it refuses it.
type answer struct {
	Steps   []step `json:"steps"`
	Refused string `json:"refused"`
}

type step struct {
	File    string `json:"file"`
	Version string `json:"version"`
	Down    bool   `json:"down"`
}

type answers struct {
	GolangMigrate answer `json:"golang-migrate"`
	Goose         answer `json:"goose"`
	// What goose's reader says about each file that is a step, when it refuses it.
	GooseScripts map[string]string `json:"gooseScripts"`
	Atlas        answer            `json:"atlas"`
	// The atlas.sum that Atlas would write, and what it says of the one that is there.
	AtlasSum   string `json:"atlasSum"`
	AtlasValid string `json:"atlasValid"`
}

var database *sql.DB

func main() {
	goose.SetLogger(goose.NopLogger())
	if err := goose.SetDialect("sqlite3"); err != nil {
		panic(err)
	}
	database = sql.OpenDB(willing{})
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		folder := lines.Text()
		var all answers
		all.GolangMigrate = golangMigrate(folder)
		all.Goose, all.GooseScripts = gooseOf(folder)
		all.Atlas, all.AtlasSum, all.AtlasValid = atlas(folder)
		if err := out.Encode(all); err != nil {
			panic(err)
		}
	}
}

// What golang-migrate reads from a folder, version by version.
func golangMigrate(folder string) answer {
	source, err := iofs.New(os.DirFS(folder), ".")
	if err != nil {
		return answer{Refused: err.Error()}
	}
	var found answer
	version, err := source.First()
	for err == nil {
		if file, _, missing := source.ReadUp(version); missing == nil {
			found.Steps = append(found.Steps, step{File: name(file), Version: strconv.FormatUint(uint64(version), 10)})
		}
		if file, _, missing := source.ReadDown(version); missing == nil {
			found.Steps = append(found.Steps, step{File: name(file), Version: strconv.FormatUint(uint64(version), 10), Down: true})
		}
		version, err = source.Next(version)
	}
	return found
}

// The name of a file that was opened.
func name(file io.ReadCloser) string {
	defer file.Close()
	info, err := file.(fs.File).Stat()
	if err != nil {
		panic(err)
	}
	return info.Name()
}

// What goose's command reads from a folder, and what it says when it runs each file on a database that takes everything.
func gooseOf(folder string) (found answer, scripts map[string]string) {
	// Versions that are there twice make it panic.
	defer func() {
		if why := recover(); why != nil {
			found = answer{Refused: fmt.Sprint(why)}
		}
	}()
	scripts = map[string]string{}
	migrations, err := goose.CollectMigrations(folder, 0, math.MaxInt64)
	if err != nil && !errors.Is(err, goose.ErrNoMigrationFiles) {
		return answer{Refused: err.Error()}, scripts
	}
	for _, migration := range migrations {
		file := filepath.Base(migration.Source)
		found.Steps = append(found.Steps, step{File: file, Version: strconv.FormatInt(migration.Version, 10)})
		transactions = 0
		if err := migration.Up(database); err != nil {
			scripts[file] = err.Error()
		} else if transactions == 0 {
			scripts[file] = "no transaction"
		}
	}
	return found, scripts
}

// What Atlas reads from a folder.
func atlas(folder string) (found answer, sum string, valid string) {
	directory, err := migrate.NewLocalDir(folder)
	if err != nil {
		return answer{Refused: err.Error()}, "", ""
	}
	files, err := directory.Files()
	if err != nil {
		return answer{Refused: err.Error()}, "", ""
	}
	for _, file := range files {
		found.Steps = append(found.Steps, step{File: file.Name(), Version: file.Version()})
	}
	hashes, err := directory.Checksum()
	if err != nil {
		panic(err)
	}
	text, err := hashes.MarshalText()
	if err != nil {
		panic(err)
	}
	if err := migrate.Validate(directory); err != nil {
		valid = err.Error()
	}
	return found, string(text), valid
}
