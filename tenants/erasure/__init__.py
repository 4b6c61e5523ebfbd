"""The end of a company: everything of it destroyed, and the proof that it was."""
