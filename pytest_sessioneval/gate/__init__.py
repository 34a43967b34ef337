"""The gate: whether a run is provably not worse than its baseline. Pure, without I/O."""
