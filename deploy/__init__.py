"""How Onbehalf runs: embedded servers, the local run, containers."""
