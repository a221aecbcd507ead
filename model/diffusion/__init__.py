"""Balanced diffusion pre-training: learning a scene without labels, no modality drowning the others."""
