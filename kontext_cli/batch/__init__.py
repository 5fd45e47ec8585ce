"""Many jobs: the rows of a batch, planned, compared with the journal, and run once each."""
