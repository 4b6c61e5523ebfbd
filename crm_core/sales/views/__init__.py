"""Pages of selling: the board, moves, pipelines."""
