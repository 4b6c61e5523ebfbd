"""A small file for each kind, to fill in: headers in the reader's language, three rows."""

import io
from typing import IO

from crm_core.exchange import exporting, targets
from crm_core.registry import RecordType
from crm_platform.identity.models import User

_ROWS: dict[str, dict[str, tuple[str, str, str]]] = {
    "account": {
        "name": ("Acme Trading Ltd", "台北科技股份有限公司", "Harbour Foods"),
        "industry": ("Wholesale", "Electronics", "Food"),
        "phone": ("+44 20 7946 0018", "+886 2 2234 5678", "+852 2345 6789"),
        "email": ("office@acme.example", "sales@taipei-tech.example", "hello@harbour.example"),
        "website": ("https://acme.example", "https://taipei-tech.example", ""),
        "city": ("London", "台北", "Hong Kong"),
        "country": ("United Kingdom", "Taiwan", "Hong Kong"),
        "source_id": ("C-1001", "C-1002", "C-1003"),
    },
    "contact": {
        "name": ("Anna Miller", "陳怡君", "David Wong"),
        "account": ("Acme Trading Ltd", "台北科技股份有限公司", "Harbour Foods"),
        "title": ("Buyer", "採購經理", "Owner"),
        "email": ("anna@acme.example", "yichun@taipei-tech.example", "david@harbour.example"),
        "phone": ("+44 20 7946 0018", "+886 2 2234 5678", "+852 2345 6789"),
        "city": ("London", "台北", "Hong Kong"),
        "created_at": ("2025-03-14", "2025-06-01", "2026-01-20"),
    },
    "deal": {
        "name": ("Spring order", "辦公設備更新", "Yearly supply"),
        "account": ("Acme Trading Ltd", "台北科技股份有限公司", "Harbour Foods"),
        "stage": ("", "", ""),
        "amount": ("12000", "380000", "25500.50"),
        "currency": ("GBP", "TWD", "HKD"),
        "close_date": ("2026-12-15", "2027-01-31", "2027-03-01"),
        "owner": ("", "", ""),
        "source_id": ("D-1", "D-2", "D-3"),
    },
    "activity": {
        "name": ("Called about the spring order", "寄送報價", "Visit the warehouse"),
        "kind": ("call", "task", "meeting"),
        "about_contact": ("Anna Miller", "陳怡君", "David Wong"),
        "account": ("Acme Trading Ltd", "台北科技股份有限公司", "Harbour Foods"),
        "due_at": ("", "2026-12-01 10:00", "2026-12-08"),
        "done_at": ("2026-11-18 15:30", "", ""),
        "body": ("Wants the price list.", "", ""),
    },
    "person": {
        "name": ("Anna Miller", "陳怡君", "David Wong"),
        "email": ("anna@company.example", "yichun@company.example", "david@company.example"),
        "title": ("Sales", "業務", "Sales"),
        "team": ("North", "North", "South"),
        "manager": ("Grace Lin", "Grace Lin", ""),
    },
}


def example_csv(user: User, kind: RecordType) -> IO[bytes]:
    """The example of a kind, with the facts the person may write; rewound."""
    fields = targets.field_map(user, kind)
    wanted = {name: row for name, row in _ROWS.get(kind.name, {}).items() if name in fields}
    if not wanted:
        wanted = {field.name: ("", "", "") for field in list(fields.values())[:8]}
    out = io.BytesIO()
    header = [str(fields[name].label) for name in wanted]
    exporting.write_csv(out, header, ([*row] for row in zip(*wanted.values(), strict=True)))
    out.seek(0)
    return out
