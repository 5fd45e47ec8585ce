"""Batches: many jobs from the rows of a file, each made once, however often they are asked for."""
