#!/usr/bin/env bash
# Writes ci/moto.lock and ci/ministack.lock anew: the emulators of AWS that tests/real runs against, everything they need, and the
# hashes of all files of each release, for Python 3.11 and later on any processor. usage: ci/lock.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source install.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/shipway-lock.XXXXXX")
trap 'rm -rf "$work"' EXIT
python_with_venv >/dev/null || install_packages python3-venv
"$(python_with_venv)" -m venv "$work/uv"
"$work/uv/bin/pip" install --quiet --disable-pip-version-check uv

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
lock moto 'moto==5.2.5' flask flask-cors 'awscli<2'
lock ministack 'ministack==1.5.33' docker cryptography
