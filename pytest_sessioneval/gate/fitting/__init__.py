"""Fits outcomes to numbers, and says how well that predicts what was held out: pure, no I/O."""
