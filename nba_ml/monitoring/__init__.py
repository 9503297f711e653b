"""What became of predictions once results were in: versions side by side."""
