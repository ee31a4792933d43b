"""Everything that demonstrates or proves: the emulator, embedded servers, the local run, drills, nemesis, matrix, exam, benchmarks."""
