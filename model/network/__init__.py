"""The guided classifier: a CNN, a Mamba and a Transformer branch, each guided by diffusion features."""
