"""Who is calling: the client's signed token, the keys that prove it, and that no token is taken twice."""
