"""`make costs`: writes docs/costs.md from what `make bench` measured, infra/prices.json and the template.

A bench that has just run (.shop-data/bench.json) is taken over into infra/measured.json; without one, the last is used.
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT / ".shop-data" / "bench.json"
MEASURED = ROOT / "infra" / "measured.json"
PRICES = ROOT / "infra" / "prices.json"
DOCUMENT = ROOT / "docs" / "costs.md"

VISIT = {"home": 1, "list": 2, "product": 3}
"""The pages of a visit without a purchase."""
CHECKOUT = ("contact", "address", "delivery", "review")
ORDER = {
    **VISIT,
    "add to cart": 1,
    "cart, 3 lines": 1,
    **{f"checkout {step}": 2 for step in CHECKOUT},
    "place order": 1,
    "confirmation": 2,
}
"""The pages of a visit with one: each step is seen and sent, and who comes back from Stripe is settled and then thanked."""
FROM_CDN = 0.8
"""Of the catalogue's pages, how many CloudFront has: an assumption, and the one that matters least (docs/costs.md)."""
FRAGMENTS = 1
"""Personal fragments a page fetches: the cart's badge."""
STATIC_FILES, STATIC_KB = 6, 45
"""What a first visit fetches beside pages, without photographs."""
PHOTOGRAPHS_KB = 250
MEMORY_GB, LINE_KB, ALARMS, METRICS = 1.0, 0.7, 15, 18
CPU_FACTOR = 1.7
"""A function of 1 GB has 0.58 of a core, so a millisecond of processor takes so many; waiting is counted by the call."""
CALL_MS, STRIPE_MS = 4, 400
STREAM_RUNS, STREAM_MS, STREAM_WRITES = 4, 60, 16
"""What follows from an order: runs of the stream function, and its claims, mail and log, figures, pieces of three products."""
JOBS_A_MONTH = 60 * 24 * 30 * 6 + 2 * 12 * 24 * 30 + 2 * 24 * 30
JOB_MS, JOB_READS = 15, 1


def main() -> None:
    """Write the document anew."""
    if BENCH.exists():
        MEASURED.write_text(json.dumps(taken(json.loads(BENCH.read_text())), indent=2) + "\n")
    measured, prices = json.loads(MEASURED.read_text()), json.loads(PRICES.read_text())
    DOCUMENT.write_text(document(measured, prices))
    sys.stdout.write("docs/costs.md is written.\n")


def taken(bench: dict[str, Any]) -> dict[str, Any]:
    """What of a bench's figures costs money."""
    pages = {
        row["page"]: {
            "cpu_ms": round(row["best_cpu_ms"], 2),
            "calls": sum(row["calls"].values()),
            "read_units": row["read_units"],
            "write_units": row["write_units"],
            "sent_kb": round(row["sent_bytes"] / 1000, 1),
        }
        for row in bench["pages"]
    }
    return {"python": bench["python"], "products": bench["products"], "pages": pages}


def page_cost(page: dict[str, float], prices: dict[str, Any], *, calls_stripe: bool = False) -> float:
    """What one answer of the function costs, gateway, log and trace included."""
    milliseconds = page["cpu_ms"] * CPU_FACTOR + page["calls"] * CALL_MS + (STRIPE_MS if calls_stripe else 0)
    return float(
        milliseconds / 1000 * MEMORY_GB * prices["lambda_gb_second"]
        + prices["lambda_request"]
        + prices["http_api_request"]
        + page["read_units"] * prices["dynamodb_read_unit"]
        + page["write_units"] * prices["dynamodb_write_unit"]
        + LINE_KB / 1e6 * prices["logs_gb"]
        + sent(page["sent_kb"], prices)
    )


def sent(kilobytes: float, prices: dict[str, Any]) -> float:
    """What CloudFront takes for an answer."""
    return float(prices["cloudfront_request"] + prices["cloudfront_function"] + kilobytes / 1e6 * prices["cloudfront_gb"])


def visit(measured: dict[str, Any], prices: dict[str, Any]) -> float:
    """A visit that buys nothing."""
    return _browsing(VISIT, measured["pages"], prices) + _files(prices)


def order(measured: dict[str, Any], prices: dict[str, Any]) -> dict[str, float]:
    """A visit that ends with an order, by what is paid for."""
    pages = measured["pages"]
    checkout = sum(page_cost(pages[name], prices) * times for name, times in ORDER.items() if name not in VISIT)
    checkout += 2 * STRIPE_MS / 1000 * MEMORY_GB * prices["lambda_gb_second"]
    follows = (
        STREAM_RUNS * (STREAM_MS / 1000 * MEMORY_GB * prices["lambda_gb_second"] + prices["lambda_request"])
        + STREAM_WRITES * prices["dynamodb_write_unit"]
        + prices["ses_mail"]
    )
    return {
        "looking": _browsing({name: ORDER[name] for name in VISIT}, pages, prices) + _files(prices),
        "cart, checkout and payment's return": checkout,
        "confirmation, invoice, figures": follows,
    }


def idle(prices: dict[str, Any]) -> dict[str, float]:
    """What a month costs in which nobody comes."""
    jobs = JOBS_A_MONTH * (
        JOB_MS / 1000 * MEMORY_GB * prices["lambda_gb_second"]
        + prices["lambda_request"]
        + prices["scheduler_invocation"]
        + JOB_READS * prices["dynamodb_read_unit"]
        + LINE_KB / 1e6 * prices["logs_gb"]
    )
    return {
        "secret": prices["secret_month"] * prices["secrets"],
        f"alarms ({ALARMS} metrics, {prices['alarm_metrics_free']} free)": (ALARMS - prices["alarm_metrics_free"])
        * prices["alarm_metric_month"],
        f"metrics of its own (up to {METRICS}, {prices['custom_metrics_free']} free)": (METRICS - prices["custom_metrics_free"])
        * prices["custom_metric_month"],
        "image (0.4 GB, five kept)": 0.4 * 5 * prices["ecr_gb_month"],
        "jobs": jobs,
        "tables and their recovery (0.1 GB)": 0.1 * (prices["dynamodb_gb_month"] + prices["dynamodb_pitr_gb_month"]),
        "photographs (1 GB)": prices["s3_gb_month"],
    }


def _browsing(pages: dict[str, int], measured: dict[str, Any], prices: dict[str, Any]) -> float:
    total = 0.0
    for name, times in pages.items():
        page = measured[name]
        total += times * (FROM_CDN * sent(page["sent_kb"], prices) + (1 - FROM_CDN) * page_cost(page, prices))
        total += times * FRAGMENTS * page_cost(measured["cart badge"], prices)
    return total


def _files(prices: dict[str, Any]) -> float:
    return float(STATIC_FILES * prices["cloudfront_request"] + (STATIC_KB + PHOTOGRAPHS_KB) / 1e6 * prices["cloudfront_gb"])


_SWITCHES = (
    "## Switches",
    "",
    "Off by default, because each costs while nobody comes (prices of the same day, from AWS's pages): a serverless Valkey",
    "from about 6 a month, and with it a network whose way out to Stripe (a NAT gateway) costs about 33; WAF about 8 and 0.6",
    "a million requests; an app client for other systems in Cognito about 6. An AWS identity comes in through the second",
    "gateway for nothing. An OpenSearch domain is no part of the stack (`docs/scale.md`); AWS charges for it by the hour.",
    "",
)


def _page_table(measured: dict[str, Any], prices: dict[str, Any]) -> list[str]:
    return [
        "## Pages",
        "",
        "| page | CPU ms | table calls | read units | write units | 1,000 answers of the function |",
        "|---|---|---|---|---|---|",
        *(
            f"| {name} | {page['cpu_ms']} | {page['calls']} | {page['read_units']} | {page['write_units']} "
            f"| {page_cost(page, prices, calls_stripe=name == 'place order') * 1000:.4f} |"
            for name, page in measured["pages"].items()
        ),
        "",
    ]


def document(measured: dict[str, Any], prices: dict[str, Any]) -> str:
    """docs/costs.md."""
    an_order, a_month, a_visit = order(measured, prices), idle(prices), visit(measured, prices)
    total = sum(an_order.values())
    fee = 50 * prices["stripe_fraction"] + prices["stripe_fixed"]
    lines = [
        "# What it costs",
        "",
        "Written by `make costs` from what `make bench` measured (`infra/measured.json`), the prices of "
        f"{prices['as_of']} in {prices['region']} (`infra/prices.json`) and the assumptions at the top of `infra/costs.py`. "
        "US dollars, without free tiers unless said. Computed, not billed: nothing here was read off an invoice.",
        "",
        "| | |",
        "|---|---|",
        f"| **a month in which nobody comes** | **{sum(a_month.values()):.2f}** |",
        f"| **1,000 visits of {sum(VISIT.values())} pages** | **{a_visit * 1000:.3f}** |",
        f"| **an order** | **{total:.5f}** |",
        f"| for comparison: Stripe's fee for 50.00 | {fee:.2f} |",
        "",
        "## A month in which nobody comes",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {cost:.2f} |" for name, cost in a_month.items()),
        "",
        "Metrics of its own count only in months in which something happened. Within AWS's free tier, jobs, tables and",
        "photographs cost nothing.",
        "",
        "## An order",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {cost:.5f} |" for name, cost in an_order.items()),
        "",
        f"A shop with 10,000 visits and 200 orders a month pays about "
        f"{sum(a_month.values()) + 10_000 * a_visit + 200 * total:.2f}; with 1,000,000 visits and 20,000 orders about "
        f"{sum(a_month.values()) + 1_000_000 * a_visit + 20_000 * total:.0f}.",
        "",
        *_page_table(measured, prices),
        *_SWITCHES,
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
