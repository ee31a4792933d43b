"""How Onbehalf runs: the embedded servers, the local run, containers."""
