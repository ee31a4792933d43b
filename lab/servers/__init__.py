"""The servers that the product supports, besides the newest, on which all tests run."""
