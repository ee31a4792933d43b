"""Everything that demonstrates or proves the product; no image holds it.

The emulator, embedded servers, the local run, drills, nemesis, matrix, exam, model, attacks and benchmarks.
"""
