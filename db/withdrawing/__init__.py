"""Withdrawals: close the gate, drain, the result, and resume."""
