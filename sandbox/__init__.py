"""A local server that behaves as the Lever Data API and as the Ashby API.

It shares no code with the workbook that talks to it: a wrong belief must not agree with itself.
Run it with ``python -m sandbox``; what is imitated and what is a guess stands in ``README.md``.
"""
