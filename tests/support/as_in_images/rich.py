"""Stands before the package of that name in processes that tests start: it is in no image, and here structlog would load it."""

message = "the images have no rich, so what is tried here has none"
raise ImportError(message)
