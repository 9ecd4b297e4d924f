"""The search engine of the shop: `engine.py` says what it is asked and answers."""
