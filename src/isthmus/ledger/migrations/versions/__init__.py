"""Version files, in order of their numbers. May import nothing of ours."""
