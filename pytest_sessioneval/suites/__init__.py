"""Suite files, rubrics, thresholds, expectations and feedback: what the user wrote."""
