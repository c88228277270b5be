# Sourced by script/bench. In: $bugle, $load, $work and $storage. Out: the server under test with a database of its own, what
# can be read from it while it runs, and the tables that say so.
# shellcheck shell=bash
# shellcheck disable=SC2154 # script/bench sets the options.

server=""
sender=""
settings=()
# Projects of the server under test, and their DSNs as options of the load generator.
dsns=()
dsn=""

stop_server() {
  if [ -n "$server" ]; then
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=""
  fi
}

stop_sender() {
  if [ -n "$sender" ]; then
    kill -TERM "$sender" 2>/dev/null || true
    wait "$sender" 2>/dev/null || true
    sender=""
  fi
}

# The servers that $storage needs, started once.
start_servers() {
  case "$storage" in
    postgres-redis) if [ -z "${TEST_POSTGRES_URL:-}" ]; then start_postgres; fi ;;
    mysql-redis) if [ -z "${TEST_MYSQL_URL:-}" ]; then start_mysql; fi ;;
  esac
  case "$storage" in *-redis) if [ -z "${TEST_REDIS_URL:-}" ]; then start_redis; fi ;; esac
}

# shellcheck disable=SC2001
mysql_address() { sed 's|mysql://root@\(.*\):\([0-9]*\)/.*|-h \1 -P \2|' <<<"$TEST_MYSQL_URL"; }

# prepare PROJECTS [NAME=VALUE …]: new data with that many projects, the first called "shop"; no server yet.
# Spike protection is off, so that every payload is kept, unless a setting says otherwise.
prepare() {
  local projects="$1" number port
  shift
  port="$(free_port)"
  address="http://127.0.0.1:$port"
  rm -rf "$work/data"
  settings=("BUGLE_DATA_DIR=$work/data" "BUGLE_LISTEN=127.0.0.1:$port" BUGLE_SPIKE_LIMIT=0)
  case "$storage" in
    postgres-redis)
      psql -q "$TEST_POSTGRES_URL" -c 'drop database if exists bench' -c 'create database bench' 2>/dev/null
      settings+=("BUGLE_DATABASE_URL=${TEST_POSTGRES_URL%/postgres}/bench")
      ;;
    mysql-redis)
      # shellcheck disable=SC2046 # two options
      mariadb --no-defaults $(mysql_address) -u root \
        -e 'drop database if exists bench; create database bench character set utf8mb4 collate utf8mb4_bin'
      settings+=("BUGLE_DATABASE_URL=${TEST_MYSQL_URL%/mysql}/bench")
      ;;
  esac
  case "$storage" in
    *-redis)
      redis-cli -u "$TEST_REDIS_URL" flushall >/dev/null
      settings+=("BUGLE_REDIS_URL=$TEST_REDIS_URL")
      ;;
  esac
  settings+=("$@")
  echo "correct horse battery staple" | command_of user create --email bench@example.com --superuser --password-stdin >/dev/null
  command_of org create --slug bench --name Bench --owner bench@example.com >/dev/null
  dsns=()
  for number in $(seq "$projects"); do
    dsns+=(--dsn "$(command_of project create --org bench --slug "$(project_name "$number")" --platform python)")
  done
  # shellcheck disable=SC2034
  dsn="${dsns[1]}"
}

project_name() { if [ "$1" = 1 ]; then echo shop; else echo "shop-$1"; fi; }

# A command of bugle with the settings of the server under test.
command_of() { env "${settings[@]}" "$bugle" "$@"; }

# serve [NAME=VALUE …]: runs the server on the prepared data, with these settings beside those.
serve() {
  local waited=0
  env "${settings[@]}" "$@" "$bugle" serve >"$work/serve.log" 2>&1 </dev/null &
  server=$!
  until curl -sf "$address/health/ready" >/dev/null; do
    if ! kill -0 "$server" 2>/dev/null || [ $waited -ge 600 ]; then
      tail -n 20 "$work/serve.log" >&2
      die "bugle serve did not get ready; the end of its log is above."
    fi
    sleep 0.05
    waited=$((waited + 1))
  done
}

# What can be read from it ---------------------------------------------------

sum_of() { # sum_of NAME: the sum of that number over the components of /health/ready
  curl -s "$address/health/ready" | { grep -o "\"$1\": *[0-9]*" || true; } | awk -F: '{ sum += $2 } END { print sum + 0 }'
}

# Until nothing waits any more; gives up when nothing moves for two minutes.
wait_digested() {
  local left last="" since=$SECONDS
  while left="$(sum_of backlog)" && [ "$left" != 0 ]; do
    if [ "$left" != "$last" ]; then last="$left" since=$SECONDS; fi
    if [ $((SECONDS - since)) -gt 120 ]; then
      tail -n 20 "$work/serve.log" >&2
      die "$left records have been waiting for two minutes; the end of the log is above."
    fi
    kill -0 "$server" 2>/dev/null || { tail -n 20 "$work/serve.log" >&2; die "bugle serve ended; the end of its log is above."; }
    sleep 0.1
  done
}

# query SQL: one number
query() {
  case "$storage" in
    postgres-redis) psql -qtA "${TEST_POSTGRES_URL%/postgres}/bench" -c "$1" ;;
    mysql-redis)
      # shellcheck disable=SC2046 # two options
      mariadb --no-defaults $(mysql_address) -u root -N -B bench -e "$1"
      ;;
    *) python3 -c 'import sqlite3, sys
for row in sqlite3.connect(sys.argv[1], timeout=30).execute(sys.argv[2]): print(row[0] or 0)' "$work/data/bugle.db" "$1" ;;
  esac
}

disk_bytes() {
  case "$storage" in
    postgres-redis) query "select pg_database_size('bench')" ;;
    mysql-redis) query "select sum(file_size) from information_schema.innodb_sys_tablespaces where name like 'bench/%'" ;;
    *) cat "$work"/data/bugle.db* | wc -c ;;
  esac
}

stored() { query 'select count(*) from events'; }
counted() { query 'select coalesce(sum(times_seen), 0) from issues'; }

cpu_ticks() { sed 's/.*) //' "/proc/$server/stat" | awk '{ print $12 + $13 }'; }
memory_mb() { awk -v name="$1:" '$1 == name { printf "%.0f", $2 / 1024 }' "/proc/$server/status"; }
# Starts the peak of the memory anew.
forget_peak() { echo 5 >"/proc/$server/clear_refs" 2>/dev/null || true; }

now() { date +%s.%N; }
value() { # value NAME FILE, 0 where there is none
  local found
  found="$(sed -n "s/^$1=//p" "$2")"
  echo "${found:-0}"
}
calculate() { awk "BEGIN { printf \"$1\", $2 }"; }
milliseconds() { calculate %.1f "$1 / 1000"; }
quantiles() { echo "$(milliseconds "$(value p50_us "$1")") / $(milliseconds "$(value p99_us "$1")")"; }

# What sends -----------------------------------------------------------------

send() { "$load" send --connections "$connections" ${gzip[@]+"${gzip[@]}"} "$@"; }

# fill COUNT [OPTION …]: stores so many events by real ingest.
fill() {
  local count="$1"
  shift
  if [ "$count" -le 0 ]; then return; fi
  say "Filling with $count events"
  send "${dsns[@]}" --requests "$count" "$@" >"$work/fill"
  [ "$(value acknowledged "$work/fill")" = "$count" ] || { cat "$work/fill" >&2; die "not every event was accepted while filling."; }
  wait_digested
}

# Requests a second of a handler that reads the body and answers; measured once.
bare=""
measure_bare() {
  local port
  if [ -n "$bare" ]; then return; fi
  say "Bare actix-web handler, $seconds s"
  port="$(free_port)"
  "$load" bare --listen "127.0.0.1:$port" >"$work/bare.log" &
  server=$!
  until curl -s "http://127.0.0.1:$port/" >/dev/null; do
    kill -0 "$server" 2>/dev/null || die "the bare handler did not start."
    sleep 0.05
  done
  send --dsn "http://00000000000000000000000000000000@127.0.0.1:$port/1" --seconds "$seconds" >"$work/bare"
  stop_server
  bare="$(value per_second "$work/bare")"
}

# check NAME EXPECTED FOUND: what must agree, or the measurement is worth nothing.
check() {
  [ "$2" = "$3" ] || die "$1: $2 expected, $3 found."
}

# Tables ---------------------------------------------------------------------

where() {
  case "$storage" in
    postgres-redis) echo "PostgreSQL and Redis on this machine" ;;
    mysql-redis) echo "MariaDB and Redis on this machine" ;;
    *) echo "SQLite, embedded queue" ;;
  esac
}

row() { printf '| %-46s | %22s | %8s |\n' "$1" "$2" "${3:-}"; }

# table TITLE: the head of a scenario's table, with the bare handler in its first row
table() {
  echo
  echo "## $1"
  echo
  echo "$(where); $(nproc) cores, $connections connections, $(value bytes_per_request "$work/bare") bytes a request${gzip:+, gzip}"
  echo
  row "what" "measured" "to bare"
  row "---" "---:" "---:"
  row "bare handler, requests/s" "$bare" "1.00"
  row "bare handler, p50 / p99 ms" "$(quantiles "$work/bare")"
}

to_bare() { calculate %.3f "$1 / $bare"; }
