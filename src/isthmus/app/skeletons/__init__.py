"""What `isthmus init` writes: project folders that load as they are and say in comments what to fill in.

May import model and errors only; is imported by cli. Start at `writing.write_skeleton`; the files are in `content/`.
"""
