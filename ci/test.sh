#!/usr/bin/env bash
# Runs all tests of the project; on a fresh Debian or Ubuntu it installs first what is missing. usage: ci/test.sh [--all]
#
# The last lines name every test that could not run, with the reason, and then the totals. With --all a test that could not run is a
# failure; without it, only a test that failed is.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
source ci/install.sh
source ci/real.sh

all=""
case "${1:-}" in
    "") ;;
    --all) all=yes ;;
    *) sed -n '2s/^# //p' "$0" >&2; exit 2 ;;
esac

work=$(mktemp -d "${TMPDIR:-/tmp}/shipway-test.XXXXXX") || exit 1
finish() {
    real_stop
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

could_not_run=()
broken=()
# Colour codes would hide the words that are counted.
export CARGO_TERM_COLOR=never

# step NAME COMMAND...: a step that fails without saying "test result" counts as one failure.
step() {
    local name=$1 start=$SECONDS status
    shift
    printf '\n=== %s\n' "$name"
    "$@" 2>&1 | tee "$work/step"
    status=${PIPESTATUS[0]}
    cat "$work/step" >>"$work/output"
    printf '=== %s: %s (%s s)\n' "$name" "$([ "$status" -eq 0 ] && echo fine || echo FAILED)" "$((SECONDS - start))"
    if [ "$status" -ne 0 ] && ! grep -q '^test result: FAILED' "$work/step"; then broken+=("$name"); fi
}

# Tests that cargo passed over, except those of tests/real, which have a step of their own.
passed_over() {
    awk '
        /^ *(Running|Doc-tests) / { real = /tests\/real/ }
        / \.\.\. ignored/ && !real { sub(/^test /, ""); sub(/ \.\.\. ignored,? */, ": "); print }
    ' "$work/output" | sort -u
}

names_of_real_tests() {
    cargo test --locked --test real -- --list --format terse 2>/dev/null | sed -n 's/: test$//p' | grep "^$1"
}

# name_missing PREFIX REASON: every test of tests/real whose name begins with PREFIX.
name_missing() {
    local name found=""
    while read -r name; do
        could_not_run+=("real $name: $2")
        found=yes
    done < <(names_of_real_tests "$1")
    [ -n "$found" ] || could_not_run+=("real ${1:-(all)}: $2")
}

static_binary() {
    cargo build --locked --release || return 1
    file "$program"
    file "$program" | grep -Eq 'statically linked|static-pie linked' || { echo "the binary is not static" >&2; return 1; }
    ls -lh "$program"
    "$program" --version
}

real_tests() {
    local skip=()
    [ -z "$real_missing_docker" ] || skip+=(--skip docker::)
    [ -z "$real_missing_aws" ] || skip+=(--skip aws::)
    [ -z "$real_missing_gitlab" ] || skip+=(--skip gitlab::)
    [ -z "$real_missing_parity" ] || skip+=(--skip dockerfile_parity::)
    [ -z "$real_missing_flyway" ] || skip+=(--skip flyway::)
    [ -z "$real_missing_tools" ] || skip+=(--skip tools::)
    [ -z "$real_missing_article" ] || skip+=(--skip article::)
    # The program is the one that is released; the tests around it need not be optimised.
    SHIPWAY_TEST_PROGRAM=$program cargo test --locked --no-fail-fast --test real -- --include-ignored "${skip[@]}"
}

install_build_tools
real_install
metadata=$(cargo metadata --format-version 1 --locked --no-deps) || exit 1
program=$(jq -r .target_directory <<<"$metadata")/$(rustc -vV | sed -n 's/^host: //p')/release/shipway

step "lint" bash ci/lint.sh
step "tests" cargo test --locked --no-fail-fast
if jq -e '.packages[0].features | length > 0' <<<"$metadata" >/dev/null; then
    step "tests without features" cargo test --locked --no-fail-fast --no-default-features
fi
while IFS= read -r line; do could_not_run+=("$line"); done < <(passed_over)
step "static binary" static_binary

real_start
if [ -n "$real_missing_registry" ]; then
    name_missing "" "$real_missing_registry"
else
    [ -z "$real_missing_docker" ] || name_missing docker:: "$real_missing_docker"
    [ -z "$real_missing_aws" ] || name_missing aws:: "$real_missing_aws"
    [ -z "$real_missing_gitlab" ] || name_missing gitlab:: "$real_missing_gitlab"
    [ -z "$real_missing_parity" ] || name_missing dockerfile_parity:: "$real_missing_parity"
    [ -z "$real_missing_flyway" ] || name_missing flyway:: "$real_missing_flyway"
    [ -z "$real_missing_tools" ] || name_missing tools:: "$real_missing_tools"
    [ -z "$real_missing_article" ] || name_missing article:: "$real_missing_article"
    step "tests against real parts" real_tests
fi
real_stop

echo
if [ ${#could_not_run[@]} -gt 0 ]; then
    echo "could not run:"
    printf '  %s\n' "${could_not_run[@]}"
else
    echo "could not run: nothing, all tests ran"
fi
for name in "${broken[@]}"; do echo "failed: $name"; done
grep -E '^test .* \.\.\. FAILED$' "$work/output" | sort -u | sed 's/^test \(.*\) \.\.\. FAILED$/failed: \1/'

read -r passed failed < <(awk '
    /^test result:/ { for (i = 1; i < NF; i++) { if ($(i + 1) ~ /^passed/) passed += $i; if ($(i + 1) ~ /^failed/) failed += $i } }
    END { print passed + 0, failed + 0 }' "$work/output")
failed=$((failed + ${#broken[@]}))
[ -z "$all" ] || failed=$((failed + ${#could_not_run[@]}))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
