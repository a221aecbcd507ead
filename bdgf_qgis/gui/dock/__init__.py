"""The dock in which samples are drawn, looked at and corrected."""
