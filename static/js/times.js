// Turns the exact times in tooltips from UTC into the reader's zone and keeps relative times current.
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const steps = [["min", 60], ["h", 3600], ["d", 86400]];

function relative(seconds, suffix) {
  if (seconds < 60) return suffix === " old" ? `<1 min${suffix}` : "just now";
  const [unit, size] = steps.findLast(([, size]) => seconds >= size);
  return `${Math.floor(seconds / size)} ${unit}${suffix}`;
}

function refresh() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    time.textContent = relative(seconds, time.dataset.age);
  }
}

for (const time of document.querySelectorAll("time[datetime]")) {
  time.title = exact.format(new Date(time.dateTime));
}
setInterval(refresh, 30_000);
