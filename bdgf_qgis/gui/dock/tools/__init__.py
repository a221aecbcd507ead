"""Tools of the canvas that draw a sample; none opens a form, none knows of layers."""
