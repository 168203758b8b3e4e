"""Current work, workers, their supervisor, and the pipeline from a hit to its verdict."""
