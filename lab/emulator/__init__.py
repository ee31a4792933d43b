"""An emulator of Microsoft Graph mail, Entra and SMTP submission. Its ledger records what recipients would receive.

It imports nothing from the product, and the product never imports it.
"""
