"""Contact sheets: evenly spaced pictures of one camera with their times, and its gaps with their causes."""
