"""The lowest layer: refusals, units of work, events, money and pages. It knows no CRM words."""
