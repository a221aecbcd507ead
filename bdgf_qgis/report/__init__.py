"""HTML reports in one file each: no script, no picture from elsewhere."""
