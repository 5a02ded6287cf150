"""Text, figures and pages made from a study. This package presents and never computes."""
