#!/usr/bin/env bash
# Packs shipway as an AWS Lambda function: a zip with the one executable `bootstrap` in it, the same bytes for the same program.
# usage: ci/lambda.sh [--program FILE] [--architecture x86_64|arm64] OUTPUT.zip
#
# Without FILE, the program of this commit is compiled; for arm64 that asks for the Rust target and a C compiler of that processor.
set -euo pipefail

usage() {
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

# Amazon Linux 2023, under the runtime provided.al2023, has this version of the C library.
newest_glibc=2.34

program="" architecture=x86_64 output=""
while [ $# -gt 0 ]; do
    case $1 in
        --program | --architecture)
            [ $# -ge 2 ] || usage
            case $1 in
                --program) program=$(realpath -- "$2") ;;
                --architecture) architecture=$2 ;;
            esac
            shift 2
            ;;
        -*) usage ;;
        *) [ -z "$output" ] || usage; output=$(realpath --canonicalize-missing -- "$1"); shift ;;
    esac
done
[ -n "$output" ] || usage
case $architecture in
    x86_64) processor=x86-64 target=x86_64-unknown-linux-gnu ;;
    arm64) processor="ARM aarch64" target=aarch64-unknown-linux-gnu ;;
    *) usage ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source ci/install.sh
install_missing file=file objdump=binutils python3=python3 >&2
if [ -z "$program" ]; then
    install_build_tools >&2
    if [ ! -d "$(rustc --print target-libdir --target "$target")" ]; then
        echo "the Rust target $target is not installed: rustup target add $target" >&2
        exit 1
    fi
    cargo build --locked --release --target "$target" >&2
    program=$(cargo metadata --format-version 1 --locked --no-deps | jq -r .target_directory)/$target/release/shipway
fi

kind=$(file --brief --dereference "$program")
case $kind in
    ELF*"$processor"*) ;;
    *) echo "not a program for $architecture: $program is $kind" >&2; exit 1 ;;
esac
case $kind in
    *"statically linked"* | *"static-pie linked"*) ;;
    *)
        asked=$(objdump -T "$program" | grep -o 'GLIBC_[0-9.]*' | cut -d _ -f 2 | sort -uV | tail -n 1)
        if [ "$(printf '%s\n' "${asked:-0}" "$newest_glibc" | sort -V | tail -n 1)" != "$newest_glibc" ]; then
            echo "asks for glibc $asked, and the function has $newest_glibc: $program" >&2
            exit 1
        fi
        ;;
esac

python3 - "$program" "$output" <<'PYTHON'
import sys, zipfile

program, output = sys.argv[1:]
# The earliest time a zip can tell; the program's own would make each package another one.
member = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
member.create_system = 3
member.external_attr = 0o100755 << 16
member.compress_type = zipfile.ZIP_DEFLATED
with open(program, "rb") as source, zipfile.ZipFile(output, "w") as package:
    package.writestr(member, source.read(), compresslevel=9)
PYTHON
echo "$output: $architecture, $(stat --format %s "$output") bytes"
