"""Pure decisions. Standard library only, no clock (``now`` is an argument), no input or output."""
