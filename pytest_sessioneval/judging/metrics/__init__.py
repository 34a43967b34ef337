"""Metrics of retrieval-augmented answering: computed in code, from what code or a judge found."""
