"""Every crash point combined with every fault."""
