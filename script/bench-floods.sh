# Sourced by script/bench. In: a storage. Out: what floods do to others: flood, unknown-keys.
# shellcheck shell=bash
# shellcheck disable=SC2154 # script/bench and script/bench-server.sh set what is used here.

# visible_after PROJECT DSN: sends an event and prints the milliseconds until the API shows it.
visible_after() {
  python3 - "$address" "$token" "$1" "$2" <<'PYTHON'
import json, re, sys, time, urllib.error, urllib.request, uuid

address, token, project, dsn = sys.argv[1:]
key, host, number = re.fullmatch(r"http://(\w+)@(.+)/(\d+)", dsn).groups()
event_id = uuid.uuid4().hex
event = {"event_id": event_id, "platform": "python", "level": "error", "message": "the quiet project's event"}
body = "\n".join([json.dumps({"event_id": event_id}), json.dumps({"type": "event"}), json.dumps(event), ""]).encode()
began = time.monotonic()
headers = {"X-Sentry-Auth": f"Sentry sentry_key={key}, sentry_version=7"}
urllib.request.urlopen(urllib.request.Request(f"http://{host}/api/{number}/envelope/", body, headers), timeout=30).read()
page = urllib.request.Request(f"{address}/api/0/projects/bench/{project}/events/{event_id}/", headers={"Authorization": f"Bearer {token}"})
while True:
    try:
        urllib.request.urlopen(page, timeout=30).read()
        break
    except urllib.error.HTTPError as answer:
        if answer.code != 404:
            sys.exit(f"the API answered {answer.code}")
    if time.monotonic() - began > 120:
        sys.exit("the event was not visible within two minutes")
    time.sleep(0.01)
print(round(1000 * (time.monotonic() - began)))
PYTHON
}

scenario_flood() {
  local backlog="${events:-200000}" left times=() sorted acknowledged seen kept
  backlog="${backlog%%,*}"
  measure_bare
  prepare 2
  token="$(command_of token create --user bench@example.com)"
  serve BUGLE_WORKERS=0
  say "A backlog of $backlog events of one project"
  send --dsn "$dsn" --requests "$backlog" >"$work/noisy"
  acknowledged="$(value acknowledged "$work/noisy")"
  stop_server
  serve
  say "A quiet project's events meanwhile"
  # Ten at most, as long as the noisy project still waits.
  while [ ${#times[@]} -lt 10 ]; do
    times+=("$(visible_after shop-2 "${dsns[3]}")")
    left="$(sum_of backlog)"
    if [ "$left" -lt $((backlog / 20)) ]; then break; fi
    sleep 0.3
  done
  wait_digested
  seen="$(counted)"
  kept="$(stored)"
  mapfile -t sorted < <(printf '%s\n' "${times[@]}" | sort -n)
  table "flood: a quiet project beside a noisy one"
  row "waiting of the noisy project, events" "$acknowledged"
  row "quiet events sent meanwhile" "${#times[@]}"
  row "visible after, median / longest ms" "${sorted[$((${#sorted[@]} / 2))]} / ${sorted[${#sorted[@]} - 1]}"
  row "still waiting at the last of them" "$left"
  row "acknowledged / stored / counted" "$((acknowledged + ${#times[@]})) / $kept / $seen"
  check "acknowledged events that are counted" "$((acknowledged + ${#times[@]}))" "$seen"
  check "acknowledged events that are stored" "$((acknowledged + ${#times[@]}))" "$kept"
  stop_server

  # The setting's own default, so not the 0 that every other scenario has.
  prepare 1 "BUGLE_SPIKE_LIMIT=1000"
  serve
  say "One issue floods, spike protection on, $seconds s"
  local began ended
  began="$(now)"
  send "${dsns[@]}" --issues 1 --seconds "$seconds" >"$work/spike"
  wait_digested
  ended="$(now)"
  acknowledged="$(value acknowledged "$work/spike")"
  seen="$(counted)"
  kept="$(stored)"
  rate="$(calculate %.0f "$acknowledged / ($ended - $began)")"
  table "flood: one issue, spike protection on"
  row "accepted and counted, events/s" "$rate" "$(to_bare "$rate")"
  row "accepting, p50 / p99 ms" "$(quantiles "$work/spike")"
  row "acknowledged / counted" "$acknowledged / $seen"
  row "payloads kept" "$kept"
  row "issues" "$(query 'select count(*) from issues')"
  row "memory peak, MB" "$(memory_mb VmHWM)"
  check "acknowledged events that are counted" "$acknowledged" "$seen"
}

# What the database was asked so far: transactions of a server; reads of files where it is a file.
asked() {
  case "$storage" in
    postgres-redis) query "select xact_commit + xact_rollback from pg_stat_database where datname = 'bench'" ;;
    mysql-redis) query "show global status like 'Questions'" | awk '{ print $2 }' ;;
    *) awk '$1 == "syscr:" { print $2 }' "/proc/$server/io" ;;
  esac
}

scenario_unknown_keys() {
  local before after idle flooded refused
  measure_bare
  prepare 1
  serve
  sleep 2
  say "Nothing at all, $seconds s"
  idle="$(asked)"
  sleep "$seconds"
  idle="$(($(asked) - idle))"
  before="$(memory_mb VmRSS)"
  say "Keys that nobody has, $seconds s"
  flooded="$(asked)"
  send "${dsns[@]}" --unknown-keys --seconds "$seconds" >"$work/unknown"
  flooded="$(($(asked) - flooded))"
  after="$(memory_mb VmRSS)"
  refused="$(($(value status_401 "$work/unknown") + $(value status_403 "$work/unknown")))"
  table "unknown-keys"
  row "refused, requests/s" "$(value answered_per_second "$work/unknown")" "$(to_bare "$(value answered_per_second "$work/unknown")")"
  row "p50 / p99 ms" "$(quantiles "$work/unknown")"
  row "answered / of these 401 or 403" "$(value answered "$work/unknown") / $refused"
  row "memory before / after, MB" "$before / $after"
  case "$storage" in
    sqlite) row "reads of files, idle / flooded" "$idle / $flooded" ;;
    *) row "database transactions, idle / flooded" "$idle / $flooded" ;;
  esac
  check "requests refused with 401 or 403" "$(value answered "$work/unknown")" "$refused"
  check "events counted" 0 "$(counted)"
}
