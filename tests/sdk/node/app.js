// An application that fails: a message, a handled error, then an uncaught one. The DSN comes from the environment.
const Sentry = require("@sentry/node");

Sentry.init({ dsn: process.env.SENTRY_DSN, release: "node-shop@2.0.1", environment: "live", serverName: "app-1" });
Sentry.setUser({ id: "u-17", email: "jane@example.com" });
Sentry.setTag("region", "eu-central");
Sentry.addBreadcrumb({ category: "auth", message: "jane signed in" });

class PriceError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = "PriceError";
  }
}

function unitPrice(prices, article) {
  return prices[article].toFixed(2);
}

function lookup(prices, article) {
  try {
    return unitPrice(prices, article);
  } catch (cause) {
    throw new PriceError(`unknown article ${article}`, { cause });
  }
}

Sentry.captureMessage("Cache warmed", "info");
try {
  lookup({}, "cup");
} catch (error) {
  Sentry.captureException(error);
}
setTimeout(() => unitPrice({}, "pot"), 10);
