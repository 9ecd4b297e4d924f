"""docs/costs.md is what the script writes, and the script reckons right."""

import json
from datetime import date

import pytest

from infra import costs
from tests.infra.reading import ROOT, of_type, template

PRICES = json.loads(costs.PRICES.read_text())
MEASURED = json.loads(costs.MEASURED.read_text())


def test_the_document_is_what_the_script_writes_today() -> None:
    assert costs.DOCUMENT.read_text() == costs.document(MEASURED, PRICES), "run `make costs`"


def test_every_price_says_where_it_is_published_of_what_it_is_and_when_it_was_noted() -> None:
    told = [name for source in PRICES["sources"] for name in source["prices"]]
    numbers = {name for name, value in PRICES.items() if isinstance(value, int | float)} - {"secrets"}

    assert sorted(told) == sorted(numbers)
    for source in PRICES["sources"]:
        assert source["published"].startswith(("https://aws.amazon.com/", "https://stripe.com/"))
        assert source["unit"]
        assert date.fromisoformat(source["noted"]) <= date.fromisoformat(PRICES["as_of"]) <= date(2030, 1, 1)


def test_a_page_costs_its_time_its_units_and_its_way() -> None:
    prices = {
        "lambda_gb_second": 0.01,
        "lambda_request": 0.1,
        "http_api_request": 0.2,
        "dynamodb_read_unit": 1,
        "dynamodb_write_unit": 10,
        "logs_gb": 0,
        "cloudfront_request": 0.3,
        "cloudfront_function": 0.4,
        "cloudfront_gb": 1e6,
    }
    page = {"cpu_ms": 10, "calls": 2, "read_units": 1.5, "write_units": 3, "sent_kb": 2}

    # (10 x 1.7 + 2 x 4) ms of 1 GB; 1.5 + 30 of units; 2 of kilobytes
    assert costs.page_cost(page, prices) == pytest.approx(0.00025 + 0.1 + 0.2 + 1.5 + 30 + 0.3 + 0.4 + 2)
    assert costs.page_cost(page, prices, calls_stripe=True) - costs.page_cost(page, prices) == pytest.approx(0.004)


def test_a_month_in_which_nobody_comes_stays_below_the_price_of_a_lunch() -> None:
    assert 0 < sum(costs.idle(PRICES).values()) < 10


def test_the_alarms_and_schedules_are_those_of_the_template() -> None:
    resources = template()["Resources"]
    alarms = sum(3 if "Metrics" in alarm else 1 for alarm in of_type("AWS::CloudWatch::Alarm", resources).values())
    runs = {"rate(1 minute)": 60 * 24 * 30, "rate(5 minutes)": 12 * 24 * 30, "rate(1 hour)": 24 * 30, "rate(1 day)": 30}
    schedules = of_type("AWS::Scheduler::Schedule", resources).values()

    assert alarms == costs.ALARMS
    assert sum(runs[one["ScheduleExpression"]] for one in schedules) == pytest.approx(costs.JOBS_A_MONTH, rel=0.05)


def test_every_page_that_is_reckoned_with_was_measured() -> None:
    assert set(costs.VISIT) | set(costs.ORDER) <= set(MEASURED["pages"])
    assert (ROOT / "docs/costs.md").read_text().count("| ") > 20
