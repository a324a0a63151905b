#!/usr/bin/env bash
# Everything that can be said about the project without running it. usage: ci/lint.sh
# Ends with a failure if any check fails, after all of them have run.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
source ci/install.sh

failed=()

# check NAME COMMAND [ARGUMENT...]
check() {
    local name=$1 start=$SECONDS
    shift
    echo "--- $name"
    if "$@"; then
        echo "    $name: fine ($((SECONDS - start)) s)"
    else
        echo "    $name: FAILED" >&2
        failed+=("$name")
    fi
}

shell_scripts() {
    git ls-files --cached --others --exclude-standard -- 'ci/*.sh' .ci/run 'tests/*.sh' ':!tests/rules'
}

shell_syntax() {
    local script status=0
    while read -r script; do bash -n "$script" || status=1; done < <(shell_scripts)
    return "$status"
}

shell_advice() {
    shell_scripts | xargs shellcheck --severity=style --exclude=SC1091
}

# The licences of everything in Cargo.lock against the list in deny.toml: what `cargo deny check licenses` asks, without the
# minutes it takes to compile cargo-deny. An SPDX expression becomes a jq expression: both bind AND more tightly than OR.
licences() {
    local allowed expression unsound=0
    allowed=$(sed -n '/^\[licenses\]/,/^\]/s/^ *"\([^"]*\)".*/\1/p' deny.toml)
    [ -n "$allowed" ] || { echo "deny.toml allows no licence" >&2; return 1; }
    while read -r expression; do
        local formula=$expression term
        formula=$(sed -E 's/ WITH /@WITH@/g; s# ?/ ?# OR #g; s/[()]/ & /g' <<<"$formula")
        local words=()
        for term in $formula; do
            case $term in
                AND) words+=(and) ;;
                OR) words+=(or) ;;
                "(" | ")") words+=("$term") ;;
                *) if grep -qxF -- "${term//@WITH@/ WITH }" <<<"$allowed"; then words+=(true); else words+=(false); fi ;;
            esac
        done
        if [ "$(jq -n "${words[*]:-false}")" != true ]; then
            echo "licence not allowed by deny.toml: $expression" >&2
            jq -r --arg licence "$expression" '.packages[] | select((.license // "none") == $licence) | "  \(.name) \(.version)"' \
                <<<"$metadata" >&2
            unsound=1
        fi
    done < <(jq -r '.packages[].license // "none"' <<<"$metadata" | sort -u)
    return "$unsound"
}

# Only what `cargo deny check bans` would refuse outright.
banned_crates() {
    local name found=0
    while read -r name; do
        if jq -e --arg name "$name" 'any(.packages[]; .name == $name)' <<<"$metadata" >/dev/null; then
            echo "banned by deny.toml: $name" >&2
            found=1
        fi
    done < <(sed -n '/^\[bans\]/,/^\]/s/.*{ name = "\([^"]*\)".*/\1/p' deny.toml)
    return "$found"
}

install_build_tools
install_missing shellcheck=shellcheck
if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
    rustup component add rustfmt clippy || true
fi
metadata=$(cargo metadata --format-version 1 --locked) || exit 1

# What CloudFormation would refuse, and what it would take and AWS not.
template() {
    install_python_environment cfn-lint && "$(python_environment cfn-lint)/bin/cfn-lint" deploy/cloudformation.yaml
}

check "template" template
check "formatting" cargo fmt --check
check "clippy" cargo clippy --locked --all-targets --all-features -- -D warnings
check "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --all-features
if jq -e '.packages[] | select(.name == "shipway") | .features | length > 0' <<<"$metadata" >/dev/null; then
    check "clippy without features" cargo clippy --locked --all-targets --no-default-features -- -D warnings
fi
check "shell syntax" shell_syntax
if command -v shellcheck >/dev/null; then
    check "shellcheck" shell_advice
else
    failed+=("shellcheck (not installed)")
fi
check "licences" licences
check "banned crates" banned_crates
if cargo deny --version >/dev/null 2>&1; then
    check "cargo deny" cargo deny --locked check bans licenses sources
fi

if [ ${#failed[@]} -gt 0 ]; then
    printf 'lint: failed: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "lint: fine"
