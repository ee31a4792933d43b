"""The process that reads the clock, moves rows and enqueues. Any number may run at once: no leader, no state."""
