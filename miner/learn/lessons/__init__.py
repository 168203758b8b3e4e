"""One file a lesson: a generator of screens."""
