import json
import os

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    def handle(self, **_options):
        entry = {"company": "", "email": "operator@localhost", "password": "first-password"}
        entry["url"] = f"http://operators.localhost:{os.environ['PUBLIC_PORT']}"
        self.stdout.write(json.dumps(entry))
