"""The workbook's helpers: one module per job, imports one way (see README, "How the parts fit")."""

__version__ = "0.1.0"
