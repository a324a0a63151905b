#!/usr/bin/env bash
# Makes the zip of the function: the released program under the name bootstrap. usage: ci/lambda.sh FILE.zip [x86_64|arm64]
#
# The same program gives the same zip. For arm64, Rust's target aarch64-unknown-linux-gnu or -musl and a C compiler for it must be installed.
set -euo pipefail
if [ $# -lt 1 ] || [ $# -gt 2 ]; then sed -n "2s/^# //p" "$0" >&2; exit 2; fi
case $1 in
    *.zip) file=$(realpath -m "$1") ;;
    *) echo "$1: name a file that ends with .zip" >&2; exit 2 ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The newest C library in Amazon Linux 2023, on which the runtime provided.al2023 stands.
newest_glibc=2.34

case ${2:-x86_64} in
    x86_64) targets="x86_64-unknown-linux-gnu x86_64-unknown-linux-musl" ;;
    arm64) targets="aarch64-unknown-linux-gnu aarch64-unknown-linux-musl" ;;
    *) echo "$2: there are x86_64 and arm64" >&2; exit 2 ;;
esac

target=""
host=$(rustc -vV | sed -n 's/^host: //p')
sysroot=$(rustc --print sysroot)
for each in $targets; do
    if [ "$each" = "$host" ] || [ -d "$sysroot/lib/rustlib/$each/lib" ]; then target=$each && break; fi
done
[ -n "$target" ] || { echo "no Rust target for ${2:-x86_64} is installed; one of: $targets (rustup target add)" >&2; exit 1; }

program=${SHIPWAY_PROGRAM:-}
if [ -z "$program" ]; then
    cargo build --locked --release --target "$target"
    folder=$(cargo metadata --format-version 1 --locked --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
    program=$folder/$target/release/shipway
fi

# A program that brings its C library runs on any; another one must not want a newer one than there is.
if ! file -L "$program" | grep -Eq 'statically linked|static-pie linked'; then
    wanted=$(objdump -T "$program" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -n 1)
    if [ "$(printf '%s\n%s\n' "${wanted:-0}" "$newest_glibc" | sort -V | tail -n 1)" != "$newest_glibc" ]; then
        echo "$program wants glibc $wanted, and the runtime has $newest_glibc" >&2
        exit 1
    fi
fi

python3 - "$program" "$file" <<'PYTHON'
import os, sys, zipfile

program, file = sys.argv[1:]
entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
entry.create_system = 3  # Unix, whose modes are kept
entry.external_attr = 0o100755 << 16
entry.compress_type = zipfile.ZIP_DEFLATED
with open(program, "rb") as source, zipfile.ZipFile(file + ".new", "w") as target:
    target.writestr(entry, source.read(), compresslevel=9)
os.replace(file + ".new", file)
PYTHON
ls -l "$file"
