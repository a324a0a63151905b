#!/usr/bin/env bash
# Measures the processor time of shipway check over 10,000 scripts (50 MB) and over one script of 200 MB. usage: ci/bench/sql.sh SHIPWAY
# One processor, nothing to compare with, no network. For people to read: nothing fails here.
set -euo pipefail
shipway=$(realpath "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/shipway-bench-sql.XXXXXX")
trap 'rm -rf "$work"' EXIT

rows() { # rows BYTES: INSERT statements of about that size
    awk -v bytes="$1" 'BEGIN {
        srand(7)
        while (written < bytes) {
            line = sprintf("INSERT INTO readings (id, sensor, value) VALUES (%d, %cboiler-%03d%c, %.4f);", ++id, 39, 1000 * rand(), 39, 100 * rand())
            print line
            written += length(line) + 1
        }
    }'
}
for folder in many one; do
    mkdir -p "$work/$folder/sql"
    printf '[project]\nname = "bench"\n[migrations]\nscripts = "sql"\n[runner]\nprofile = "flyway"\n[check]\nagainst = "none"\ndatabase = "postgresql"\n' \
        >"$work/$folder/shipway.toml"
done
rows 2500 >"$work/rows"
for number in $(seq 10000); do
    {
        echo "CREATE TABLE t$number (id bigserial PRIMARY KEY, name text NOT NULL); -- see ticket $number"
        for column in $(seq 30); do echo "ALTER TABLE t$number ADD COLUMN c$column integer; -- what the reports need"; done
        cat "$work/rows"
    } >"$work/many/sql/V${number}__table.sql"
done
rows 200000000 >"$work/one/sql/V1__rows.sql"
for folder in many one; do
    du -sb "$work/$folder/sql"
    (cd "$work/$folder" && /usr/bin/time -f "$folder: %U s user, %S s system, %M KB" taskset -c 0 "$shipway" check >/dev/null) || true
done
