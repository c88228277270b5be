// Keyboard: j/k move, x select, o open, e resolve, i ignore, m merge, / search, g i issues, ? shows them all.
const rows = [...document.querySelectorAll(".issue")];
let at = -1;
let goPending = 0;

function move(step) {
  if (!rows.length) return;
  rows[at]?.classList.remove("at");
  at = Math.min(rows.length - 1, Math.max(0, at + step));
  rows[at].classList.add("at");
  rows[at].querySelector("a").focus({ preventScroll: true });
  rows[at].scrollIntoView({ block: "nearest" });
}

function toggle() {
  const box = rows[at]?.querySelector("input[type=checkbox]");
  if (!box) return;
  box.checked = !box.checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

function act(status) {
  const button = document.querySelector(`button[name="status"][value="${status}"]`);
  if (!button) return;
  const chosen = rows.some((row) => row.querySelector("input").checked);
  if (rows.length && !chosen) {
    if (at < 0) return;
    toggle();
  }
  button.form.requestSubmit(button);
}

// One issue alone has nothing to merge with.
function merge() {
  const chosen = rows.filter((row) => row.querySelector("input").checked).length;
  const button = document.querySelector('.issues button[formaction$="/issues/merge"]');
  if (button && chosen > 1) button.form.requestSubmit(button);
}

const actions = {
  j: () => move(1),
  k: () => move(-1),
  x: toggle,
  o: () => rows[at]?.querySelector("a").click(),
  e: () => act("resolved"),
  i: () => act("ignored"),
  u: () => act("unresolved"),
  m: merge,
  "/": () => document.querySelector("[data-search]")?.select(),
  "?": () => document.querySelector("dialog.keys")?.showModal(),
  n: () => document.querySelector("a[rel=next]")?.click(),
  p: () => document.querySelector("a[rel=prev]")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog[open]")) return;
  if (event.key === "g") {
    goPending = Date.now();
    return;
  }
  if (event.key === "i" && Date.now() - goPending < 1000) {
    const issues = document.querySelector("a[data-go=issues]");
    if (issues) location.assign(issues.href);
    return;
  }
  if (actions[event.key]) {
    event.preventDefault();
    actions[event.key]();
  }
});

const search = document.querySelector("[data-search]");
search?.addEventListener("keydown", (event) => {
  if (event.key !== "Backspace" || search.value) return;
  const chips = document.querySelectorAll(".search-box .chip");
  chips[chips.length - 1]?.click();
});
