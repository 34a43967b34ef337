"""The REST service: a thin room over ``evaluation`` and ``stores``, made by FastAPI."""
