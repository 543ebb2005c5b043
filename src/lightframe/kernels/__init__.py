"""Kernels: loops over pixels, compiled by Numba. They know arrays and scalars, and nothing else."""
