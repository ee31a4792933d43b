"""Bugs planted into copies of the product: does the nemesis see each?"""
