// Serves the page, opens it in Chromium, makes it fail, and waits until the tracker has taken all three events.
import { createServer } from "node:http";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const dsn = process.env.SENTRY_DSN;
const bundle = await build({ entryPoints: ["page.js"], bundle: true, minify: true, write: false, logLevel: "error" });
const html = "<!doctype html><title>Shop</title><h1>Shop</h1><button>Pay</button><a href=#>Order</a><script src=page.js></script>";
const server = createServer((request, response) => {
  const script = request.url.startsWith("/page.js");
  response.setHeader("content-type", script ? "text/javascript" : "text/html");
  response.end(script ? bundle.outputFiles[0].text : html);
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const taken = [];
try {
  const page = await browser.newPage();
  page.on("response", (answer) => {
    const request = answer.request();
    if (request.method() === "POST" && request.postData()?.includes('"type":"event"')) taken.push(answer.status());
  });
  page.on("requestfailed", (request) => console.error("failed:", request.url(), request.failure()?.errorText));
  await page.goto(`http://127.0.0.1:${server.address().port}/checkout?dsn=${encodeURIComponent(dsn)}`);
  await page.click("button");
  await page.click("a");
  const deadline = Date.now() + 30_000;
  while (taken.length < 3 && Date.now() < deadline) await page.waitForTimeout(50);
} finally {
  await browser.close();
  server.close();
}
console.log(JSON.stringify(taken));
if (taken.length < 3 || taken.some((status) => status !== 200)) {
  throw new Error(`three events should have been taken with 200, the answers were: ${taken.join(", ") || "none"}`);
}
