"""What a deployment settles, in one file: the model of it, how it is read and checked, and the commands about it."""
