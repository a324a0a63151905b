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
