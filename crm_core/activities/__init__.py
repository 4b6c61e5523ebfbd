"""Notes, tasks, calls and meetings: what happens with a customer."""
