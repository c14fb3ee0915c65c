"""What became of the advice: cards that were shown, what clinicians did with them, and a report of both."""
