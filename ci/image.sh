#!/usr/bin/env bash
# Builds the image for CI jobs with shipway itself, and pushes it.
# usage: ci/image.sh [--program FILE] [--version V] BASE REFERENCE...    BASE has to bring a shell, such as alpine or busybox
#        ci/image.sh [--program FILE] --context FOLDER                   only writes what docker/Dockerfile is built from
#
# FILE is a static shipway, of this machine's processor; without it, the one of this commit is compiled. It builds the image, too.
# What stands behind -- is handed to shipway build, such as --registry-certificate or, to try it without a registry, --output.
set -euo pipefail

usage() {
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

program="" version="" context="" names=()
while [ $# -gt 0 ]; do
    case $1 in
        --program | --version | --context)
            [ $# -ge 2 ] || usage
            # What is relative is meant from where the caller stands.
            case $1 in
                --program) program=$(realpath -- "$2") ;;
                --version) version=$2 ;;
                --context) context=$(realpath --canonicalize-missing -- "$2") ;;
            esac
            shift 2
            ;;
        --) shift; break ;;
        -*) usage ;;
        *) names+=("$1"); shift ;;
    esac
done
if [ -z "$context" ]; then [ ${#names[@]} -ge 2 ] || usage; else [ ${#names[@]} -eq 0 ] || usage; fi

caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source ci/install.sh
install_missing file=file >&2
if [ -z "$program" ]; then
    install_build_tools >&2
    cargo build --locked --release >&2
    program=$(cargo metadata --format-version 1 --locked --no-deps | jq -r .target_directory)
    program+=/$(rustc -vV | sed -n 's/^host: //p')/release/shipway
fi
case $(file --brief --dereference "$program") in
    *"statically linked"* | *"static-pie linked"*) ;;
    *) echo "not a static program, so it would not run on every base: $program" >&2; exit 1 ;;
esac

if [ -z "$context" ]; then
    context=$(mktemp -d "${TMPDIR:-/tmp}/shipway-image.XXXXXX")
    trap 'rm -rf "$context"' EXIT
fi
# The modes are taken as they are, by Docker anyway and by shipway with --preserve-modes.
mkdir -p "$context"
install -m 755 -- "$program" "$context/shipway"
install -m 644 -- /etc/ssl/certs/ca-certificates.crt "$context/ca-certificates.crt"
install -d -m 755 "$context/kaniko"
install -d -m 1777 "$context/kaniko/.docker"
ln -sfn /usr/local/bin/shipway "$context/kaniko/executor"
[ ${#names[@]} -gt 0 ] || exit 0

dockerfile=$PWD/docker/Dockerfile
case $(uname -m) in
    x86_64) platform=linux/amd64 ;;
    aarch64) platform=linux/arm64 ;;
    *) platform=linux/$(uname -m) ;;
esac
arguments=(--build-arg "BASE=${names[0]}" --build-arg "VERSION=${version:-$("$program" --version | cut -d ' ' -f 2)}")
for name in "${names[@]:1}"; do arguments+=(--destination "$name"); done
# From the caller's folder, where the paths behind -- begin.
cd "$caller"
"$program" build --dockerfile "$dockerfile" --context "$context" --preserve-modes --platform "$platform" "${arguments[@]}" "$@"
