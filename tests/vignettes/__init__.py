"""The specification a clinician can read: patients and what must be said of them; installed as `cobalamin_vignettes`."""
