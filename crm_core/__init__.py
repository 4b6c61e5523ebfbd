"""The CRM itself: one small Django app a topic; DESIGN section 2 says who may import whom."""
