"""A slate from its population to its published run: each step is a function of the context that returns a JSON-able dict."""
