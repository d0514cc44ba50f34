"""What a run was made of and with, for papers: a record, its checks, its words and its sources."""
