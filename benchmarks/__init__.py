"""What a decision and an answer cost, measured against the least a Flask service could do."""
