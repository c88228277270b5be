// Asks now and then whether issues came in since the page was made, and says so without moving what is being read.
const row = document.querySelector("[data-fresh]");

async function look() {
  if (document.hidden) return;
  const answer = await fetch(row.dataset.fresh, { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const { count } = await answer.json();
  if (!count) return;
  const many = count > 99 ? "99+" : count;
  row.textContent = count === 1 ? "1 new issue · show" : `${many} new issues · show`;
  row.hidden = false;
}

if (row) setInterval(() => look().catch(() => {}), 15_000);
