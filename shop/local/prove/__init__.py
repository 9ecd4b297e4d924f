"""`make prove`: storms against the real code on a real table engine, each with a control whose guard is gone and must fail."""
