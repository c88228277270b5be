// What journeys have in common: a browser that notes whatever goes wrong, and the checks every page has to pass.
import { mkdirSync } from "node:fs";
import axe from "axe-core";
import { chromium } from "playwright-core";

export const base = process.env.BASE_URL;
const shots = process.env.SHOTS;

export function check(condition, text) {
  if (!condition) throw new Error(text);
}

export async function withBrowser(journey) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  try {
    await journey(browser);
  } finally {
    await browser.close();
  }
}

// A person's window. Nothing may fail in it: no script error, no refused script or style, no request to another host.
export async function openWindow(browser, options = {}) {
  const context = await browser.newContext({ baseURL: base, viewport: { width: 1440, height: 900 }, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(`script error: ${error.message}`));
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("console", (message) => {
    if (message.type() === "error") wrong.push(`console: ${message.text()} at ${page.url()}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) wrong.push(`asked another host: ${request.url()}`);
  });
  page.on("response", (answer) => {
    if (answer.status() >= 500) wrong.push(`${answer.status()} for ${answer.url()}`);
  });
  return { context, page, wrong };
}

export async function fill(page, values) {
  for (const [name, value] of Object.entries(values)) {
    const field = page.locator(`main [name="${name}"]`).first();
    if (!(await field.count())) continue;
    const kind = await field.evaluate((element) => (element.tagName === "SELECT" ? "select" : element.type));
    if (kind === "select") await field.selectOption(value);
    else if (kind === "radio") await page.locator(`main label:has([name="${name}"][value="${value}"])`).click();
    else await field.fill(value);
  }
}

// Accessible, in both colour schemes, and usable on a telephone.
export async function inspect(page, name, { scripts = true } = {}) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const width of [1440, 360]) {
      await page.setViewportSize({ width, height: 900 });
      if (shots) {
        mkdirSync(shots, { recursive: true });
        await page.screenshot({ path: `${shots}/${name}-${colorScheme}-${width}.png`, fullPage: true });
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      check(wide <= width, `${name}: ${wide} px wide in a window of ${width} px`);
      if (scripts) await accessible(page, `${name}, ${colorScheme}, ${width} px`);
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize({ width: 1440, height: 900 });
}

async function accessible(page, where) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  const texts = found.violations.map((violation) => {
    const places = violation.nodes.slice(0, 4).map((node) => `    ${node.target.join(" ")}: ${node.failureSummary.replaceAll("\n", " ")}`);
    return `  ${violation.id}: ${violation.help}\n${places.join("\n")}`;
  });
  check(texts.length === 0, `${where} is not accessible:\n${texts.join("\n")}`);
}
