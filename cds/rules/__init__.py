"""One topic, one stem: what may be said (x.py), and how loud, in which words, on whose authority (x.yaml)."""
