"""The analysis wing: from the store's frame to gains, graph, tables, figures and the report.

It knows neither torch nor transformers nor ray, and only `figures` imports matplotlib.
"""
