"""Tests, by the floor they stand on; what a clinician reads is in vignettes/."""
