# Sourced by script/bench. In: a storage. Out: how much goes in, through and how far it grows: accept, e2e, source maps, overload, growth.
# shellcheck shell=bash
# shellcheck disable=SC2154 # script/bench and script/bench-server.sh set what is used here.

scenario_accept() {
  local accepted waiting
  measure_bare
  say "Accepting into the journal, digestion paused, $seconds s"
  prepare "$projects"
  serve BUGLE_WORKERS=0
  send "${dsns[@]}" --seconds "$seconds" >"$work/accept"
  accepted="$(value acknowledged "$work/accept")"
  waiting="$(sum_of backlog)"
  table "accept"
  row "durably accepted, events/s" "$(value per_second "$work/accept")" "$(to_bare "$(value per_second "$work/accept")")"
  row "accepting, p50 / p99 ms" "$(quantiles "$work/accept")"
  row "memory peak, MB" "$(memory_mb VmHWM)"
  row "acknowledged / waiting in the journal" "$accepted / $waiting"
  stop_server
  check "acknowledged events that wait in the journal" "$accepted" "$waiting"
}

# digest COUNT NAME: sends so many events and waits until all are stored; sets $rate, and writes the report to $work/NAME.
digest() {
  local began ended
  began="$(now)"
  send "${dsns[@]}" --requests "$1" >"$work/$2"
  wait_digested
  ended="$(now)"
  rate="$(calculate %.0f "$(value acknowledged "$work/$2") / ($ended - $began)")"
}

scenario_e2e() {
  local count="$requests" idle disk_before disk_after ticks peak acknowledged kept seen cpu
  if [ -z "$count" ]; then
    if [ "$storage" = sqlite ]; then count=200000; else count=60000; fi
  fi
  measure_bare
  prepare "$projects"
  serve
  # What a start does in the background is not part of it.
  sleep 2
  idle="$(memory_mb VmRSS)"
  disk_before="$(disk_bytes)"
  ticks="$(cpu_ticks)"
  say "End to end, $count events"
  digest "$count" whole
  ticks="$(($(cpu_ticks) - ticks))"
  peak="$(memory_mb VmHWM)"
  acknowledged="$(value acknowledged "$work/whole")"
  kept="$(stored)"
  seen="$(counted)"
  # SQLite's log is part of the file only once the server has gone.
  stop_server
  disk_after="$(disk_bytes)"
  cpu="$(calculate %.3f "$ticks / $(getconf CLK_TCK) / $acknowledged * 1000")"
  table "e2e"
  row "end to end, events/s" "$rate" "$(to_bare "$rate")"
  row "accepting meanwhile, events/s" "$(value per_second "$work/whole")"
  row "accepting meanwhile, p50 / p99 ms" "$(quantiles "$work/whole")"
  row "CPU seconds of Bugle for 1,000 events" "$cpu"
  row "memory idle / peak, MB" "$idle / $peak"
  row "bytes of database for an event" "$(calculate %.0f "($disk_after - $disk_before) / $kept")"
  row "acknowledged / stored / counted" "$acknowledged / $kept / $seen"
  row "issues" "$(query 'select count(*) from issues')"
  check "acknowledged events that are counted" "$acknowledged" "$seen"
  check "acknowledged events that are stored" "$acknowledged" "$kept"
}

# drain_browser_events COUNT: what so many waiting browser events take until they are stored, nothing else going on; sets $rate.
drain_browser_events() {
  local began ended
  serve BUGLE_WORKERS=0
  send "${dsns[@]}" --requests "$1" --envelope "$work/browser.envelope" >"$work/browser"
  [ "$(value acknowledged "$work/browser")" = "$1" ] || die "not every event was accepted."
  stop_server
  began="$(now)"
  serve
  wait_digested
  ended="$(now)"
  rate="$(calculate %.0f "$1 / ($ended - $began)")"
  check "acknowledged events that are stored" "$1" "$(stored)"
}

mapped_of_20() { # mapped_of_20 TOKEN: how many of the latest 20 events are shown as they were written
  local events="$address/api/0/projects/bench/shop/events" id count=0
  for id in $(curl -sf "$events/" -H "Authorization: Bearer $1" | grep -o '"eventID": *"[0-9a-f]*"' | grep -o '[0-9a-f]\{32\}' | head -n 20); do
    if curl -sf "$events/$id/json/" -H "Authorization: Bearer $1" | grep -q 'formatCents(basket.total())'; then count=$((count + 1)); fi
  done
  echo "$count"
}

# The fixture's event of a browser, digested without its source map and with it.
scenario_source_maps() {
  local count="${requests:-100000}" fixtures=tests/fixtures without token file since
  measure_bare
  sed 's/4a57ad1c92f349cfbd4604c93f432b99/EVENT-ID-EVENT-ID-EVENT-ID-EVENT/g' \
    "$fixtures/sdk/browser-11.12.0/exception_timer.3.envelope" >"$work/browser.envelope"
  say "$count events of a browser without their source map"
  prepare 1
  drain_browser_events "$count"
  without="$rate"
  stop_server
  say "$count events of a browser with their source map"
  prepare 1
  serve
  token="$(command_of token create --user bench@example.com)"
  curl -sf "$address/api/0/organizations/bench/releases/" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
    -d '{"version": "web-shop@5.0.0", "projects": ["shop"]}' >/dev/null
  for file in app.min.js app.min.js.map; do
    curl -sf "$address/api/0/projects/bench/shop/releases/web-shop@5.0.0/files/" -H "Authorization: Bearer $token" \
      -F "name=~/static/$file" -F "file=@$fixtures/sourcemaps/web-shop/plain/$file" >/dev/null
  done
  # Compiling is a task of its own.
  since=$SECONDS
  until [ "$(query "select count(*) from artifact_files where compiled_key is not null")" != 0 ]; do
    [ $((SECONDS - since)) -lt 60 ] || die "the source map is not compiled after a minute."
    sleep 0.1
  done
  stop_server
  drain_browser_events "$count"
  table "source-maps"
  row "digesting without a source map, events/s" "$without" "$(to_bare "$without")"
  row "digesting with one on every event, events/s" "$rate" "$(to_bare "$rate")"
  row "- to those without" "$(calculate %.2f "$rate / $without")"
  check "events with the source line of their newest frame, of 20" 20 "$(mapped_of_20 "$token")"
}

# Holds some ten thousand events, so it is full within a second or two.
overload_journal="${BENCH_JOURNAL:-67108864}"

scenario_overload() {
  local began ended acknowledged refused other kept seen recovery peak
  measure_bare
  prepare "$projects" "BUGLE_JOURNAL_LIMIT=$overload_journal"
  serve
  say "Offering more than can be digested, $seconds s, with a journal of $((overload_journal / 1048576)) MiB"
  forget_peak
  send "${dsns[@]}" --seconds "$seconds" >"$work/over"
  began="$(now)"
  peak="$(memory_mb VmHWM)"
  # Ready again as soon as there is room, and with nothing waiting in the end.
  until send --connections 1 --requests 1 "${dsns[@]}" >"$work/again" && [ "$(value acknowledged "$work/again")" = 1 ]; do sleep 0.05; done
  ended="$(now)"
  recovery="$(calculate %.1f "$ended - $began")"
  wait_digested
  ended="$(now)"
  acknowledged="$(($(value acknowledged "$work/over") + 1))"
  refused="$(value status_503 "$work/over")"
  other="$(($(value answered "$work/over") - $(value acknowledged "$work/over") - refused))"
  kept="$(stored)"
  seen="$(counted)"
  table "overload"
  row "offered, requests/s" "$(value answered_per_second "$work/over")" "$(to_bare "$(value answered_per_second "$work/over")")"
  row "acknowledged / refused with 503" "$(value acknowledged "$work/over") / $refused"
  row "other answers / broken connections" "$other / $(value broken "$work/over")"
  row "p50 / p99 ms" "$(quantiles "$work/over")"
  row "memory peak, MB" "$peak"
  row "accepting again after, s" "$recovery"
  row "all digested after, s" "$(calculate %.1f "$ended - $began")"
  row "acknowledged / stored / counted" "$acknowledged / $kept / $seen"
  if [ "$refused" = 0 ]; then say "Nothing was refused: it digests as fast as is offered, or the journal is too large for $seconds s"; fi
  check "answers that are neither 200 nor 503" 0 "$other"
  check "acknowledged events that are counted" "$acknowledged" "$seen"
  check "acknowledged events that are stored" "$acknowledged" "$kept"
}

scenario_growth() {
  local size first="" count="${requests:-100000}" sent=0 rows=() bytes
  measure_bare
  prepare "$projects"
  serve
  for size in $(tr , ' ' <<<"${events:-0,1000000,5000000}"); do
    fill $((size - sent))
    if [ "$size" -gt "$sent" ]; then sent="$size"; fi
    say "End to end, $count events on top of $sent"
    digest "$count" whole
    check "acknowledged events" "$count" "$(value acknowledged "$work/whole")"
    sent=$((sent + count))
    first="${first:-$rate}"
    bytes="$(calculate %.0f "$(disk_bytes) / $sent")"
    rows+=("$size" "$rate" "$(calculate %.2f "$rate / $first")" "$(quantiles "$work/whole")" "$bytes")
  done
  table "growth"
  set -- "${rows[@]}"
  while [ $# -gt 0 ]; do
    row "end to end at $1 stored events, events/s" "$2" "$(to_bare "$2")"
    row "- to the first" "$3"
    row "- accepting meanwhile, p50 / p99 ms" "$4"
    row "- bytes of database for an event" "$5"
    shift 5
  done
  row "acknowledged / stored / counted" "$sent / $(stored) / $(counted)"
  row "memory peak, MB" "$(memory_mb VmHWM)"
  check "acknowledged events that are counted" "$sent" "$(counted)"
  check "acknowledged events that are stored" "$sent" "$(stored)"
}
