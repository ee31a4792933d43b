"""Proof that anyone can run: scripted trouble, and a judge that believes recipients and callers, not the product."""
