"""The setting that chooses the engine, and what becomes of pages when a cluster refuses or is silent."""

import hashlib
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from django.test import Client
from opensearchpy.exceptions import TransportError
from pytest_django import Settings

from catalog.domain import Product
from catalog.reactions import products_changed
from catalog.search import choice, opensearch
from catalog.search.engine import Batch, Document, Filters, IndexMissing
from catalog.search.opensearch import OpenSearchEngine, connect
from catalog.search.publishing import SnapshotWriter
from catalog.shared import forget_pages
from shop.lib import watching
from shop.lib.aws import session
from shop.lib.deadline import request_time
from tests import factories
from tests.catalog.search.cluster import Asked, Cluster, cluster_of
from tests.conftest import counted_calls, words_of
from tests.infra.reading import template
from tests.shop.entrypoints.test_stream import item, react, record

INDEX = "test-products-1"
PAGES = ("/", "/products/", "/categories/kitchen-table/", "/products/?q=mug", "/products/suggestions/?q=mug")


@pytest.fixture
def mug(tables: Any) -> Product:
    factories.make_category()
    return factories.make_product(name="Harbour Mug")


@pytest.fixture
def cluster(mug: Product, settings: Settings) -> Iterator[Cluster]:
    """A shop that searches in a cluster, which knows of the mug by another name than the table."""
    with cluster_of(factories.product(product_id=mug.product_id, name="Found Mug")) as made:
        settings.OPENSEARCH_URL = made.url
        choice.forget_engines()
        yield made
    choice.forget_engines()


def test_without_the_setting_the_index_is_in_the_process(tables: Any, index: Callable[[], None]) -> None:
    with pytest.raises(IndexMissing, match="No index was published yet"):
        choice.engine()
    assert isinstance(choice.writer(), SnapshotWriter)


def test_with_the_setting_pages_are_drawn_from_the_cluster_without_a_table_call(client: Client, cluster: Cluster) -> None:
    client.get("/healthz")
    with counted_calls() as calls:
        page = client.get("/products/").text

    assert "Found Mug" in page
    assert "Harbour Mug" not in page
    assert "1 product" in words_of(page)
    assert calls == ["Query"]  # the menu
    assert cluster.lines == [f"POST /{INDEX}/_search"]
    assert not {"authorization", "x-amz-date"} & cluster.asked[0].headers.keys()


def test_words_are_looked_up_in_the_shops_own_index_alone(cluster: Cluster) -> None:
    told: list[watching.Call] = []
    watching.watch(told.append)
    try:
        choice.engine().search(Filters(text="stoneware mug"))
    finally:
        watching._watchers.remove(told.append)

    assert cluster.lines == [f"POST /{INDEX}/_msearch", f"POST /{INDEX}/_search"]
    assert [(call.service, call.operation, call.failed) for call in told] == [
        ("OpenSearch", "msearch", False),
        ("OpenSearch", "search", False),
    ]


def test_a_change_goes_to_the_cluster_and_comes_again_while_it_refuses(cluster: Cluster, mug: Product, tables: Any) -> None:
    new = item(tables, "Products", f"PRODUCT#{mug.product_id}", "METADATA")

    assert react(record("Products", new)) == []

    assert cluster.lines == [f"GET /{INDEX}-*/_alias", f"POST /write-{INDEX}-cafe/_bulk"]
    assert b"Harbour Mug" in cluster.asked[1].body
    assert "require_alias=true" in cluster.asked[1].path

    cluster.status, cluster.text = 503, "{}"
    assert react(record("Products", new, number=7)) == ["7"]
    with pytest.raises(TransportError):
        products_changed([(None, new)])


def test_a_rebuild_waits_for_a_cluster_that_has_too_much_to_do_and_a_batch_does_not(
    cluster: Cluster, mug: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opensearch, "_REBUILD_PAUSE_SECONDS", 0)
    cluster.refusals = 5
    assert choice.writer().rebuild([Document.of(mug)]) == 1
    assert ["_bulk" in line for line in cluster.lines] == [False, False, *[True] * 6, False, False, False]

    cluster.refusals = 6
    with pytest.raises(TransportError, match="429"):
        choice.writer().rebuild([Document.of(mug)])
    assert cluster.lines[-1].endswith("/_bulk")  # nothing took the place of the old index

    cluster.refusals = 1
    with pytest.raises(TransportError, match="429"):
        choice.writer().apply(Batch(gone=("a",)))
    assert cluster.refusals == 0


def test_the_roles_may_do_what_the_engine_asks_for_and_no_more(cluster: Cluster, mug: Product, tables: Any) -> None:
    resources = template()["Resources"]

    choice.engine().search(Filters(text="stoneware"))
    assert [_may("WebSearchPolicy", resources, asked) for asked in cluster.asked] == [True, True]
    cluster.asked.clear()
    products_changed([(None, item(tables, "Products", f"PRODUCT#{mug.product_id}", "METADATA"))])
    assert [_may("StreamSearchPolicy", resources, asked) for asked in cluster.asked] == [True, True]

    for policy in ("WebSearchPolicy", "StreamSearchPolicy"):
        assert resources[policy]["Condition"] == "HasOpenSearch"
        for method, path in (
            ("POST", f"/{INDEX}/_delete_by_query"),
            ("DELETE", f"/{INDEX}-cafe"),
            ("PUT", f"/{INDEX}-cafe"),
            ("POST", "/_aliases"),
            ("POST", "/other-products-1/_search"),
            ("POST", "/_bulk"),
            ("POST", "/write-other-products-1-cafe/_bulk"),
        ):
            assert not _may(policy, resources, Asked(method, path, {}, b""))
    assert not _may("WebSearchPolicy", resources, cluster.asked[1])


def _may(policy: str, resources: dict[str, Any], asked: Asked) -> bool:
    for statement in resources[policy]["Properties"]["PolicyDocument"]["Statement"]:
        paths = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        patterns = [path["Fn::Sub"].replace("${OpenSearchArn}", "").replace("${Environment}", "test") for path in paths]
        path = asked.path.partition("?")[0]
        if statement["Action"] == f"es:ESHttp{asked.method.title()}" and any(fnmatchcase(path, one) for one in patterns):
            return True
    return False


# --- When it does not answer ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (404, '{"error": {"type": "index_not_found_exception", "reason": "no such index"}, "status": 404}'),
        (403, '{"message": "no permissions for [indices:data/read/search]"}'),
        (429, "{}"),
        (503, "{}"),
        (200, "<html>a gateway of somebody's</html>"),
    ],
)
def test_pages_come_from_the_tables_while_the_cluster_refuses(
    client: Client, cluster: Cluster, mug: Product, status: int, text: str
) -> None:
    other = factories.make_product(name="Other Mug")
    cluster.status, cluster.text = status, text
    forget_pages()

    told = {path: client.get(path) for path in (*PAGES, mug.path, "/sitemap.xml")}

    assert {path: answer.status_code for path, answer in told.items()} == dict.fromkeys(told, 200)
    for path in PAGES[:4]:
        assert "Harbour Mug" in told[path].text
    assert other.name in told[mug.path].text
    assert "Found Mug" not in "".join(answer.text for answer in told.values())


def test_words_of_a_search_are_not_tried_alone_while_the_cluster_refuses(
    client: Client, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.product = None
    real = OpenSearchEngine.search

    def once(self: OpenSearchEngine, *args: Any, **kwargs: Any) -> Any:
        found = real(self, *args, **kwargs)
        cluster.status, cluster.text = 503, "{}"
        return found

    monkeypatch.setattr(OpenSearchEngine, "search", once)

    answer = client.get("/products/?q=harbour+mug")

    assert answer.status_code == 200
    assert "harbour mug" in words_of(answer.text)


def test_a_cluster_that_was_silent_is_left_alone_for_a_while(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = OpenSearchEngine(connect(cluster.url, timeout=0.2), name=INDEX)
    cluster.awake.clear()
    with pytest.raises(IndexMissing, match="cannot search"):
        engine.search(Filters())
    cluster.awake.set()

    for ask in (lambda: engine.search(Filters()), lambda: engine.suggest("mug"), lambda: engine.by_id(["a"])):
        with pytest.raises(IndexMissing, match="did not answer a moment ago"):
            ask()
    assert len(cluster.asked) == 1

    later = time.monotonic() + opensearch.REST_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert engine.search(Filters()).total == 1


def test_a_refusal_rests_nobody(cluster: Cluster) -> None:
    cluster.status, cluster.text = 404, "{}"
    with pytest.raises(IndexMissing):
        choice.engine().search(Filters())
    cluster.status, cluster.text = 200, ""

    assert choice.engine().search(Filters()).total == 1


def test_a_request_without_time_asks_nothing(cluster: Cluster) -> None:
    with request_time(1.5), pytest.raises(IndexMissing, match="no time left"):
        choice.engine().search(Filters())

    assert cluster.asked == []


# --- Signatures -------------------------------------------------------------------------------------------------------


def test_requests_over_https_are_signed_as_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = tmp_path / "cluster.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with cluster_of(certificate=certificate) as cluster:
        engine = OpenSearchEngine(connect(cluster.url), name=INDEX)
        engine.search(Filters(text="größe mug"))
        engine.delete(["a"])

        assert cluster.lines == [
            f"POST /{INDEX}/_msearch",
            f"POST /{INDEX}/_search",
            f"GET /{INDEX}-*/_alias",
            f"POST /write-{INDEX}-cafe/_bulk",
        ]
        for asked in cluster.asked:
            assert asked.headers["x-amz-content-sha256"] == hashlib.sha256(asked.body).hexdigest()
            assert asked.headers["authorization"] == _signature(cluster.url, asked)
            assert "/us-east-1/es/aws4_request" in asked.headers["authorization"]


def _signature(url: str, asked: Asked) -> str:
    """What AWS makes of the request as it arrived."""
    signed = asked.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert signed == ["host", "x-amz-content-sha256", "x-amz-date"]
    request = AWSRequest(
        method=asked.method, url=url + asked.path, data=asked.body, headers={name: asked.headers[name] for name in signed}
    )
    request.context["timestamp"] = asked.headers["x-amz-date"]
    signer = SigV4Auth(session().get_credentials(), "es", "us-east-1")
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    return f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={';'.join(signed)}, Signature={signature}"


def test_without_credentials_there_is_no_index(
    client: Client, mug: Product, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OPENSEARCH_URL = "https://search.example.com"
    monkeypatch.setattr(session(), "get_credentials", lambda: None)
    choice.forget_engines()

    page = client.get("/products/")

    choice.forget_engines()
    assert page.status_code == 200
    assert "Harbour Mug" in page.text


# --- What staff are told ----------------------------------------------------------------------------------------------


def test_the_doctor_speaks_of_the_cluster(
    client: Client, cluster: Cluster, stripe: object, sign_in: Callable[..., object]
) -> None:
    sign_in(client, role="admin")
    assert "Search index Good In OpenSearch, with 1 products in it." in words_of(client.get("/staff/doctor/").text)

    cluster.status, cluster.text = 403, '{"message": "forbidden"}'

    page = words_of(client.get("/staff/doctor/").text)
    assert f"Search index Put this right The cluster cannot search {INDEX}:" in page
    assert "Look at OPENSEARCH_URL and at what the domain lets in; then run manage.py reindex." in page
