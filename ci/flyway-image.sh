# shellcheck shell=bash
# An image in the shape of Flyway's own, with the real Flyway in it, since none can be pulled: the jars of ci/flyway.lock, the Java of
# this machine and the libraries it loads. To be sourced by real.sh, after databases.sh.

# flyway_image FOLDER IMAGE: pushes it to a registry without a password.
flyway_image() (
    set -e
    umask 022
    folder=$1
    jars=$(jar_environment flyway)
    mkdir -p "$folder"/{java,program/flyway/{conf,drivers,jars,sql,lib}}
    cd "$folder"
    flyway_java java
    cp -r "$jars" program/flyway/lib/flyway
    rm program/flyway/lib/flyway/complete
    cat >program/flyway/flyway <<'PROGRAM'
#!/bin/sh
# What is compiled once only, and no second thread for the garbage, starts in half the time.
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp '/flyway/lib/flyway/*:/flyway/drivers/*' org.flywaydb.commandline.Main "$@"
PROGRAM
    chmod 755 program/flyway/flyway
    umoci init --layout base
    umoci new --image base:1
    for layer in java program; do
        tar -C "$layer" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@1 -cf "$layer.tar" .
        umoci raw add-layer --image base:1 --history.created_by "shipway test base: $layer" "$layer.tar"
    done
    umoci config --image base:1 --config.entrypoint flyway --config.cmd '-?' --config.workingdir /flyway \
        --config.env 'PATH=/flyway:/java/bin:/bin' --config.env LC_ALL=C.UTF-8 --config.env REDGATE_DISABLE_TELEMETRY=true
    skopeo --insecure-policy copy --quiet --dest-tls-verify=false oci:base:1 "docker://$2"
    rm -rf "$folder"
)

# flyway_java ROOT: a root file system with the Java of this machine, and without what only windows, debuggers and compilers need.
flyway_java() {
    local root=$1 java file
    java=$(readlink -f "$(command -v java)")
    java=${java%/bin/java}
    databases_root "$root"
    rm -r "$root/sql"
    mkdir -p "$root/java"
    # Links become what they point to, since that lies elsewhere; some packages bring links to what another package would bring.
    tar -C "$java" --exclude-from=<(cd "$java" && find conf lib -xtype l) --exclude='*awt*' --exclude='*font*' --exclude=ct.sym \
        -chf - bin/java conf lib release | tar -C "$root/java" -xf -
    for file in "$root/java/bin/java" "$root"/java/lib/*.so "$root"/java/lib/server/*.so; do databases_libraries "$root" "$file"; done
}
