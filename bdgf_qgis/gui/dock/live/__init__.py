"""The live map: asked for at each change, drawn over the canvas."""
