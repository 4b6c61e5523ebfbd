import json
import os

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    def handle(self, **_options):
        self.stdout.write("Making Acme")
        entry = {"company": "Acme", "email": "owner@acme.test", "password": "first-password"}
        entry["url"] = f"http://acme.localhost:{os.environ['PUBLIC_PORT']}"
        self.stdout.write(json.dumps(entry))
