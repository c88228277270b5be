# Sourced by script/bench. In: a storage. Out: how long people wait: pages, start.
# shellcheck shell=bash
# shellcheck disable=SC2154 # script/bench and script/bench-server.sh set what is used here.

# Signs in and sets $cookie.
sign_in() {
  local jar="$work/cookies" csrf
  rm -f "$jar"
  csrf="$(curl -s -c "$jar" "$address/login" | sed -n 's/.*name="csrf" value="\([^"]*\)".*/\1/p' | head -n 1)"
  curl -s -o /dev/null -b "$jar" -c "$jar" --data-urlencode "csrf=$csrf" --data-urlencode "email=bench@example.com" \
    --data-urlencode "password=correct horse battery staple" "$address/login"
  cookie="bugle_session=$(awk '$6 == "bugle_session" { print $7 }' "$jar")"
  curl -sf -o /dev/null -H "Cookie: $cookie" "$address/bench/issues/" || die "cannot sign in to the dashboard."
}

# Issues dealt out to so many projects: no project gets hundreds of new issues a minute.
pages_projects=64

# get NAME OPTION …: the pages one after the other; the report goes to $work/NAME.
get() {
  local name="$1"
  shift
  "$load" pages --host "${address#http://}" --cookie "$cookie" --connections 1 "$@" >"$work/$name"
}

scenario_pages() {
  local size shown sent=0 id paths rows=() first_list="" first_issue="" gets=500
  measure_bare
  prepare "$pages_projects"
  serve
  sign_in
  for size in $(tr , ' ' <<<"${events:-100000,1000000}"); do
    fill $((size - sent)) --issues "$issues"
    # What came in under the load of the size before may be more already.
    if [ "$size" -gt "$sent" ]; then sent="$size"; fi
    check "events counted" "$sent" "$(counted)"
    shown="$sent"
    paths=()
    for id in $(query "select id from issues order by id" | awk -v every=$((issues / 97 + 1)) 'NR % every == 1 || every == 1'); do
      paths+=(--path "/bench/issues/$id/")
    done
    say "Pages with $sent events in $(query 'select count(*) from issues') issues, idle"
    get list --requests "$gets" --path /bench/issues/
    get issue --requests "$gets" "${paths[@]}"
    first_list="${first_list:-$(value p50_us "$work/list")}"
    first_issue="${first_issue:-$(value p50_us "$work/issue")}"
    say "The same under full load"
    "$load" send --connections "$connections" "${dsns[@]}" --issues "$issues" --seconds 600 >"$work/loaded" &
    sender=$!
    sleep 1
    get list_loaded --seconds "$seconds" --rate 20 --path /bench/issues/
    get issue_loaded --seconds "$seconds" --rate 20 "${paths[@]}"
    kill -0 "$sender" 2>/dev/null || die "the load ended before the pages were measured."
    stop_sender
    wait_digested
    # What was sent meanwhile is stored as well, and part of the next size.
    sent="$(counted)"
    rows+=("$shown" "$(quantiles "$work/list")" "$(calculate %.2f "$(value p50_us "$work/list") / $first_list")"
      "$(quantiles "$work/issue")" "$(calculate %.2f "$(value p50_us "$work/issue") / $first_issue")"
      "$(quantiles "$work/list_loaded")" "$(quantiles "$work/issue_loaded")")
  done
  table "pages, one after the other; under load 20 a second"
  set -- "${rows[@]}"
  while [ $# -gt 0 ]; do
    row "$1 events: issue list, p50 / p99 ms" "$2"
    row "- p50 to the first size" "$3"
    row "- issue page, p50 / p99 ms" "$4"
    row "- p50 to the first size" "$5"
    row "- issue list under load, p50 / p99 ms" "$6"
    row "- issue page under load, p50 / p99 ms" "$7"
    shift 7
  done
  row "issues" "$(query 'select count(*) from issues')"
  row "stored / counted" "$(stored) / $sent"
  check "counted events that are stored" "$sent" "$(stored)"
}

# first_answers COUNT: milliseconds from exec to the first 200, so many times.
first_answers() {
  env "${settings[@]}" python3 - "$bugle" "${address#http://}" "$1" <<'PYTHON'
import socket, subprocess, sys, time

bugle, host, count = sys.argv[1], sys.argv[2].split(":"), int(sys.argv[3])
request = f"GET /health/ready HTTP/1.1\r\nHost: {host[0]}:{host[1]}\r\nConnection: close\r\n\r\n".encode()


def ready():
    try:
        with socket.create_connection((host[0], int(host[1])), timeout=5) as stream:
            stream.sendall(request)
            return stream.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


for _ in range(count):
    began = time.monotonic()
    server = subprocess.Popen([bugle, "serve"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not ready():
        if server.poll() is not None or time.monotonic() - began > 60:
            server.kill()
            sys.exit("bugle serve did not get ready")
        time.sleep(0.001)
    print(round(1000 * (time.monotonic() - began)))
    server.terminate()
    server.wait(30)
PYTHON
}

scenario_start() {
  local count="${events:-100000}" times
  count="${count%%,*}"
  measure_bare
  prepare "$projects"
  serve
  fill "$count"
  stop_server
  say "From exec to the first 200, ten times"
  first_answers 10 >"$work/starts"
  mapfile -t times < <(sort -n "$work/starts")
  table "start"
  row "stored events" "$(stored)"
  row "first 200 after, median / longest ms" "${times[4]} / ${times[9]}"
}
