"""Trainers: what turns a job into predictions. Scores are always computed here, never by a trainer."""
