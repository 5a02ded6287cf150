"""Export of a trained model as folders in `transformers` format, and reading them back."""
