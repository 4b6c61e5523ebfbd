from django.core.management.base import BaseCommand


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("act")

    def handle(self, **_options):
        """There are no tables to bring up to date."""
