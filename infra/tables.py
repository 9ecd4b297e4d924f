"""Writes the tables of infra/template.yaml from the row classes: `make template`, after a key or an index changed."""

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "infra" / "template.yaml"
_BEGIN, _END = "  # tables: begin\n", "  # tables: end\n"
_KEY = "KMSMasterKeyId: !If [HasTablesKey, !Ref TablesKeyArn, !Ref 'AWS::NoValue']"


def main() -> None:
    """Rewrite the section between the marks; says nothing when it was right already."""
    template = TEMPLATE.read_text()
    written = with_tables(template, section())
    if written != template:
        TEMPLATE.write_text(written)
        sys.stdout.write("infra/template.yaml: tables written anew\n")


def with_tables(template: str, tables: str) -> str:
    """The template with this text between its marks."""
    before, _, rest = template.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{tables}{_END}{after}"


def section() -> str:
    """All four tables as the template has them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    sys.path.insert(0, str(ROOT))
    import django
    from django.conf import settings

    django.setup()
    from shop.lib.tables import table_definition
    from shop.management.commands.createtables import TABLES

    tables = [(table_definition(row), row.Meta.ttl_attribute) for row in TABLES]
    return "\n".join(_table(definition, ttl, prefix=settings.TABLE_PREFIX) for definition, ttl in tables)


def _table(definition: dict[str, Any], ttl: str | None, *, prefix: str) -> str:
    name = definition["TableName"].removeprefix(prefix)
    attributes = sorted(definition["AttributeDefinitions"], key=lambda one: _rank(one["AttributeName"]))
    lines = [
        f"{name}Table:",
        "  Type: AWS::DynamoDB::Table",
        "  DeletionPolicy: RetainExceptOnCreate",
        "  UpdateReplacePolicy: Retain",
        "  Properties:",
        f"    TableName: !Sub '${{Environment}}-{name}'",
        f"    BillingMode: {definition['BillingMode']}",
        "    KeySchema:",
        *_keys(definition["KeySchema"]),
        "    AttributeDefinitions:",
        *(f"      - {{AttributeName: {one['AttributeName']}, AttributeType: {one['AttributeType']}}}" for one in attributes),
        *_indexes(definition["GlobalSecondaryIndexes"]),
        f"    StreamSpecification: {{StreamViewType: {definition['StreamSpecification']['StreamViewType']}}}",
        *([f"    TimeToLiveSpecification: {{AttributeName: {ttl}, Enabled: true}}"] if ttl else []),
        f"    SSESpecification: {{SSEEnabled: true, SSEType: {definition['SSESpecification']['SSEType']}, {_KEY}}}",
        "    PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}",
        "    DeletionProtectionEnabled: !Ref DeletionProtection",
    ]
    return "".join(f"  {line}\n" for line in lines)


def _rank(attribute: str) -> tuple[bool, str]:
    return attribute.startswith("GSI"), attribute


def _keys(schema: list[dict[str, str]], indent: str = "      ") -> list[str]:
    return [f"{indent}- {{AttributeName: {key['AttributeName']}, KeyType: {key['KeyType']}}}" for key in schema]


def _indexes(indexes: list[dict[str, Any]]) -> list[str]:
    lines = ["    GlobalSecondaryIndexes:"] if indexes else []
    for index in indexes:
        projection = index["Projection"]
        lines += [f"      - IndexName: {index['IndexName']}", "        KeySchema:", *_keys(index["KeySchema"], " " * 10)]
        lines += ["        Projection:", f"          ProjectionType: {projection['ProjectionType']}"]
        if "NonKeyAttributes" in projection:
            lines += ["          NonKeyAttributes:", *(f"            - {name}" for name in projection["NonKeyAttributes"])]
    return lines


if __name__ == "__main__":
    main()
