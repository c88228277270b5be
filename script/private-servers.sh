# Sourced by script/test and script/bench. In: which servers are wanted. Out: private PostgreSQL, MariaDB and Redis
# on free ports with their data in one temporary folder, their addresses in TEST_*_URL, and their end with the script.
# shellcheck shell=bash

servers_folder=""
servers_running=()
# "fast" for tests, where a crash of the database server is not what is tested; "durable" for measuring.
servers_mode="${servers_mode:-fast}"

# PostgreSQL and MariaDB refuse to run as root, so root starts them as an account that owns nothing.
server_account=""
if [ "$(id -u)" = 0 ]; then
  for account in postgres mysql nobody; do
    if id "$account" >/dev/null 2>&1; then server_account="$account"; break; fi
  done
fi

# A prefix that replaces itself by the command, so that a started server has the process id the shell knows.
as_server_account=()
if [ -n "$server_account" ]; then
  have setpriv || die "as root, the database servers need setpriv (Debian: util-linux) to run as $server_account."
  as_server_account=(setpriv --reuid "$server_account" --regid "$(id -g "$server_account")" --clear-groups)
fi

own_folder() { # own_folder NAME: a folder for a server's data, belonging to the account it runs as
  mkdir "$servers_folder/$1"
  if [ -n "$server_account" ]; then chown "$server_account" "$servers_folder/$1"; fi
}

make_servers_folder() {
  if [ -n "$servers_folder" ]; then return; fi
  # Short, because a Unix socket's path may not be longer than about 100 characters.
  servers_folder="$(mktemp -d /tmp/bugle.XXXXXX)"
  chmod 755 "$servers_folder"
}

# Called by the scripts' exit trap; must get along with anything half started.
stop_private_servers() {
  local pid
  # SIGINT makes PostgreSQL leave without waiting for its clients; the others take SIGTERM.
  for pid in ${servers_running[@]+"${servers_running[@]}"}; do
    if [ "$pid" = "${postgres_pid:-}" ]; then kill -INT "$pid"; else kill -TERM "$pid"; fi 2>/dev/null || true
  done
  for pid in ${servers_running[@]+"${servers_running[@]}"}; do
    local waited=0
    while kill -0 "$pid" 2>/dev/null && [ $waited -lt 50 ]; do sleep 0.1; waited=$((waited + 1)); done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  servers_running=()
  if [ -n "$servers_folder" ]; then rm -rf "$servers_folder"; fi
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start_server NAME PROBE… -- COMMAND…: runs the command in the background until the probe answers.
start_server() {
  local name="$1" probe=() log="$servers_folder/$1.log" pid waited=0
  shift
  while [ "$1" != -- ]; do probe+=("$1"); shift; done
  shift
  # In a process group of its own, so that Ctrl-C reaches it through the exit trap and not before the tests.
  set -m
  ${as_server_account[@]+"${as_server_account[@]}"} "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  set +m
  servers_running+=("$pid")
  until "${probe[@]}" >/dev/null 2>&1; do
    if ! kill -0 "$pid" 2>/dev/null || [ $waited -ge 600 ]; then
      tail -n 20 "$log" >&2
      die "the private $name did not start; the end of its log is above."
    fi
    sleep 0.1
    waited=$((waited + 1))
  done
}

start_postgres() {
  local data settings=() port
  make_servers_folder
  say "Starting a private PostgreSQL"
  data="$servers_folder/postgres"
  own_folder postgres
  # From /, because the account may not be allowed to read the working directory.
  (cd / && ${as_server_account[@]+"${as_server_account[@]}"} "$(command -v initdb)" -D "$data" -U postgres --auth=trust --encoding=UTF8 --locale=C --no-sync) \
    >"$servers_folder/initdb.log" 2>&1 || { tail -n 20 "$servers_folder/initdb.log" >&2; die "initdb failed; its message is above."; }
  port="$(free_port)"
  settings=(-c listen_addresses=127.0.0.1 -c "port=$port" -c "unix_socket_directories=$data" -c max_connections=300 -c shared_buffers=128MB)
  if [ "$servers_mode" = fast ]; then
    settings+=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum_naptime=10min)
  fi
  start_server PostgreSQL psql -h 127.0.0.1 -p "$port" -U postgres -c 'select 1' postgres -- \
    "$(command -v postgres)" -D "$data" "${settings[@]}"
  export postgres_pid="${servers_running[${#servers_running[@]} - 1]}"
  export TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres"
}

start_mysql() {
  local data port settings=()
  make_servers_folder
  say "Starting a private MariaDB"
  data="$servers_folder/mysql"
  own_folder mysql
  (cd / && ${as_server_account[@]+"${as_server_account[@]}"} "$(command -v mariadb-install-db)" --no-defaults --datadir="$data" \
    --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve) \
    >"$servers_folder/install-db.log" 2>&1 || { tail -n 20 "$servers_folder/install-db.log" >&2; die "mariadb-install-db failed; its message is above."; }
  port="$(free_port)"
  settings=(--port="$port" --bind-address=127.0.0.1 --socket="$data/socket" --pid-file="$data/pid" --skip-name-resolve
    --skip-log-bin --max-connections=300 --innodb-buffer-pool-size=128M --character-set-server=utf8mb4)
  if [ "$servers_mode" = fast ]; then
    settings+=(--innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-flush-method=nosync)
  fi
  start_server MariaDB mariadb --no-defaults -h 127.0.0.1 -P "$port" -u root -e 'select 1' -- \
    "$(command -v mariadbd)" --no-defaults --datadir="$data" "${settings[@]}"
  export TEST_MYSQL_URL="mysql://root@127.0.0.1:$port/mysql"
}

start_redis() {
  local data port
  make_servers_folder
  say "Starting a private Redis"
  data="$servers_folder/redis"
  own_folder redis
  port="$(free_port)"
  # Many databases, so that tests running side by side can take one each.
  local settings=(--port "$port" --bind 127.0.0.1 --dir "$data" --databases 1024 --save "")
  if [ "$servers_mode" = durable ]; then settings+=(--appendonly yes --appendfsync everysec); fi
  start_server Redis redis-cli -h 127.0.0.1 -p "$port" ping -- "$(command -v redis-server)" "${settings[@]}"
  export redis_pid="${servers_running[${#servers_running[@]} - 1]}"
  export TEST_REDIS_URL="redis://127.0.0.1:$port"
}
