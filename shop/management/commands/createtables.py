"""`manage.py createtables`: make the tables that do not exist yet."""

from typing import Any

import boto3
from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.models import UserRow
from cart.models import CartRow
from catalog.models import ProductRow
from orders.models import OrderRow
from shop.lib.tables import Row, table_definition

TABLES: tuple[type[Row], ...] = (ProductRow, UserRow, CartRow, OrderRow)
"""The row class that defines each table: its keys and indexes and, in `Meta.ttl_attribute`, its TTL."""


class Command(BaseCommand):
    help = "Create the four tables with their indexes, streams and TTL where they do not exist yet."

    def handle(self, *args: Any, **options: Any) -> None:
        client = boto3.client("dynamodb", region_name=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL or None)
        for row in TABLES:
            definition = table_definition(row)
            name = definition["TableName"]
            try:
                client.create_table(**{key: value for key, value in definition.items() if value != []})
            except client.exceptions.ResourceInUseException:
                self.stdout.write(f"{name} exists")
                continue
            client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
            if row.Meta.ttl_attribute:
                client.update_time_to_live(
                    TableName=name,
                    TimeToLiveSpecification={"Enabled": True, "AttributeName": row.Meta.ttl_attribute},
                )
            self.stdout.write(f"{name} created")
