"""The parts of the isolation matrix: two full companies, every address, probes and their judge."""
