"""Reports: what a run is told as, in JSON, Markdown, CSV and on the terminal."""
