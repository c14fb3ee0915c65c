"""What a hospital needs to run the service: who was told what, how it is doing, and logs without patients in them."""
