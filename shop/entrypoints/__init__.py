"""How the world calls us: decode, call one function, encode."""
