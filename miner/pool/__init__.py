"""Many miners on one chain: a class with its teacher, or a home with several machines."""
