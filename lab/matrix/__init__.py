"""Every crash point against every fault."""
