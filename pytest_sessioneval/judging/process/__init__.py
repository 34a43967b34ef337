"""Evidence of process: what can be measured in a transcript without understanding its task."""
