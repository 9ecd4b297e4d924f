"""Rows of imports and exports in the Products table: how far each has come, so that any run can go on with it."""

from pynamodb.attributes import UnicodeAttribute

from catalog.models import ProductMeta
from shop.lib.attributes import IntegerAttribute, TextListAttribute, TextMapAttribute, TimeAttribute
from shop.lib.tables import Row

TRANSFERS_PK = "TRANSFERS"


class TransferRow(Row):
    """An import or export. `state` and `offset` are the condition of every step, of an export `state` and `claimed`."""

    class Meta(ProductMeta):
        pass

    state = UnicodeAttribute()
    started_at = TimeAttribute(attr_name="startedAt")
    actor_id = UnicodeAttribute(attr_name="actorId")
    actor_name = UnicodeAttribute(attr_name="actorName")
    file = UnicodeAttribute()
    size = IntegerAttribute(default=0)
    offset = IntegerAttribute(default=0)
    line = IntegerAttribute(default=0)
    delimiter = UnicodeAttribute(default=",")
    titles = TextListAttribute(default=list)
    columns = TextMapAttribute(default=dict)
    created = IntegerAttribute(default=0)
    changed = IntegerAttribute(default=0)
    same = IntegerAttribute(default=0)
    failed = IntegerAttribute(default=0)
    repeated = IntegerAttribute(default=0)
    checks = IntegerAttribute(default=0)
    problem = UnicodeAttribute(null=True)
    upload = UnicodeAttribute(null=True)
    claimed = IntegerAttribute(default=0)
    parts = TextListAttribute(default=list)
    cursor = UnicodeAttribute(null=True)


class TransferErrorRow(Row):
    """A line of an import that something is told of: that it cannot be used, and why, or that it repeats an earlier one."""

    class Meta(ProductMeta):
        pass

    line = IntegerAttribute()
    sku = UnicodeAttribute(null=True)
    words = UnicodeAttribute()


def transfer_key(transfer_id: str) -> TransferRow:
    return TransferRow(TRANSFERS_PK, transfer_id)


def errors_pk(transfer_id: str) -> str:
    return f"TRANSFER#{transfer_id}"


def error_sk(state: str, line: int | None = None) -> str:
    """The key of what is told of a line; without a line what those of a pass begin with."""
    return f"{state}#" if line is None else f"{state}#{line:08d}"
