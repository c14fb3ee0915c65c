"""What an EHR does before it calls: searches, prefetch, hook requests of a patient's data. For those who have none at hand."""
