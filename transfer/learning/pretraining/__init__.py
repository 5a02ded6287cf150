"""Continued pretraining of an encoder on in-domain text (stage 1 of the paper)."""
