"""The pytest side: options, collecting, items, workers, the run and the fixture."""
