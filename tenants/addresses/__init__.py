"""Where a company is reached: the name it chose with us, and host names of its own."""
