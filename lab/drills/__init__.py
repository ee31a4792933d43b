"""Proof that anyone can run: scripted failures, and a judge that believes recipients and callers, not the product."""
