# shellcheck shell=bash
# Installs what a script of this folder needs and the machine lacks. To be sourced.
# Debian or Ubuntu, as root or with sudo that asks for no password; never interactive; nothing is started.

# install_packages PACKAGE...
install_packages() {
    local as_root=() policy=/usr/sbin/policy-rc.d written=""
    command -v apt-get >/dev/null || { echo "no apt-get here to install: $*" >&2; return 1; }
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || { echo "neither root nor sudo to install: $*" >&2; return 1; }
        as_root=(sudo -n)
    fi
    echo "installing: $*"
    # Package scripts would start the services they bring, on ports of their choice. We start our own.
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod +x "$policy"
        written=yes
    fi
    local status=0 log
    log=$(mktemp)
    if [ -z "${apt_lists_are_fresh:-}" ]; then
        "${as_root[@]}" apt-get -o Acquire::Retries=3 update >"$log" 2>&1 && apt_lists_are_fresh=yes
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l \
        apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" \
        >>"$log" 2>&1 </dev/null || status=$?
    [ "$status" -eq 0 ] || tail -n 15 "$log" >&2
    rm -f "$log"
    [ -z "$written" ] || "${as_root[@]}" rm -f "$policy"
    return "$status"
}

# install_missing COMMAND=PACKAGE...
# A COMMAND with a slash is a file. What cannot be installed is left to the caller to find missing.
install_missing() {
    local pair wanted=()
    for pair in "$@"; do
        if [[ "${pair%%=*}" == */* ]]; then
            [ -e "${pair%%=*}" ] || wanted+=("${pair#*=}")
        else
            command -v "${pair%%=*}" >/dev/null || wanted+=("${pair#*=}")
        fi
    done
    [ ${#wanted[@]} -eq 0 ] && return 0
    mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)
    install_packages "${wanted[@]}" && return 0
    # One unknown package must not keep the others away.
    local package
    for package in "${wanted[@]}"; do install_packages "$package" || true; done
}

# What a build needs: a C compiler for the cryptography of TLS, and the static C library.
install_build_tools() {
    install_missing cc=gcc git=git file=file jq=jq /etc/ssl/certs/ca-certificates.crt=ca-certificates
    # Debian keeps it in a folder named after the machine; gcc knows which.
    if [ "$(cc -print-file-name=libc.a)" = libc.a ]; then install_packages libc6-dev || true; fi
}

# Where packages of Python and Node.js that tests need are kept from one run to the next.
package_environments=${XDG_CACHE_HOME:-$HOME/.cache}/shipway-test

# The Python that makes environments: 3.11 or later, and Debian packs venv apart from it.
python_with_venv() {
    local python
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$python" && return 0
    done
    return 1
}

# python_environment NAME: the folder with the packages of ci/NAME.lock. Its name changes with the lock file and with Python.
python_environment() {
    local python sum
    python=$(python_with_venv) || { echo "python3-venv, of Python 3.11 or later, is not installed" >&2; return 1; }
    sum=$({ "$python" --version && cat "$(dirname "${BASH_SOURCE[0]}")/$1.lock"; } | sha256sum | cut -c1-12) || return 1
    echo "$package_environments/$1-$sum"
}

# install_python_environment NAME: the packages of ci/NAME.lock and nothing else. One with another hash than it says is refused.
install_python_environment() {
    local folder
    folder=$(python_environment "$1") || return 1
    [ -e "$folder/complete" ] && return 0
    mkdir -p "$package_environments"
    (
        # Another run may be at it.
        flock 9
        [ -e "$folder/complete" ] && exit 0
        echo "installing: ci/$1.lock"
        rm -rf "$folder"
        "$(python_with_venv)" -m venv "$folder" &&
            "$folder/bin/pip" install --quiet --disable-pip-version-check --no-input --no-compile --only-binary :all: \
                --require-hashes -r "$(dirname "${BASH_SOURCE[0]}")/$1.lock" </dev/null &&
            touch "$folder/complete"
    ) 9>"$folder.lock"
}

# node_environment NAME: the folder with the packages of ci/NAME/package-lock.json, for the Node.js of ci/gitlab.lock.
node_environment() {
    local node sum
    node=$(python_environment gitlab) || return 1
    sum=$({ basename "$node" && cat "$(dirname "${BASH_SOURCE[0]}")/$1/package-lock.json"; } | sha256sum | cut -c1-12) || return 1
    echo "$package_environments/$1-$sum"
}

# install_node_environment NAME: the packages of ci/NAME/package-lock.json and nothing else. None of them runs a program to install
# itself, and one with another hash than the lock file says is refused.
install_node_environment() {
    local folder node
    install_python_environment gitlab || return 1
    folder=$(node_environment "$1") || return 1
    node=$(python_environment gitlab)/bin
    [ -e "$folder/complete" ] && return 0
    (
        flock 9
        [ -e "$folder/complete" ] && exit 0
        echo "installing: ci/$1/package-lock.json"
        rm -rf "$folder"
        mkdir -p "$folder" &&
            cp "$(dirname "${BASH_SOURCE[0]}")/$1/"package*.json "$folder" &&
            (cd "$folder" && PATH=$node:$PATH npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >/dev/null) &&
            touch "$folder/complete"
    ) 9>"$folder.lock"
}

# jar_environment NAME: the folder with the jars of ci/NAME.lock.
jar_environment() {
    echo "$package_environments/$1-$(sha256sum "$(dirname "${BASH_SOURCE[0]}")/$1.lock" | cut -c1-12)"
}

# central_repository: where Maven looks for artifacts if nobody says otherwise, as its own model of a project says.
central_repository() {
    local model=/usr/share/java/maven3-model-builder.jar
    [ -n "${MAVEN_CENTRAL:-}" ] && echo "$MAVEN_CENTRAL" && return 0
    [ -e "$model" ] || install_packages libmaven3-core-java || return 1
    python3 - "$model" <<'PYTHON'
import re, sys, zipfile
model = zipfile.ZipFile(sys.argv[1]).read("org/apache/maven/model/pom-4.0.0.xml").decode()
print(re.search(r"<url>(.*?)</url>", model).group(1))
PYTHON
}

# install_jars NAME: the jars of ci/NAME.lock and nothing else. One with another hash than it says is refused.
install_jars() {
    local name=$1 folder central hash path
    folder=$(jar_environment "$name")
    [ -e "$folder/complete" ] && return 0
    central=$(central_repository) || return 1
    mkdir -p "$package_environments"
    (
        flock 9
        [ -e "$folder/complete" ] && exit 0
        echo "installing: ci/$name.lock"
        rm -rf "$folder"
        mkdir -p "$folder"
        while read -r hash path; do
            case $hash in "#"* | "") continue ;; esac
            curl -fsS --retry 3 --max-time 300 -o "$folder/${path##*/}" "$central/$path" &&
                sha256sum --check --status <<<"$hash  $folder/${path##*/}" ||
                { echo "not what ci/$name.lock says, or not there: $path" >&2; exit 1; }
        done <"$(dirname "${BASH_SOURCE[0]}")/$name.lock" && touch "$folder/complete"
    ) 9>"$folder.lock"
}

# migration_tools: the program of ci/migration-tools, which asks golang-migrate, goose and Atlas what they make of a folder.
migration_tools() {
    local sum
    sum=$({ go version && cat "$(dirname "${BASH_SOURCE[0]}")"/migration-tools/{go.mod,go.sum,*.go}; } | sha256sum | cut -c1-12) || return 1
    echo "$package_environments/migration-tools-$sum"
}

# install_migration_tools: builds it, with the modules go.sum names and no others.
install_migration_tools() {
    local program
    command -v go >/dev/null || return 1
    program=$(migration_tools) || return 1
    [ -x "$program" ] && return 0
    mkdir -p "$package_environments"
    (
        flock 9
        [ -x "$program" ] && exit 0
        echo "installing: ci/migration-tools"
        cd "$(dirname "${BASH_SOURCE[0]}")/migration-tools" &&
            GOFLAGS=-mod=readonly GOTOOLCHAIN=local go build -trimpath -o "$program.new" . && mv "$program.new" "$program"
    ) 9>"$program.lock"
}
