"""`manage.py reindex`: build the search index anew."""

from typing import Any

from django.core.management.base import BaseCommand

from catalog import services


class Command(BaseCommand):
    help = "Build the search index anew from the Products table and publish it. The shop goes on answering meanwhile."

    def handle(self, *args: Any, **options: Any) -> None:
        products = services.reindex(progress=lambda done: self.stdout.write(f"{done} products …"))
        self.stdout.write(f"the search index holds {products} products")
