"""Where summaries, feedback, runs and verdicts are kept."""
