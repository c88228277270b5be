// A page that fails: the button's handler throws, a promise is rejected. The DSN comes from the page's address.
import * as Sentry from "@sentry/browser";

Sentry.init({
  dsn: new URLSearchParams(location.search).get("dsn"),
  release: "web-shop@5.0.0",
  environment: "live",
});
Sentry.setTag("region", "eu-central");

class BasketError extends Error {
  name = "BasketError";
}

function totalOf(basket) {
  return basket.items.amount.toFixed(2);
}

document.querySelector("button").addEventListener("click", () => totalOf({}));
document.querySelector("a").addEventListener("click", (event) => {
  event.preventDefault();
  Promise.reject(new BasketError("order rejected with status 500"));
});
Sentry.captureMessage("Payment form opened");
