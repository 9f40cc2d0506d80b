"""The site that `make site` builds: README.md as a page a chapter, the reference, and the pages of explore.py.

It needs no server, asks no other host for anything, and moves nothing where the reader wants nothing to move.
"""
