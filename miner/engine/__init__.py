"""Generations, workers and the desk where hits become shares and blocks."""
