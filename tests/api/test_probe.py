import json
from tests.api.conftest import *
from tests import factories
def test_probe(program, manager, owner):
    a = factories.account(manager, name="Acme X")
    d = factories.deal(manager, account=a.pk)
    t = factories.activity(manager, about=("deal", d.pk))
    for p in ("", "accounts/", "deals/", "activities/?count=1", "contacts/", f"deals/{d.pk}/", "pipelines/", "users/?limit=1", "tags/", "teams/","lost-reasons/","nothing","nothing/"):
        r = program.get(p); print(p, r.status_code, r.headers.get("ETag"), r.content.decode()[:1500]); print()
    r = program.post("deals/", {"name":"x","stage":"zz","foo":1, "amount": True}); print(r.status_code, r.content.decode())
    r = program.post("deals/", {"name":"x","amount": 12.5,"account":str(a.pk)}); print(r.status_code, r.headers, r.content.decode())
    r = program.get("schema/"); print(r.status_code, len(r.content)); open("/tmp/schema.json","wb").write(r.content)
    from drf_spectacular.validation import validate_schema
    validate_schema(r.json())
    r = program.get("docs/"); print(r.status_code, len(r.content)); open("/tmp/docs.html","wb").write(r.content)
