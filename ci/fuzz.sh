#!/usr/bin/env bash
# Builds every fuzz target and runs each for a bounded time. usage: ci/fuzz.sh [SECONDS [TARGET...]]
#
# It needs the nightly toolchain and a C++ compiler, and nothing else: what cargo-fuzz would do is one set of flags. Inputs that were
# found to be worth keeping stay in target/fuzz/corpus, what ended a target in target/fuzz/artifacts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-60}
shift || true
if ! cargo +nightly --version >/dev/null 2>&1; then
    echo "fuzzing needs the nightly toolchain, and there is none: rustup toolchain install nightly" >&2
    exit 3
fi
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(sed -n '/^\[\[bin\]\]/,/^path/s/^name = "\(.*\)"/\1/p' tests/fuzz/Cargo.toml)
fi

# Coverage for the fuzzer, and the address sanitizer for the code in other languages. The flags replace those of .cargo/config.toml:
# the sanitizer cannot be linked statically. With a target named they are not applied to build scripts.
flags=(-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg=fuzzing -Zsanitizer=address
    -Cdebug-assertions -Coverflow-checks)
RUSTFLAGS="${flags[*]}" cargo +nightly build --release --locked --manifest-path tests/fuzz/Cargo.toml --target "$host" \
    --target-dir target/fuzz --bins

seed_archive() {
    local folder
    folder=$(mktemp -d)
    mkdir "$folder/sub"
    echo text >"$folder/sub/file"
    ln "$folder/sub/file" "$folder/name"
    ln -s sub "$folder/link"
    tar -C "$folder" -b1 --format=pax --owner=0 --group=0 -cf "$1/seed-pax" .
    tar -C "$folder" -b1 --format=gnu --owner=0 --group=0 -czf "$1/seed-gnu" .
    rm -r "$folder"
}

failed=()
for target in "${targets[@]}"; do
    corpus=target/fuzz/corpus/$target
    artifacts=target/fuzz/artifacts/$target/
    mkdir -p "$corpus" "$artifacts"
    # No fuzzer finds the first archive by itself.
    if [ "$target" = tar ]; then
        seed_archive "$corpus"
    fi
    echo "== $target for $seconds s"
    # A slow input is a finding too: every one of them is small.
    "target/fuzz/$host/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=16384 \
        -artifact_prefix="$artifacts" -print_funcs=0 -print_final_stats=1 "$corpus" >"$artifacts/log" 2>&1 ||
        failed+=("$target")
    tail -n 40 "$artifacts/log" | grep -E '^(stat::|#[0-9]+.*DONE)|ERROR|panicked|SUMMARY|Test unit' || true
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "fuzzing failed: ${failed[*]}; the inputs are in target/fuzz/artifacts" >&2
    exit 1
fi
