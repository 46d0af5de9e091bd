"""One BLAS thread a process: test workers share the cores, and threads that wait for each other double the time."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read once, when numpy and torch are first imported
