"""These are scripts, run by ``run_job``: pytest must not import them for doctests."""

collect_ignore_glob = ["*.py"]
