"""Opinions, verdicts and runs: what judging produces and everything else reads."""
