"""Interchangeable hashing devices behind one method, `Backend.scan`."""
