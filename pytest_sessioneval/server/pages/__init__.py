"""Pages for people: runs, sessions and trends, rendered by the server."""
