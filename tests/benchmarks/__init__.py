"""What is measured rather than tested: accuracy on real scenes, and speed."""
