"""Pipelines, stages and deals."""
