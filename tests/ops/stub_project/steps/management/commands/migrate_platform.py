from django.core.management.base import BaseCommand
from django.db import connection


class Command(BaseCommand):
    def handle(self, **_options):
        connection.ensure_connection()
