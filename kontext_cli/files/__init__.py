"""What lies on disk: names, part files, final names."""
