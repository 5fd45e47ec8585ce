"""What was made, on one page or one sheet: from the journal, or from the files alone."""
