"""The exercises' Python: one file a task; its text is text/LANG/exercises/NAME.md."""
