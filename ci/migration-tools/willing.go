package main

import (
	"context"
	"database/sql/driver"
	"io"
)

// A database that takes everything and holds nothing, and counts transactions.
type willing struct{}

var transactions int

func (willing) Connect(context.Context) (driver.Conn, error) { return willing{}, nil }
func (willing) Driver() driver.Driver                        { return willing{} }
func (willing) Open(string) (driver.Conn, error)             { return willing{}, nil }
func (willing) Prepare(string) (driver.Stmt, error)          { return willing{}, nil }
func (willing) Close() error                                 { return nil }
func (willing) Begin() (driver.Tx, error)                    { transactions++; return willing{}, nil }
func (willing) Commit() error                                { return nil }
func (willing) Rollback() error                              { return nil }
func (willing) NumInput() int                                { return -1 }
func (willing) Exec([]driver.Value) (driver.Result, error)   { return driver.RowsAffected(1), nil }
func (willing) Query([]driver.Value) (driver.Rows, error)    { return willing{}, nil }
func (willing) Columns() []string                            { return []string{"nothing"} }
func (willing) Next([]driver.Value) error                    { return io.EOF }
