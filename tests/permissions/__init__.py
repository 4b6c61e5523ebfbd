"""The parts of the permission matrix: who may do what, a company to try it in, and the acts."""
