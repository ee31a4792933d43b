"""The process that reads the clock, moves rows and rings the bell. Any number may run at once: no leader, no state."""
