// The whole way: set-up, first project, an application's error, list, issue, resolve, the error again, the regression.
// Settings come from the environment; what the application is, the test says (APP: a command, APP_FOLDER).
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { base, check, fill, inspect, openWindow, withBrowser } from "./steps.mjs";

const scripts = process.env.SCRIPTS !== "off";
const password = "correct horse battery staple";

async function applicationFails(dsn) {
  const [program, ...rest] = process.env.APP.split(" ");
  const settings = { cwd: process.env.APP_FOLDER, env: { ...process.env, SENTRY_DSN: dsn } };
  // It ends with status 1, which is the point of it.
  await promisify(execFile)(program, rest, settings).catch((error) => error);
}

// Looks again until the page shows it: digestion takes a moment.
async function eventually(page, path, text) {
  for (let attempt = 0; attempt < 60; attempt++) {
    await page.goto(path);
    if (await page.getByText(text).first().isVisible()) return;
    await page.waitForTimeout(250);
  }
  throw new Error(`${path} never shows ${text}`);
}

await withBrowser(async (browser) => {
  const { page, wrong } = await openWindow(browser, { javaScriptEnabled: scripts });
  const look = (name) => inspect(page, scripts ? name : `${name}-noscript`, { scripts });

  await page.goto("/");
  check(page.url().includes("/setup"), `without an account one comes to the set-up, not to ${page.url()}`);
  await look("set-up");
  await fill(page, { token: process.env.SETUP_TOKEN, email: "jane@example.com", name: "Jane", password, organization: "Acme" });
  await page.locator("main form button[type=submit], main form button:not([type])").first().click();
  await page.waitForURL((url) => !url.pathname.includes("setup"));

  if (!page.url().includes("/projects/new")) await page.goto("/acme/projects/new");
  await look("new-project");
  await fill(page, { name: "Shop", platform: "python" });
  await page.locator("main form button[type=submit], main form button:not([type])").first().click();
  await page.getByText(/waiting for the first event/i).first().waitFor();
  await look("waiting");
  const dsn = (await page.content()).match(/https?:\/\/[0-9a-f]{32}@[^/\s"<&]+\/\d+/)?.[0];
  check(dsn, "the page shows the DSN");
  await applicationFails(dsn);

  await eventually(page, "/acme/issues/", "ZeroDivisionError");
  await look("issues");
  await page.getByRole("link", { name: /ZeroDivisionError/ }).first().click();
  await page.getByRole("heading", { name: /ZeroDivisionError/ }).first().waitFor();
  await page.getByText("average_price").first().waitFor();
  await look("issue");
  const issue = new URL(page.url()).pathname;

  await page.getByRole("button", { name: "Resolve", exact: true }).first().click();
  await page.getByRole("button", { name: "Reopen", exact: true }).first().waitFor();
  await page.goto("/acme/issues/?query=is%3Aunresolved");
  check(!(await page.getByText("ZeroDivisionError").first().isVisible()), "a resolved issue leaves the list");
  await look("empty-list");

  await applicationFails(dsn);
  await eventually(page, "/acme/issues/?query=is%3Aunresolved", "ZeroDivisionError");
  await eventually(page, issue, /regressed/i);
  await look("regressed");

  await page.goto("/no/such/page/");
  await page.getByText(/not found|404/i).first().waitFor();
  await page.goto("/acme/issues/");
  if (scripts) {
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.pathname.startsWith(issue.replace(/events\/.*/, "")));
    await page.goto("/acme/issues/");
  }
  await page.goto("/account");
  await look("account");
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.locator("[type=password]").first().waitFor();
  await look("sign-in");

  const serious = wrong.filter((text) => !text.includes("404"));
  check(serious.length === 0, `in the window:\n${serious.join("\n")}`);
});
console.log(`done at ${base}`);
