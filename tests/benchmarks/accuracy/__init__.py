"""How accurate BDGF is, part by part, beside other classifiers on the same samples: rows, tables, published data."""
