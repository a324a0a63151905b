# shellcheck shell=bash
# Images of real databases for tests/real, made of Debian's packages, since none can be pulled. To be sourced by real.sh.
#
# Each stands in for the official image: it reads the same variables, makes its database with a server that only listens on a socket,
# and then starts the one that stays. A second image of each is a migration tool: it reads FLYWAY_URL, FLYWAY_USER and FLYWAY_PASSWORD,
# and really applies what /sql holds.

databases_install() {
    install_missing mariadbd=mariadb-server-core mariadb=mariadb-client-core
    databases_postgres >/dev/null || install_packages postgresql || true
}

# The folder of PostgreSQL's programs, which Debian names after the version.
databases_postgres() {
    local program
    for program in /usr/lib/postgresql/*/bin/postgres; do [ -x "$program" ] && dirname "$program" && return 0; done
    return 1
}

# databases_images FOLDER: makes the images in the engine that DOCKER_HOST names.
databases_images() {
    local folder=$1
    command -v mariadbd >/dev/null || { echo "MariaDB's server is not installed" >&2; return 1; }
    command -v mariadb >/dev/null || { echo "MariaDB's client is not installed" >&2; return 1; }
    databases_postgres >/dev/null || { echo "PostgreSQL is not installed" >&2; return 1; }
    (
        set -e
        umask 022
        mkdir -p "$folder"
        databases_mariadb "$folder/mariadb"
        databases_import "$folder/mariadb" shipway-test/mariadb:1 'ENTRYPOINT ["/entrypoint"]'
        databases_postgresql "$folder/postgres"
        databases_import "$folder/postgres" shipway-test/postgres:1 'ENTRYPOINT ["/entrypoint"]' 'USER 999'
        # It needs next to nothing, and is there for tests of everything but databases.
        databases_root "$folder/tools"
        databases_import "$folder/tools" shipway-test/tools:1 'ENTRYPOINT ["/bin/sh", "-c"]' 'CMD ["exit 0"]'
    )
}

# databases_import FOLDER IMAGE CHANGE...: the image, and with the suffix -migrations the tool that migrates such a database.
databases_import() {
    local folder=$1 image=$2 changes=() change
    shift 2
    for change in "$@"; do changes+=(--change "$change"); done
    tar -C "$folder" --owner=0 --group=0 --numeric-owner -c . | docker import "${changes[@]}" - "$image" >/dev/null
    [ -e "$folder/migrate" ] || return 0
    printf 'FROM %s\nENTRYPOINT ["/migrate"]\nCMD ["migrate"]\n' "$image" | docker build -q -t "${image/:/-migrations:}" - >/dev/null 2>&1
}

# databases_root FOLDER PROGRAM...: a root file system with a shell, and programs with the libraries they load.
databases_root() {
    local root=$1 program
    shift
    mkdir -p "$root"/{bin,etc,tmp,usr/bin,sql}
    chmod 1777 "$root/tmp"
    cp "$(real_busybox)" "$root/bin/busybox"
    for program in sh cat sleep mkdir kill sed env tail rm chmod echo seq dd head od true false; do ln -sf busybox "$root/bin/$program"; done
    printf 'root:x:0:0:root:/:/bin/sh\npostgres:x:999:999:postgres:/:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\npostgres:x:999:\n' >"$root/etc/group"
    for program in "$@"; do
        install -D "$program" "$root$program"
        databases_libraries "$root" "$program"
    done
}

# databases_libraries ROOT FILE: what it loads, at the same paths.
databases_libraries() {
    local root=$1 library
    ldd "$2" | grep -o '/[^ ]*' | while read -r library; do
        [[ "$library" == "$root"* || -e "$root$library" ]] || install -D "$library" "$root$library"
    done
}

databases_mariadb() {
    local root=$1
    databases_root "$root" "$(command -v mariadbd)" "$(command -v mariadb)"
    mkdir -p "$root/usr/share/mysql"
    cp -r /usr/share/mysql/{charsets,english} "$root/usr/share/mysql/"
    # What the official image does when it starts is done here, once: it takes seconds.
    mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$root/data" --auth-root-authentication-method=normal \
        --skip-test-db --innodb-log-file-size=8M >"$root.log" 2>&1 || { tail -n 5 "$root.log" >&2; return 1; }
    cat >"$root/entrypoint" <<'ENTRYPOINT'
#!/bin/sh
set -e
server="$(PATH=/usr/sbin:/usr/bin:/usr/local/sbin command -v mariadbd) --no-defaults --user=root --datadir=/data --innodb-log-file-size=8M"
client="mariadb --no-defaults --socket=/tmp/first --user=root"
[ -n "$MARIADB_ROOT_PASSWORD$MYSQL_ROOT_PASSWORD" ] || { echo "no password for root is given" >&2; exit 1; }
password=${MARIADB_ROOT_PASSWORD:-$MYSQL_ROOT_PASSWORD}
$server --skip-networking --socket=/tmp/first &
first=$!
until $client -e 'SELECT 1' >/dev/null 2>&1; do kill -0 $first; sleep 0.1; done
$client <<SQL
CREATE DATABASE \`${MARIADB_DATABASE:-$MYSQL_DATABASE}\`;
ALTER USER root@localhost IDENTIFIED BY '$password';
CREATE USER root@'%' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
SQL
kill $first
wait $first || true
exec $server --socket=/tmp/socket "$@"
ENTRYPOINT
    cat >"$root/migrate" <<'MIGRATE'
#!/bin/sh
# Stands in for Flyway.
echo "arguments: $*"
address=${FLYWAY_URL#jdbc:*://}
database=${address#*/}
address=${address%%/*}
export MYSQL_PWD=$FLYWAY_PASSWORD
ask() { mariadb --no-defaults --protocol=tcp --host="${address%:*}" --port="${address##*:}" --user="$FLYWAY_USER" "${database%%\?*}" "$@"; }
ask <<'SQL' || exit 1
CREATE TABLE flyway_schema_history (installed_rank INT NOT NULL PRIMARY KEY, version VARCHAR(50), description VARCHAR(200) NOT NULL,
  type VARCHAR(20) NOT NULL, script VARCHAR(1000) NOT NULL, checksum INT, installed_by VARCHAR(100) NOT NULL,
  installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, execution_time INT NOT NULL, success BOOL NOT NULL);
CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(20));
INSERT INTO orders VALUES (1, 'ü');
INSERT INTO flyway_schema_history VALUES (1, '1', 'create orders', 'SQL', 'V1__create_orders.sql', -5, 'root', DEFAULT, 12, 1);
SQL
[ "$1" = migrate ] && exit 0
ask -e "INSERT INTO flyway_schema_history VALUES (2, '2', 'break', 'SQL', 'V2__break.sql', 7, 'root', DEFAULT, 1, 0)"
ask -e 'CREATE TABL broken' 
exit 1
MIGRATE
    chmod 755 "$root/entrypoint" "$root/migrate"
    ln -sf "$(command -v mariadb)" "$root/bin/mariadb"
}

databases_postgresql() {
    local root=$1 folder program
    folder=$(databases_postgres)
    databases_root "$root" "$folder"/{postgres,initdb,psql}
    # The words of its own messages, and what initdb loads into every database.
    mkdir -p "$root/usr/share/postgresql" "${root}$(dirname "$folder")/lib"
    cp -r "/usr/share/postgresql/$(basename "$(dirname "$folder")")" "$root/usr/share/postgresql/"
    cp "$(dirname "$folder")"/lib/{plpgsql,dict_snowball}.so "${root}$(dirname "$folder")/lib/"
    [ ! -e /usr/share/zoneinfo/UTC ] || install -D /usr/share/zoneinfo/UTC "$root/usr/share/zoneinfo/UTC"
    mkdir -p "$root/data"
    chmod 1777 "$root/data"
    for program in postgres initdb psql; do ln -sf "$folder/$program" "$root/bin/$program"; done
    cat >"$root/entrypoint" <<'ENTRYPOINT'
#!/bin/sh
set -e
[ -n "$POSTGRES_PASSWORD" ] || { echo "no password is given" >&2; exit 1; }
echo "$POSTGRES_PASSWORD" >/tmp/password
initdb -D /data/server -U postgres --auth-local=trust --auth-host=scram-sha-256 --pwfile=/tmp/password --locale=C --encoding=UTF8 --no-sync
rm /tmp/password
echo 'host all all all scram-sha-256' >>/data/server/pg_hba.conf
postgres -D /data/server -k /tmp -c listen_addresses= "$@" -c port=5432 -c fsync=off &
first=$!
until psql -h /tmp -U postgres -c 'SELECT 1' >/dev/null 2>&1; do kill -0 $first; sleep 0.1; done
psql -h /tmp -U postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
kill -INT $first
wait $first || true
exec postgres -D /data/server -k /tmp -c listen_addresses='*' -c fsync=off "$@"
ENTRYPOINT
    cat >"$root/migrate" <<'MIGRATE'
#!/bin/sh
# Stands in for Flyway.
echo "arguments: $*"
exec psql "$DATABASE_URL" --no-psqlrc --quiet --set=ON_ERROR_STOP=1 <<SQL
CREATE SCHEMA shop;
CREATE TABLE shop.flyway_schema_history (installed_rank INT NOT NULL PRIMARY KEY, version VARCHAR(50), description VARCHAR(200) NOT NULL,
  type VARCHAR(20) NOT NULL, script VARCHAR(1000) NOT NULL, checksum INTEGER, installed_by VARCHAR(100) NOT NULL,
  installed_on TIMESTAMP NOT NULL DEFAULT now(), execution_time INTEGER NOT NULL, success BOOLEAN NOT NULL);
CREATE TABLE shop.orders (id INT PRIMARY KEY);
INSERT INTO shop.flyway_schema_history VALUES (1, NULL, 'order totals', 'SQL', 'R__order_totals.sql', NULL, 'postgres', DEFAULT, 3, true);
SQL
MIGRATE
    chmod 755 "$root/entrypoint" "$root/migrate"
}
