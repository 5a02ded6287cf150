"""The learning wing: writes results. It never imports the analysis wing."""
