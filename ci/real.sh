#!/usr/bin/env bash
# Starts the real parts that tests/real runs against, runs a command, and stops them.
# usage: ci/real.sh COMMAND [ARGUMENT...]      for example: ci/real.sh cargo test --test real -- --include-ignored
#
# A Docker engine of its own, a plain registry, one with TLS and a password, and a small base image in both; two emulators of AWS
# (moto and ministack), and the registries of three accounts; the programs that read and run pipelines of GitLab; and Flyway with a
# MariaDB, and an image with it. Everything listens on 127.0.0.1 or a private socket and lives in one temporary folder. The command
# finds it through SHIPWAY_TEST_* variables.
# To be sourced too: real_start, real_stop, and real_missing_docker / real_missing_registry / real_missing_aws / real_missing_gitlab /
# real_missing_parity / real_missing_flyway / real_missing_tools / real_missing_article with the reason why a part is not there.
# With SHIPWAY_TEST_ALL_BUILDERS every Dockerfile of tests/real is put to every builder, which takes some minutes more.

real_folder=""
real_processes=()
declare -A real_process_of=()
source "$(dirname "${BASH_SOURCE[0]}")/databases.sh"
source "$(dirname "${BASH_SOURCE[0]}")/flyway-image.sh"
real_missing_docker=""
real_missing_registry=""
real_missing_aws=""
real_missing_gitlab=""
real_missing_parity=""
real_missing_tools=""
real_missing_flyway=""
real_missing_article=""
# Seconds a server may take to answer, and to end. A loaded machine of two cores needs about three for the engine.
real_patience=60

real_install() {
    install_missing docker-registry=docker-registry skopeo=skopeo umoci=umoci htpasswd=apache2-utils openssl=openssl jq=jq git=git \
        /usr/bin/time=time dockerd=docker.io curl=curl ss=iproute2 rsync=rsync \
        buildah=buildah xz=xz-utils bzip2=bzip2
    # Since Debian 13 the engine's package no longer brings the client.
    command -v docker >/dev/null || install_packages docker-cli || true
    # Later clients leave BuildKit to a package of its own.
    real_buildkit_client >/dev/null || install_packages docker-buildx || true
    databases_install
    command -v java >/dev/null || install_packages openjdk-17-jre-headless || install_packages default-jre-headless || true
    install_jars flyway || true
    # Not `busybox`: that one needs the C library of the machine.
    real_busybox >/dev/null || install_packages busybox-static || true
    python_with_venv >/dev/null || install_packages python3-venv || true
    # What fails here is told by real_start.
    local installing
    install_python_environment moto &
    installing=$!
    install_python_environment ministack || true
    install_node_environment gitlab-ci-local || true
    install_node_environment dbmate || true
    install_jars liquibase || true
    install_migration_tools || true
    wait "$installing" || true
}

# A client that can have BuildKit build: of a version that brings it, or with the plugin.
real_buildkit_client() {
    local client
    for client in docker /usr/bin/docker; do
        command -v "$client" >/dev/null || continue
        [[ "$("$client" --version 2>/dev/null)" =~ version\ (18|19|20)\. ]] || "$client" buildx version >/dev/null 2>&1 || continue
        command -v "$client" && return 0
    done
    return 1
}

real_busybox() {
    local program
    program=$(command -v busybox) && file -L "$program" | grep -q 'statically linked' && echo "$program"
}

# real_serve NAME COMMAND...: starts a server whose output goes to NAME.log; its process is ended by real_stop.
real_serve() {
    local name=$1
    shift
    # A session of its own: Ctrl-C reaches us, and we stop the servers in order.
    setsid "$@" >"$real_folder/$name.log" 2>&1 </dev/null &
    real_processes+=("$!")
    real_process_of[$name]=$!
}

# real_await CONDITION...: waits until the command succeeds, or the process real_awaited, else the last one, has ended.
real_await() {
    local deadline=$((SECONDS + real_patience))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        kill -0 "${real_awaited:-${real_processes[-1]}}" 2>/dev/null || return 1
        sleep 0.1
    done
}

real_start() {
    real_folder=$(mktemp -d "${TMPDIR:-/tmp}/shipway-real.XXXXXX") || return 1
    real_start_registries || real_missing_registry=${real_missing_registry:-"see above"}
    if [ -n "$real_missing_registry" ]; then
        real_missing_docker="it needs the registry: $real_missing_registry"
        real_missing_aws="it needs the registry: $real_missing_registry"
        real_missing_gitlab="it needs the registry: $real_missing_registry"
    else
        real_start_aws || real_missing_aws=${real_missing_aws:-"see above"}
        real_start_docker || true
        real_find_gitlab || true
    fi
    real_start_parity || true
    real_start_flyway || true
    real_find_tools || true
    real_start_article || true
}

# The migration tools besides Flyway: they run on files alone, Liquibase and dbmate with databases of SQLite.
real_find_tools() {
    command -v go >/dev/null || { real_missing_tools="go is not installed"; return 1; }
    command -v java >/dev/null || { real_missing_tools="java is not installed"; return 1; }
    command -v python3 >/dev/null || { real_missing_tools="python3, which reads databases of SQLite, is not installed"; return 1; }
    install_migration_tools || { real_missing_tools="ci/migration-tools cannot be built"; return 1; }
    install_jars liquibase || { real_missing_tools="the jars of ci/liquibase.lock cannot be installed"; return 1; }
    install_node_environment dbmate || { real_missing_tools="ci/dbmate/package-lock.json cannot be installed"; return 1; }
    SHIPWAY_TEST_MIGRATION_TOOLS=$(migration_tools)
    SHIPWAY_TEST_LIQUIBASE=$(jar_environment liquibase)
    SHIPWAY_TEST_DBMATE=$(find "$(node_environment dbmate)/node_modules/@dbmate" -path '*/bin/dbmate' -type f | head -n 1)
    export SHIPWAY_TEST_MIGRATION_TOOLS SHIPWAY_TEST_LIQUIBASE SHIPWAY_TEST_DBMATE
}

# Flyway itself, and a MariaDB for it that listens on 127.0.0.1 only. It brings SQLite.
real_start_flyway() {
    local folder=$real_folder/flyway port
    install_jars flyway || { real_missing_flyway="the jars of ci/flyway.lock cannot be installed"; return 1; }
    command -v java >/dev/null || { real_missing_flyway="java is not installed"; return 1; }
    command -v python3 >/dev/null || { real_missing_flyway="python3, which reads databases of SQLite, is not installed"; return 1; }
    command -v mariadbd >/dev/null || { real_missing_flyway="MariaDB's server is not installed"; return 1; }
    mkdir -p "$folder"
    mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$folder/data" --auth-root-authentication-method=normal \
        --skip-test-db --innodb-log-file-size=8M >"$folder.log" 2>&1 ||
        { real_missing_flyway="mariadb-install-db fails: $(tail -n 1 "$folder.log")"; return 1; }
    # It takes no 0 for "any free one".
    for port in $(shuf -i 20000-29999 -n 20); do
        ss -Hltn "sport = :$port" | grep -q . && continue
        real_serve flyway-mariadb mariadbd --no-defaults --user="$(id -un)" --datadir="$folder/data" --innodb-log-file-size=8M \
            --bind-address=127.0.0.1 --port="$port" --socket="$folder/socket" --skip-log-bin
        real_await mariadb --no-defaults --socket="$folder/socket" --user=root -e 'SELECT 1' && break
        port=""
    done
    [ -n "$port" ] || { real_missing_flyway="mariadbd does not start: $(tail -n 1 "$real_folder/flyway-mariadb.log")"; return 1; }
    mariadb --no-defaults --socket="$folder/socket" --user=root \
        -e "CREATE USER flyway@'127.0.0.1' IDENTIFIED BY 'flyway'; GRANT ALL ON *.* TO flyway@'127.0.0.1' WITH GRANT OPTION;" ||
        { real_missing_flyway="MariaDB takes no user"; return 1; }
    SHIPWAY_TEST_FLYWAY=$(jar_environment flyway)
    SHIPWAY_TEST_FLYWAY_MARIADB=127.0.0.1:$port
    export SHIPWAY_TEST_FLYWAY SHIPWAY_TEST_FLYWAY_MARIADB
}

# From a commit to a migrated schema takes nearly all of it, and an image with the real Flyway.
real_start_article() {
    local missing
    for missing in "$real_missing_registry" "$real_missing_docker" "$real_missing_aws" "$real_missing_gitlab" "$real_missing_flyway"; do
        [ -z "$missing" ] || { real_missing_article=$missing; return 1; }
    done
    SHIPWAY_TEST_FLYWAY_IMAGE=$SHIPWAY_TEST_REGISTRY/flyway/flyway:12.4.0
    export SHIPWAY_TEST_FLYWAY_IMAGE
    flyway_image "$real_folder/flyway-image" "$SHIPWAY_TEST_FLYWAY_IMAGE" >"$real_folder/flyway-image.log" 2>&1 ||
        { real_missing_article="the image of Flyway cannot be made: $(tail -n 1 "$real_folder/flyway-image.log")"; return 1; }
}

# What builds Dockerfiles to compare with: both builders of the engine, and buildah with its rights.
real_start_parity() {
    real_missing_parity=${real_missing_registry:-$real_missing_docker}
    [ -z "$real_missing_parity" ] || return 1
    SHIPWAY_TEST_BUILDKIT_CLIENT=$(real_buildkit_client) || { real_missing_parity="no docker client here speaks to BuildKit"; return 1; }
    command -v buildah >/dev/null || { real_missing_parity="buildah is not installed"; return 1; }
    export SHIPWAY_TEST_BUILDKIT_CLIENT
}

real_start_registries() {
    local tool
    for tool in docker-registry skopeo umoci htpasswd openssl; do
        command -v "$tool" >/dev/null || { real_missing_registry="$tool is not installed"; return 1; }
    done
    real_busybox >/dev/null || { real_missing_registry="busybox-static is not installed"; return 1; }

    local password
    password=$(openssl rand -hex 16)
    real_certificates
    htpasswd -Bbn shipway "$password" >"$real_folder/htpasswd" 2>/dev/null

    real_registry plain "" || { real_missing_registry="docker-registry does not start: $(tail -n 1 "$real_folder/plain.log")"; return 1; }
    SHIPWAY_TEST_REGISTRY=$real_address
    # Each request, and how many bytes were sent in answer to it.
    SHIPWAY_TEST_REGISTRY_LOG=$real_folder/plain.log
    real_registry tls "
  tls: { certificate: $real_folder/tls/server.crt, key: $real_folder/tls/server.key }
auth:
  htpasswd: { realm: shipway, path: $real_folder/htpasswd }" ||
        { real_missing_registry="docker-registry with TLS does not start: $(tail -n 1 "$real_folder/tls.log")"; return 1; }
    SHIPWAY_TEST_TLS_REGISTRY=$real_address
    SHIPWAY_TEST_TLS_CERTIFICATES=$real_folder/tls/ca
    SHIPWAY_TEST_TLS_USERNAME=shipway
    SHIPWAY_TEST_TLS_PASSWORD=$password
    SHIPWAY_TEST_BASE=$real_folder/base
    export SHIPWAY_TEST_REGISTRY SHIPWAY_TEST_REGISTRY_LOG SHIPWAY_TEST_TLS_REGISTRY SHIPWAY_TEST_TLS_CERTIFICATES \
        SHIPWAY_TEST_TLS_USERNAME SHIPWAY_TEST_TLS_PASSWORD SHIPWAY_TEST_BASE

    real_base || { real_missing_registry="the base image cannot be made"; return 1; }
}

# The folder tls/ca is what skopeo calls a certificate folder: it may hold nothing but the authority's certificate.
real_certificates() {
    mkdir -p "$real_folder/tls/ca"
    (
        cd "$real_folder/tls" || exit 1
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
            -subj "/CN=shipway test authority" -keyout authority.key -out ca/ca.crt
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
            -subj "/CN=localhost" -keyout server.key -out server.csr
        printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' >server.ext
        openssl x509 -req -in server.csr -CA ca/ca.crt -CAkey authority.key -CAcreateserial -days 2 -extfile server.ext -out server.crt
    ) >"$real_folder/openssl.log" 2>&1
}

# real_registry NAME SETTINGS: leaves host:port in real_address. Port 0 is "any free one", and the log tells which.
real_registry() {
    cat >"$real_folder/$1.yml" <<SETTINGS
version: 0.1
log: { level: info, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: $real_folder/$1 }
http:
  addr: 127.0.0.1:0
  secret: $(openssl rand -hex 16)$2
SETTINGS
    mkdir -p "$real_folder/$1"
    # It would take the variable that names a file of logins for a setting of its own.
    real_serve "$1" env -u REGISTRY_AUTH_FILE docker-registry serve "$real_folder/$1.yml"
    real_await grep -q 'listening on 127' "$real_folder/$1.log" || return 1
    real_address=$(sed -n 's/.*listening on \(127[0-9.:]*\).*/\1/p' "$real_folder/$1.log" | head -n 1)
}

# A base in the shape of Flyway's own image, of a few hundred kilobytes: its program lists and shows the scripts it is given.
# Three layers: the tools, the folders of Flyway, its program.
real_base() {
    (
        set -e
        umask 022
        cd "$real_folder"
        mkdir -p root/tools/bin root/tools/tmp root/tools/etc root/folders/flyway/{conf,drivers,jars} root/program/flyway
        cp "$(real_busybox)" root/tools/bin/busybox
        for tool in sh cat find sort ls; do ln -s busybox "root/tools/bin/$tool"; done
        chmod 1777 root/tools/tmp
        echo 'root:x:0:0:root:/:/bin/sh' >root/tools/etc/passwd
        cat >root/program/flyway/flyway <<'PROGRAM'
#!/bin/sh
# Stands in for Flyway: tells how it was called and what it would read.
set -e
echo "arguments: $*"
echo "folder: $PWD"
for name in FLYWAY_LOCATIONS FLYWAY_CONFIG_FILES FLYWAY_FAIL_ON_MISSING_LOCATIONS; do
    eval "echo \"$name=\${$name}\""
done
find /flyway/conf /flyway/sql -type f | sort | while read -r file; do
    echo "=== $file"
    cat "$file"
done
PROGRAM
        chmod 755 root/program/flyway/flyway
        umoci init --layout base
        umoci new --image base:13
        for layer in tools folders program; do
            tar -C "root/$layer" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@1 -cf "$layer.tar" .
            umoci raw add-layer --image base:13 --history.created_by "shipway test base: $layer" "$layer.tar"
        done
        umoci config --image base:13 --config.entrypoint flyway --config.cmd '-?' --config.workingdir /flyway \
            --config.env 'PATH=/flyway:/usr/bin:/bin' --config.label org.opencontainers.image.version=13.0
        skopeo --insecure-policy copy --dest-tls-verify=false oci:base:13 "docker://$SHIPWAY_TEST_REGISTRY/flyway/flyway:13"
        skopeo --insecure-policy copy --dest-tls-verify=false --format v2s2 oci:base:13 \
            "docker://$SHIPWAY_TEST_REGISTRY/flyway/flyway:13-docker"
        skopeo --insecure-policy copy --dest-cert-dir tls/ca --dest-creds "$SHIPWAY_TEST_TLS_USERNAME:$SHIPWAY_TEST_TLS_PASSWORD" \
            oci:base:13 "docker://$SHIPWAY_TEST_TLS_REGISTRY/flyway/flyway:13"
    ) >"$real_folder/base.log" 2>&1 || { tail -n 5 "$real_folder/base.log" >&2; return 1; }
}

# Amazon ECR is two things: an API, and a registry whose password the API gives out. moto is the API alone; its registries are
# Debian's, one for each of three accounts, with the password that moto gives to that account. ministack is both in one.
real_start_aws() {
    local account stage moto ministack
    if ! install_python_environment moto || ! install_python_environment ministack; then
        real_missing_aws="the packages of ci/moto.lock and ci/ministack.lock cannot be installed"
        return 1
    fi
    moto=$(python_environment moto)
    ministack=$(python_environment ministack)
    # Each takes two seconds, so they start while the registries do. ministack would listen on all addresses, with three servers.
    real_emulator moto "$moto/bin/moto_server" -H 127.0.0.1 -p 0
    # Its tasks of ECS are containers of the engine, which is started later.
    real_emulator ministack env BIND_HOST=127.0.0.1 GATEWAY_PORT=0 IOT_MTLS_ENABLED=0 SFTP_ENABLED=0 \
        DOCKER_HOST="unix://$real_folder/docker.sock" "$ministack/bin/ministack"
    while read -r stage account; do
        htpasswd -Bbn AWS "$account-auth-token" >"$real_folder/$stage.htpasswd" 2>/dev/null
        real_registry "ecr-$stage" "
auth:
  htpasswd: { realm: ecr, path: $real_folder/$stage.htpasswd }" ||
            { real_missing_aws="docker-registry does not start: $(tail -n 1 "$real_folder/ecr-$stage.log")"; return 1; }
        export "SHIPWAY_TEST_ECR_${stage^^}=$real_address"
    done <<<"development 123456789012
staging 222222222222
production 333333333333"
    real_await_emulator moto || return 1
    export SHIPWAY_TEST_MOTO=http://$real_address
    real_await_emulator ministack || return 1
    export SHIPWAY_TEST_MINISTACK=http://$real_address
    export SHIPWAY_TEST_AWS_COMMAND=$moto/bin/aws
}

# real_emulator NAME COMMAND...: nothing of our environment reaches it, since it would hand AWS_* on.
real_emulator() {
    local name=$1
    shift
    real_serve "$name" env -i PATH="$PATH" HOME="$real_folder" TMPDIR="$real_folder" "$@"
}

# real_await_emulator NAME: leaves host:port in real_address.
real_await_emulator() {
    local name=$1 log=$real_folder/$1.log beyond
    local real_awaited=${real_process_of[$name]}
    real_await grep -q 'Running on http://127' "$log" || { real_missing_aws="$name does not start: $(tail -n 1 "$log")"; return 1; }
    real_address=$(sed -n 's|.*Running on http://\(127[0-9.:]*\).*|\1|p' "$log" | head -n 1)
    # Its first answer takes a second, since it loads its services with it.
    real_await curl -fs --noproxy '*' -o /dev/null -H 'X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.DescribeRepositories' \
        -H 'Content-Type: application/x-amz-json-1.1' -d '{}' "http://$real_address/" ||
        { real_missing_aws="$name does not answer"; return 1; }
    beyond=$(ss -Hltnp | grep "pid=$real_awaited," | awk '$4 !~ /^127\./ { print $4 }')
    [ -z "$beyond" ] || { real_missing_aws="$name listens on $beyond"; return 1; }
}

real_start_docker() {
    command -v dockerd >/dev/null || { real_missing_docker="dockerd (package docker.io) is not installed"; return 1; }
    command -v docker >/dev/null || { real_missing_docker="the docker client is not installed"; return 1; }
    [ "$(id -u)" -eq 0 ] || { real_missing_docker="dockerd needs root"; return 1; }
    # No bridge and no packet filter: neither is needed, and a container of a pipeline may set up neither. A containerd that runs
    # already is shared by name spaces.
    real_serve dockerd dockerd --iptables=false --ip6tables=false --bridge=none --containerd-namespace "shipway-$$" \
        --containerd-plugins-namespace "shipway-plugins-$$" --data-root "$real_folder/docker" --exec-root "$real_folder/docker-run" \
        --pidfile "$real_folder/docker.pid" -H "unix://$real_folder/docker.sock"
    export SHIPWAY_TEST_DOCKER="unix://$real_folder/docker.sock"
    if ! real_await docker -H "$SHIPWAY_TEST_DOCKER" version; then
        real_missing_docker="dockerd does not start: $(tail -n 1 "$real_folder/dockerd.log")"
        return 1
    fi
    # An engine that answers may still not be allowed to run anything.
    local said
    if ! said=$(docker -H "$SHIPWAY_TEST_DOCKER" run --rm --network none --entrypoint /bin/busybox \
        "$SHIPWAY_TEST_REGISTRY/flyway/flyway:13-docker" true 2>&1); then
        real_missing_docker="the engine cannot run a container: $(grep -m 1 'Error' <<<"$said" || head -n 1 <<<"$said")"
        return 1
    fi
    if ! DOCKER_HOST=$SHIPWAY_TEST_DOCKER databases_images "$real_folder/databases" >"$real_folder/databases.log" 2>&1; then
        real_missing_docker="the images of databases cannot be made: $(tail -n 1 "$real_folder/databases.log")"
        return 1
    fi
}

# Where gitlab-ci-local, which runs the jobs of a pipeline, check-jsonschema and Node.js are. The second job of the sample project
# runs its image in the engine.
real_find_gitlab() {
    if ! install_node_environment gitlab-ci-local; then
        real_missing_gitlab="the packages of ci/gitlab.lock and ci/gitlab-ci-local/package-lock.json cannot be installed"
        return 1
    fi
    command -v rsync >/dev/null || { real_missing_gitlab="rsync is not installed"; return 1; }
    [ -z "$real_missing_docker" ] || { real_missing_gitlab="it needs a Docker engine: $real_missing_docker"; return 1; }
    SHIPWAY_TEST_GITLAB_PATH=$(node_environment gitlab-ci-local)/node_modules/.bin:$(python_environment gitlab)/bin
    export SHIPWAY_TEST_GITLAB_PATH
}

# Idempotent, so that a trap may call it at any time.
real_stop() {
    [ -n "$real_folder" ] || return 0
    local folder=$real_folder process deadline
    real_folder=""
    if [ -S "$folder/docker.sock" ]; then
        # Containers that an interrupted test left behind would keep their file systems mounted.
        timeout 20 docker -H "unix://$folder/docker.sock" ps -aq 2>/dev/null |
            xargs -r timeout 30 docker -H "unix://$folder/docker.sock" rm -f >/dev/null 2>&1
    fi
    # The engine's own containerd outlives an engine that had to be killed.
    [ -f "$folder/docker-run/containerd/containerd.pid" ] && real_processes+=("$(cat "$folder/docker-run/containerd/containerd.pid")")
    kill "${real_processes[@]}" 2>/dev/null
    deadline=$((SECONDS + 15))
    for process in "${real_processes[@]}"; do
        while kill -0 "$process" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
        kill -KILL "$process" 2>/dev/null
        wait "$process" 2>/dev/null
    done
    real_processes=()
    awk -v folder="$folder/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l 2>/dev/null
    rm -rf "$folder"
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then
    set -uo pipefail
    [ $# -gt 0 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
    source "$(dirname "${BASH_SOURCE[0]}")/install.sh"
    trap real_stop EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    real_install
    real_start
    [ -z "$real_missing_registry" ] || echo "no registry: $real_missing_registry" >&2
    [ -z "$real_missing_docker" ] || echo "no Docker engine: $real_missing_docker" >&2
    [ -z "$real_missing_aws" ] || echo "no emulated AWS: $real_missing_aws" >&2
    [ -z "$real_missing_gitlab" ] || echo "no pipelines of GitLab: $real_missing_gitlab" >&2
    [ -z "$real_missing_parity" ] || echo "no other builders: $real_missing_parity" >&2
    [ -z "$real_missing_flyway" ] || echo "no Flyway: $real_missing_flyway" >&2
    [ -z "$real_missing_tools" ] || echo "no other migration tools: $real_missing_tools" >&2
    [ -z "$real_missing_article" ] || echo "no way from a commit to a schema: $real_missing_article" >&2
    "$@"
fi
