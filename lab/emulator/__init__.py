"""An emulator of Microsoft Graph mail, Entra and SMTP submission that keeps a ledger of what recipients would receive.

It imports nothing of the product, and the product never imports it.
"""
