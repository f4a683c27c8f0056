"""A SavedModel of ours over HTTP, for a first try: protocols, a queue that batches, the server."""
