import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shop.local.bench.capacity import read_units
from shop.local.bench.pages import PAGES
from shop.local.bench.timing import percentile

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.timeout(300)
def test_every_page_is_measured(tmp_path: Path) -> None:
    figures = tmp_path / "bench.json"
    command = [*(sys.executable, "-m", "shop.local.bench"), *("--requests", "3", "--cold-starts", "1", "--json", str(figures))]

    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    report = json.loads(figures.read_text())
    rows = {row["page"]: row for row in report["pages"]}
    assert {name: row["status"] for name, row in rows.items()} == {page.name: page.status for page in PAGES}
    for page in PAGES:
        row = rows[page.name]
        assert row["page"] in done.stdout
        assert row["cpu_ms"] > 0
        assert row["p95_ms"] >= row["p50_ms"] > 0
        assert (row["met"] is None) == (row["target_ms"] is None)
        assert (row["read_units"] + row["write_units"] > 0) == bool(row["calls"])
    assert rows["product"]["calls"] == {"BatchGetItem": 1}
    assert rows["list"]["calls"] == rows["home"]["calls"] == rows["filtered list"]["calls"] == {}
    assert rows["list, 304"]["raw_bytes"] == 0
    assert rows["list"]["sent_bytes"] < rows["list"]["raw_bytes"] / 4
    assert rows["place order"]["calls"]["TransactWriteItems"] == 1
    drawn = {name for name, row in rows.items() if row["floor_cpu_ms"]}
    without = {page.name for page in PAGES if page.is_kept or not page.has_floor}
    assert drawn == set(rows) - {"place order", "healthz"} - without
    assert report["cold_start"]["cpu_ms"] > 0
    assert report["pruned_start"]["cpu_ms"] > report["floor_start"]["cpu_ms"] > 0
    assert min(report["bytes"].values()) > 0
    assert report["worker_memory_mb"] > 0


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile([4.0, 1.0, 3.0, 2.0], percent) for percent in (1, 50, 95, 100)] == [1.0, 2.0, 4.0, 4.0]


def test_a_read_takes_half_a_unit_for_each_started_four_kilobytes_and_twice_that_when_consistent() -> None:
    small, large = {"PK": {"S": "x" * 100}}, {"PK": {"S": "x" * 5000}}

    assert read_units("GetItem", {}, {"Item": small}) == 0.5
    assert read_units("GetItem", {"ConsistentRead": True}, {"Item": large}) == 2
    assert read_units("GetItem", {}, {}) == 0.5
    assert read_units("Query", {}, {"Items": [small] * 50}) == 1
    assert read_units("BatchGetItem", {"RequestItems": {"T": {}}}, {"Responses": {"T": [small, large]}}) == 1.5


@pytest.mark.timeout(300)
def test_sizes_are_compared_side_by_side(tmp_path: Path) -> None:
    figures = tmp_path / "sizes.json"
    command = [*(sys.executable, "-m", "shop.local.bench"), *("--requests", "2", "--sizes", "60,300", "--json", str(figures))]

    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    small, large = json.loads(figures.read_text())["sizes"]
    assert (small["products"], large["products"]) == (60, 300)
    assert small["table_calls"] == large["table_calls"]
    assert small["table_calls"]["list"] == 0
    assert small["table_calls"]["product"] == 1
    assert "search in the process" in done.stdout
