// Copy buttons: the text stands in an element of the page, or at an address of this server.
async function textOf(button) {
  if (button.dataset.copyFrom) return (await fetch(button.dataset.copyFrom)).text();
  return document.getElementById(button.dataset.copy).textContent;
}

for (const button of document.querySelectorAll("[data-copy], [data-copy-from]")) {
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(await textOf(button));
      button.textContent = "Copied";
    } catch {
      button.textContent = "Could not copy";
    }
    setTimeout(() => { button.textContent = label; }, 1500);
  });
}
