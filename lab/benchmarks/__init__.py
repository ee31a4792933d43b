"""Measurements of the product beside bare loops."""
