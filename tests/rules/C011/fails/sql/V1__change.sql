\i tables.sql
