"""Built-in readers: one module per source of transcripts, each with a ``READER``."""
