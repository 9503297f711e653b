"""Data validation: suites of rules, checked by Great Expectations, that stop a run, keep rows out of it, or warn."""
