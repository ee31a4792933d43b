"""Plants bugs into copies of the product: does the nemesis catch each of them?"""
