"""An application that fails: a message, a handled error with its cause, then an uncaught one.

The DSN comes from the environment. With an argument only that one of the three happens.
"""

import os
import sys

import sentry_sdk

sentry_sdk.init(
    dsn=os.environ["SENTRY_DSN"],
    release="shop@1.4.2",
    environment="live",
    server_name="app-1",
    shutdown_timeout=20,
)
sentry_sdk.set_user({"id": "4711", "email": "jane@example.com"})
sentry_sdk.set_tag("region", "eu-central")
sentry_sdk.add_breadcrumb(category="auth", message="jane signed in")


def average_price(basket):
    total = sum(basket.values())
    return total / len(basket)


def place_order(prices, article):
    try:
        return prices[article]
    except KeyError as error:
        raise ValueError(f"cannot price {article}") from error


wanted = sys.argv[1:] or ["message", "handled", "uncaught"]
if "message" in wanted:
    sentry_sdk.capture_message("Nightly import finished")
if "handled" in wanted:
    try:
        place_order({"tea": 3}, "cup")
    except ValueError as error:
        sentry_sdk.capture_exception(error)
if "uncaught" in wanted:
    average_price({})
