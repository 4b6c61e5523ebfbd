"""What happened to deals."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DealMoved:
    """A deal came to another stage; `actor_id` moved it."""

    deal_id: int
    from_stage_id: int
    to_stage_id: int
    actor_id: int
