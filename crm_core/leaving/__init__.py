"""Taking everything along: the package an owner leaves (or keeps a copy) with."""
