"""Bytes to ``Transcript``: the model, reading, redaction and the excerpt a judge may see."""
