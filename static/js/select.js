// "Select all" over the rows of a list; hidden without JavaScript, where it could do nothing.
const all = document.querySelector("[data-select-all]");
const rows = () => [...document.querySelectorAll(".issue input[type=checkbox]")];

if (all) {
  all.hidden = false;
  all.addEventListener("change", () => rows().forEach((row) => { row.checked = all.checked; }));
  document.addEventListener("change", (event) => {
    if (event.target === all || !event.target.matches(".issue input")) return;
    const checked = rows().filter((row) => row.checked).length;
    all.checked = checked > 0 && checked === rows().length;
    all.indeterminate = checked > 0 && !all.checked;
  });
}
