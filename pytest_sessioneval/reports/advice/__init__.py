"""What to look at first: lost points grouped by what they have in common, with no model asked."""
