#!/usr/bin/env bash
# Measures shipway beside crane, skopeo, buildah and squawk and prints a table. usage: ci/bench.sh [SHIPWAY]
# Without SHIPWAY, a release build is made first. Not part of the tests: times are for people to read.
#
# The registry is ours (ci/bench/registry.go): it asks for Basic credentials, redirects downloads, keeps blobs by repository as
# Amazon's does, and answers each request 50 ms late. Large images are copied between two of Debian's, as fast as they can.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source ci/install.sh
source ci/real.sh

crane_version=v0.21.9
delay=50ms
base_layers=6
runs=5
large_megabytes=${BENCH_MEGABYTES:-512}
copy_megabytes=400

work=$(mktemp -d "${TMPDIR:-/tmp}/shipway-bench.XXXXXX")
server=""
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    real_stop || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

install_build_tools
install_missing skopeo=skopeo buildah=buildah umoci=umoci curl=curl go=golang-go /usr/bin/time=time \
    docker-registry=docker-registry openssl=openssl
if [ $# -gt 0 ]; then
    shipway=$(realpath "$1")
else
    cargo build --locked --release
    shipway=$(cargo metadata --format-version 1 --no-deps | jq -r .target_directory)/$(rustc -vV | sed -n 's/^host: //p')/release/shipway
fi
mkdir -p "$work"/{bin,home,docker,cache,project/scripts}
GOBIN=$work/bin go install "github.com/google/go-containerregistry/cmd/crane@$crane_version" ||
    GOBIN=$work/bin go install github.com/google/go-containerregistry/cmd/crane@v0.20.7
(cd ci/bench && CGO_ENABLED=0 go build -o "$work/bin/registry" .)
export PATH=$work/bin:$PATH

"$work/bin/registry" -delay "$delay" >"$work/addresses" &
server=$!
until grep -qs '^registry' "$work/addresses"; do sleep 0.05; done
registry=$(sed -n 's/^registry //p' "$work/addresses")
control=$(sed -n 's/^control //p' "$work/addresses")

jq -n --arg host "$registry" --arg auth "$(printf AWS:bench | base64 -w0)" '{auths: {($host): {auth: $auth}}}' >"$work/docker/config.json"
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$work/policy.json"
export DOCKER_CONFIG=$work/docker REGISTRY_AUTH_FILE=$work/docker/config.json
export XDG_CACHE_HOME=$work/cache

# measure NAME COMMAND: the median wall time of the runs, requests and memory of the last. $run counts the runs.
# PREPARE, if set, runs before each, unmeasured. Leaves the time in $median, and nothing if it failed.
measure() {
    local name=$1 command=$2 seconds=() requests kilobytes
    median=""
    for run in $(seq "$runs"); do
        export run
        [ -z "${PREPARE:-}" ] || bash -euc "$PREPARE" >"$work/log" 2>&1
        curl -fsS "http://$control/requests" >/dev/null
        if ! /usr/bin/time -f '%e %M' -o "$work/time" bash -euc "$command" >"$work/log" 2>&1; then
            printf '| %s | failed: %s | | |\n' "$name" "$(tail -n 1 "$work/log" | cut -c1-100)"
            return 0
        fi
        seconds+=("$(cut -d' ' -f1 "$work/time")")
        kilobytes=$(cut -d' ' -f2 "$work/time")
        requests=$(curl -fsS "http://$control/requests")
    done
    median=$(printf '%s\n' "${seconds[@]}" | sort -n | sed -n "$((runs / 2 + 1))p")
    # Only our own registry counts.
    [ -z "${UNCOUNTED:-}" ] || requests=""
    printf '| %s | %s s | %s | %s MB |\n' "$name" "$median" "$requests" "$((kilobytes / 1024))"
}

heading() {
    printf '\n**%s**\n\n| | wall time | requests | peak memory |\n|---|---|---|---|\n' "$1"
}

# The base: an index of one image of N layers, one megabyte each; and a project of a few scripts.
umoci init --layout "$work/base" && umoci new --image "$work/base:13"
for layer in $(seq "$base_layers"); do
    head -c 1000000 /dev/urandom >"$work/data-$layer"
    tar -C "$work" -cf "$work/layer.tar" "data-$layer"
    umoci raw add-layer --image "$work/base:13" "$work/layer.tar"
done
umoci config --image "$work/base:13" --config.entrypoint flyway --config.workingdir /flyway
skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$work/base:13" "docker://$registry/flyway:13-amd64"
crane index append -m "$registry/flyway:13-amd64" -t "$registry/flyway:13" >"$work/log" 2>&1
cp db-migrations/scripts/*.sql "$work/project/scripts/"
cp db-migrations/flyway.toml "$work/project/"

export shipway registry work
build="cd $work/project && \$shipway build --scripts scripts --config flyway.toml --base $registry/flyway:13 --push"
layer="mkdir -p $work/tree/flyway && rm -rf $work/tree/flyway/sql && cp -r $work/project/scripts $work/tree/flyway/sql &&
    tar -C $work/tree --sort=name --owner=0 --group=0 --mtime=@1 -cf $work/scripts.tar flyway"
buildah="buildah --storage-driver vfs --root $work/storage --runroot $work/run"
# A release is a new script and a new tag.
release="echo \"SELECT \$run, '\$(date +%N)';\" >$work/project/scripts/V100__latest.sql"

echo "N = $base_layers base layers, one platform, $delay per answer, median of $runs runs"
echo "shipway: $("$shipway" --version); crane $(crane version); $(skopeo --version); $(buildah --version)"

heading "A later release: a changed script, a new tag, the base's blobs already in the repository"
bash -euc "$build -t $registry/orders:0" >"$work/log" 2>&1 || true
PREPARE=$release measure "shipway, no cache" "$build --no-cache -t $registry/orders:cold-\$run"
PREPARE=$release measure "shipway, cache" "$build -t $registry/orders:warm-\$run"
PREPARE=$release measure "crane append + crane mutate" "$layer
    crane append -b $registry/flyway:13 -f $work/scripts.tar -t $registry/orders:crane-\$run
    crane mutate $registry/orders:crane-\$run --cmd migrate -t $registry/orders:crane-\$run"
PREPARE="$release; rm -rf $work/storage" measure "buildah from + copy + commit" "
    container=\$($buildah from -q --tls-verify=false --signature-policy $work/policy.json $registry/flyway:13)
    $buildah copy -q \$container $work/project/scripts /flyway/sql
    $buildah config --cmd migrate \$container
    $buildah commit -q --tls-verify=false --signature-policy $work/policy.json \$container docker://$registry/orders:buildah-\$run"

heading "The same again: nothing has changed"
measure "shipway, no cache" "$build --no-cache -t $registry/orders:same"
measure "shipway, cache" "$build -t $registry/orders:same"
measure "crane append (no command set)" "$layer
    crane append -b $registry/flyway:13 -f $work/scripts.tar -t $registry/orders:crane-same"

heading "The first push to a new repository, blobs cannot be mounted"
measure "shipway, no cache" "$build --no-cache -t $registry/first-shipway-\$run:1"
measure "crane append (no command set)" "$layer
    crane append -b $registry/flyway:13 -f $work/scripts.tar -t $registry/first-crane-\$run:1"
measure "skopeo copy of the base alone" "skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false \
    docker://$registry/flyway:13 docker://$registry/first-skopeo-\$run:1"

runs=3
heading "A copy of $copy_megabytes MB in four layers between two registries (Debian's docker-registry)"
real_folder=$work/real
mkdir "$real_folder"
real_registry source ""
source=$real_address
real_registry target ""
target=$real_address
umoci init --layout "$work/image" && umoci new --image "$work/image:1"
for layer in 1 2 3 4; do
    head -c "$((copy_megabytes * 250000))" /dev/urandom >"$work/data-$layer"
    tar -C "$work" -cf "$work/layer.tar" "data-$layer"
    umoci raw add-layer --image "$work/image:1" "$work/layer.tar"
    rm "$work/data-$layer" "$work/layer.tar"
done
skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$work/image:1" "docker://$source/orders:1"
# Without what it has, and without what is still in the way of the disk.
empty="rm -rf $real_folder/target/docker; sync"
skopeo_copy="skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false \
    docker://$source/orders:1 docker://$target/orders:1"
UNCOUNTED=yes PREPARE=$empty measure "shipway copy" "\$shipway copy --quiet $source/orders:1 $target/orders:1"
of_shipway=$median
UNCOUNTED=yes PREPARE=$empty measure "skopeo copy" "$skopeo_copy"
of_skopeo=$median
UNCOUNTED=yes measure "skopeo copy again: nothing to do" "$skopeo_copy"
UNCOUNTED=yes measure "shipway copy again: nothing to do" "\$shipway copy --quiet $source/orders:1 $target/orders:1"
[ -z "$of_shipway" ] || [ -z "$of_skopeo" ] ||
    awk -v shipway="$of_shipway" -v skopeo="$of_skopeo" \
        'BEGIN { printf "\nshipway copy takes %.2f of the time of skopeo copy\n", shipway / skopeo }'
rm -rf "$work/image" "$real_folder/target/docker"

runs=1
heading "$large_megabytes MB of SQL text into a layer"
mkdir -p "$work/large/flyway/sql"
awk -v bytes="$((large_megabytes * 1000000))" 'BEGIN {
    srand(7)
    while (written < bytes) {
        line = sprintf("INSERT INTO readings (id, sensor, taken_at, value) VALUES (%d, %c%s-%03d%c, %c2026-%02d-%02d %02d:%02d:%02d%c, %.4f);", ++id, 39,
            substr("boilerkitchencellargarage", 1 + 6 * int(4 * rand()), 6), 1000 * rand(), 39, 39, 1 + 12 * rand(), 1 + 28 * rand(),
            24 * rand(), 60 * rand(), 60 * rand(), 39, 100 * rand())
        print line
        written += length(line) + 1
    }
}' >"$work/large/flyway/sql/V1__readings.sql"
measure "shipway build --output oci" "cd $work && \$shipway build --scripts large/flyway/sql --base scratch --output oci:large-oci -t example.com/large:1"
tar -C "$work/large" --sort=name --owner=0 --group=0 --mtime=@1 -cf "$work/large.tar" flyway
measure "crane append -o (of a ready tar)" "crane append -f $work/large.tar -t example.com/large:1 -o $work/large-crane.tar"
largest_blob() { find "$1" -type f -printf '%s\n' 2>/dev/null | sort -n | tail -n 1; }
mkdir -p "$work/large-crane" && tar -C "$work/large-crane" -xf "$work/large-crane.tar"
printf '\nlayer: shipway %s bytes, crane %s bytes\n' "$(largest_blob "$work/large-oci")" "$(largest_blob "$work/large-crane")"

heading "Start, and 10,000 scripts"
start=$(date +%s%N)
for _ in $(seq 100); do "$shipway" --version >/dev/null; done
printf '| shipway --version, mean of 100 | %s ms | | |\n' "$((($(date +%s%N) - start) / 100000000)).$((($(date +%s%N) - start) / 10000000 % 10))"
mkdir -p "$work/many"
for number in $(seq 10000); do echo "SELECT $number;" >"$work/many/V${number}__select.sql"; done
measure "shipway build of 10,000 scripts" "cd $work && \$shipway build --scripts many --base scratch --output oci:many-oci -t example.com/many:1"

heading "The check of 10,000 PostgreSQL scripts (48 MB), beside squawk"
mkdir -p "$work/checked/sql"
awk -v folder="$work/checked/sql" -v scripts=10000 -f ci/bench/corpus.awk
cat >"$work/checked/shipway.toml" <<'EOF'
[migrations]
scripts = "sql"

[runner]
profile = "flyway"

[check]
against = "none"
database = "postgresql"
EOF
measure "shipway check" "cd $work/checked && \$shipway check --format json >$work/checked/shipway.json"
if install_python_environment squawk; then
    squawk=$(python_environment squawk)/bin/squawk
    # It ends with 1 where it finds something. In a transaction, as Flyway runs scripts, it passes over tables that are new.
    measure "squawk" "cd $work/checked && { $squawk --assume-in-transaction --reporter json 'sql/*.sql' >squawk.json || [ -s squawk.json ]; }"
    printf '\nScripts in which they find what both look for (R003: squawk looks for TRUNCATE … CASCADE alone):\n\n'
    jq -rn --slurpfile shipway "$work/checked/shipway.json" --slurpfile squawk "$work/checked/squawk.json" -f ci/bench/agreement.jq
fi

printf '\nbinary: %s bytes\n' "$(stat -c %s "$shipway")"
