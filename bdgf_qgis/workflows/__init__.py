"""What an algorithm does once its parameters are read, and the steps that workflows share."""
