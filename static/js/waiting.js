// "Waiting for the first event" turns into a link to its issue by itself.
const waiting = document.querySelector("[data-waiting]");

async function look() {
  const answer = await fetch(waiting.dataset.waiting, { headers: { accept: "application/json" } });
  if (!answer.ok) return false;
  const { url, title } = await answer.json();
  if (!url) return false;
  waiting.querySelector("[data-state]").textContent = "The first event is here:";
  const link = waiting.querySelector("a[data-issue]");
  link.href = url;
  link.textContent = title;
  link.hidden = false;
  waiting.querySelector(".pulse").remove();
  waiting.querySelector("[data-check]")?.remove();
  return true;
}

async function poll() {
  const found = await look().catch(() => false);
  if (!found) setTimeout(poll, 2000);
}

if (waiting) poll();
